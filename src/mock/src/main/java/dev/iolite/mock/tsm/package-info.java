/**
 * The TEE security manager: link TSMs of drivers/pci/tsm.c, and TDISP interfaces as the TSM and the
 * device keep them.
 */
@NullMarked
package dev.iolite.mock.tsm;

import org.jspecify.annotations.NullMarked;
