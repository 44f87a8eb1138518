/**
 * Devices: their shape on PCI ({@link dev.iolite.mock.device.DeviceShape}) and their behaviour
 * ({@link dev.iolite.mock.device.DeviceLogic}). A user adds one with a few lines of each.
 */
@NullMarked
package dev.iolite.mock.device;

import org.jspecify.annotations.NullMarked;
