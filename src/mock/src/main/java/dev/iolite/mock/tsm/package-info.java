/**
 * The TEE security manager: link TSMs of drivers/pci/tsm.c, and TDISP interfaces from the TSM's and
 * the device's point of view.
 */
@NullMarked
package dev.iolite.mock.tsm;

import org.jspecify.annotations.NullMarked;
