/**
 * KVM: virtual machines, their memory and their processors.
 *
 * <p>What may be called follows from what is held: a {@link dev.iolite.kvm.Kvm} makes VMs, a {@link
 * dev.iolite.kvm.Vm} memory slots, a slot is needed to make a {@link dev.iolite.kvm.Vcpu}, and only
 * that runs. Closing a VM closes what was made from it and is still open, the last one first.
 */
@NullMarked
package dev.iolite.kvm;

import org.jspecify.annotations.NullMarked;
