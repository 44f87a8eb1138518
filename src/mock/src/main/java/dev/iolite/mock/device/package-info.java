/**
 * Devices: what they look like to PCI ({@link dev.iolite.mock.device.DeviceShape}) and what they do
 * ({@link dev.iolite.mock.device.DeviceLogic}). A user adds one with a few lines of either.
 */
@NullMarked
package dev.iolite.mock.device;

import org.jspecify.annotations.NullMarked;
