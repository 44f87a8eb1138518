/**
 * KVM: virtual machines, their memory and their processors.
 *
 * <p>The type that a caller holds proves which calls it may make: a {@link dev.iolite.kvm.Kvm}
 * makes VMs, a {@link dev.iolite.kvm.Vm} makes memory slots, a slot is needed to make a {@link
 * dev.iolite.kvm.Vcpu}, and only that runs. Closing a VM closes what was made from it and is still
 * open, in reverse order.
 *
 * <p>Records, enums and exceptions never change: they are safe for use by several threads. Every
 * other type says which threads may use it.
 */
@NullMarked
package dev.iolite.kvm;

import org.jspecify.annotations.NullMarked;
