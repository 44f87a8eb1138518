/**
 * A virtual machine monitor that boots Linux on KVM, with PCI devices passed through.
 *
 * <p>{@link dev.iolite.vmm.VirtualMachine} puts it together: a PC without firmware, with the
 * interrupt controllers and the timer in the kernel, a serial console, a PCI host bridge, and ACPI
 * tables that describe it. There is no device that is not needed to boot Linux.
 */
@NullMarked
package dev.iolite.vmm;

import org.jspecify.annotations.NullMarked;
