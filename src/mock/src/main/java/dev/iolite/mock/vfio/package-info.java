/**
 * VFIO: the vfio-pci driver, its character devices and everything made from them (drivers/vfio).
 */
@NullMarked
package dev.iolite.mock.vfio;

import org.jspecify.annotations.NullMarked;
