package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_nested_state;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What KVM knows of a guest's own virtual machines: struct kvm_nested_state with the data behind
 * it. Its data are for the kernel only.
 *
 * <p>Safe for use by several threads.
 */
public final class NestedState {
  private final MemorySegment state;

  NestedState(MemorySegment state) {
    this.state = state;
  }

  /**
   * A state as it was saved.
   *
   * @param bytes what {@link #bytes} returned
   * @throws IllegalArgumentException if they are fewer than the struct has
   */
  public static NestedState of(byte[] bytes) {
    if (bytes.length < kvm_nested_state.sizeof()) {
      throw new IllegalArgumentException(
          "a nested state has %d bytes or more, not %d"
              .formatted(kvm_nested_state.sizeof(), bytes.length));
    }
    MemorySegment state = allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    return new NestedState(state);
  }

  /** Memory that is aligned for the struct. */
  static MemorySegment allocate(long bytes) {
    return MemorySegment.ofArray(new long[Math.toIntExact((bytes + 7) / Long.BYTES)])
        .asSlice(0, bytes);
  }

  MemorySegment segment() {
    return state;
  }

  /** Whether it is for AMD's SVM, not for Intel's VMX. */
  public boolean isSvm() {
    return kvm_nested_state.format(state) == Kvm.KVM_STATE_NESTED_FORMAT_SVM();
  }

  /** Whether the vCPU runs a guest of its guest. */
  public boolean isInGuestMode() {
    return (kvm_nested_state.flags(state) & Kvm.KVM_STATE_NESTED_GUEST_MODE()) != 0;
  }

  /** KVM_STATE_NESTED_ flags. */
  public int flags() {
    return Short.toUnsignedInt(kvm_nested_state.flags(state));
  }

  /** All of it, to be saved. */
  public byte[] bytes() {
    return state.toArray(ValueLayout.JAVA_BYTE);
  }
}
