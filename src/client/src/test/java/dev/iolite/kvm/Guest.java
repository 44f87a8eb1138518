package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import java.lang.foreign.ValueLayout;

/** A VM with a page of RAM and one vCPU that is about to run 16-bit code in it. */
final class Guest implements AutoCloseable {
  static final long GPA = 0x1000;
  static final long BYTES = 0x1000;

  private final CloseStack open = new CloseStack();
  final Mapping ram;
  final Vm vm;
  final MemorySlot slot;
  final Vcpu vcpu;

  /** Makes the guest; the bytes are its code. */
  Guest(Kernel kernel, int... code) {
    try (Kvm kvm = Kvm.open(kernel)) {
      ram = open.push(Mapping.anonymous(kernel, BYTES));
      for (int i = 0; i < code.length; i++) {
        ram.segment().set(ValueLayout.JAVA_BYTE, i, (byte) code[i]);
      }
      vm = open.push(kvm.createVm(VmType.DEFAULT));
      slot = vm.addSlot(GPA, BYTES, ram.address());
      vcpu = vm.createVcpu(0, slot);
      vcpu.enterRealMode(GPA);
    }
  }

  @Override
  public void close() {
    open.close();
  }
}
