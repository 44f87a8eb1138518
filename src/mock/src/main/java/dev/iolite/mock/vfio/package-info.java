/** VFIO: the vfio-pci driver, its character devices and all that is made of them (drivers/vfio). */
@NullMarked
package dev.iolite.mock.vfio;

import org.jspecify.annotations.NullMarked;
