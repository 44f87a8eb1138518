package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_nested_state;
import java.lang.foreign.MemorySegment;

/** The state of a guest's own virtual machines, of which the model's guests have none. */
final class NestedSvm {
  private static final int GIF = Kvm.KVM_STATE_NESTED_GIF_SET();

  /** What the largest state has; arch/x86/kvm/svm/nested.c:svm_get_nested_state. */
  static final int BYTES = (int) kvm_nested_state.sizeof() + Kvm.KVM_STATE_NESTED_SVM_VMCB_SIZE();

  private final KvmVm vm;

  /** Whether interrupts are enabled altogether. */
  private boolean gif = true;

  NestedSvm(KvmVm vm) {
    this.vm = vm;
  }

  /** KVM_GET_NESTED_STATE; arch/x86/kvm/svm/nested.c:svm_get_nested_state. */
  void get(long argument) {
    requireSupported();
    Task task = vm.task();
    MemorySegment state = task.in(argument, kvm_nested_state.data$offset());
    int room = kvm_nested_state.size(state);
    int size = (int) kvm_nested_state.sizeof();
    if (Integer.compareUnsigned(room, size) < 0) {
      kvm_nested_state.size(state, size);
      task.out(argument, state);
    }
    refuseIf(Integer.compareUnsigned(room, size) < 0, Errno.E2BIG);
    state.fill((byte) 0);
    kvm_nested_state.flags(state, (short) (gif ? GIF : 0));
    kvm_nested_state.format(state, (short) Kvm.KVM_STATE_NESTED_FORMAT_SVM());
    kvm_nested_state.size(state, size);
    task.out(argument, state);
  }

  /**
   * KVM_SET_NESTED_STATE; arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl,
   * arch/x86/kvm/svm/nested.c:svm_set_nested_state. The model's guests can't have enabled SVM.
   */
  void set(long argument) {
    requireSupported();
    MemorySegment state = vm.task().in(argument, kvm_nested_state.sizeof());
    int flags = kvm_nested_state.flags(state);
    refuseIf(
        Integer.compareUnsigned(kvm_nested_state.size(state), (int) kvm_nested_state.sizeof()) < 0,
        Errno.EINVAL);
    refuseIf(
        kvm_nested_state.format(state) != Kvm.KVM_STATE_NESTED_FORMAT_SVM()
            || (flags != 0 && flags != GIF),
        Errno.EINVAL);
    gif = flags == GIF;
  }

  /** kvm_nested_ops.enabled; on an Intel machine, the model has no state for it. */
  private void requireSupported() {
    refuseIf(vm.platform().hasTdx(), Errno.EINVAL);
  }
}
