/**
 * An NVMe controller that looks like QEMU's: its registers ({@link
 * dev.iolite.mock.device.nvme.Nvme}), its queues, its commands, and a disk in memory. Structures
 * and codes are those of the NVM Express Base Specification 1.4; where it leaves a choice, QEMU's
 * hw/nvme/ctrl.c was followed.
 */
@NullMarked
package dev.iolite.mock.device.nvme;

import org.jspecify.annotations.NullMarked;
