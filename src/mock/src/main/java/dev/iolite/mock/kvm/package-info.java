/**
 * The model's KVM: {@code /dev/kvm}, VMs with their memory, vCPUs, guest_memfd and the VFIO device,
 * as in virt/kvm and arch/x86/kvm.
 *
 * <p>A vCPU of a VM whose state the host can set runs 16-bit machine code; one of a confidential VM
 * runs a {@link dev.iolite.mock.kvm.GuestScript}.
 */
@NullMarked
package dev.iolite.mock.kvm;

import org.jspecify.annotations.NullMarked;
