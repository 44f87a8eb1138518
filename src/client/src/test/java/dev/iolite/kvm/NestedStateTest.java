package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_nested_state;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** A guest's own virtual machines, as they were saved. */
class NestedStateTest {
  private static NestedState saved(int format, int flags) {
    MemorySegment state = NestedState.allocate(kvm_nested_state.sizeof());
    kvm_nested_state.format(state, (short) format);
    kvm_nested_state.flags(state, (short) flags);
    return NestedState.of(state.toArray(ValueLayout.JAVA_BYTE));
  }

  @Test
  void itSaysForWhichProcessorItIs() {
    assertThat(saved(Kvm.KVM_STATE_NESTED_FORMAT_SVM(), 0).isSvm()).isTrue();
    assertThat(saved(Kvm.KVM_STATE_NESTED_FORMAT_VMX(), 0).isSvm()).isFalse();
  }

  @Test
  void itSaysWhetherAGuestsGuestWasRunning() {
    int svm = Kvm.KVM_STATE_NESTED_FORMAT_SVM();
    assertThat(saved(svm, Kvm.KVM_STATE_NESTED_GUEST_MODE()).isInGuestMode()).isTrue();
    assertThat(saved(svm, Kvm.KVM_STATE_NESTED_GIF_SET()).isInGuestMode()).isFalse();
  }

  @Test
  void fewerBytesThanTheStructAreNone() {
    int bytes = (int) kvm_nested_state.sizeof();
    assertThat(NestedState.of(new byte[bytes]).bytes()).hasSize(bytes);
    assertThatThrownBy(() -> NestedState.of(new byte[bytes - 1]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
