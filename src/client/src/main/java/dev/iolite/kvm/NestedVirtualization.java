package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_nested_state;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Saves and restores what KVM knows of the virtual machines of a guest. Made by {@link
 * Vcpu#nested}.
 *
 * <p>Like its vCPU, for use by one thread at a time.
 */
public final class NestedVirtualization {
  private final Fd vcpu;

  NestedVirtualization(Fd vcpu) {
    this.vcpu = vcpu;
  }

  /**
   * The state.
   *
   * <p>KVM_GET_NESTED_STATE, since Linux 4.20, arch/x86/kvm/svm/nested.c:svm_get_nested_state,
   * arch/x86/kvm/vmx/nested.c:vmx_get_nested_state.
   *
   * @param most how large it can be: what {@link Kvm#check} says of {@link Capability#NESTED_STATE}
   * @throws KernelException E2BIG: it is larger; EINVAL: KVM has no nested virtualization
   */
  public NestedState state(int most) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(most, Long.BYTES);
      kvm_nested_state.size(state, most);
      vcpu.ioctl(KvmIoctls.KVM_GET_NESTED_STATE, state);
      return NestedState.of(
          state.asSlice(0, kvm_nested_state.size(state)).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /**
   * Sets the state, after CPUID, MSRs and registers.
   *
   * <p>KVM_SET_NESTED_STATE, since Linux 4.20, arch/x86/kvm/svm/nested.c:svm_set_nested_state,
   * arch/x86/kvm/vmx/nested.c:vmx_set_nested_state.
   *
   * @throws KernelException EINVAL: it is for another make of processor, or the guest has not
   *     enabled what it is about
   */
  public void setState(NestedState state) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocate(state.segment().byteSize(), Long.BYTES);
      argument.copyFrom(state.segment());
      vcpu.ioctl(KvmIoctls.KVM_SET_NESTED_STATE, argument);
    }
  }
}
