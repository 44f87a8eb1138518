package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import org.junit.jupiter.api.Test;

/** A guest that converts its memory, on the model. */
class PrivateMemoryTest extends PrivateMemoryContract {
  PrivateMemoryTest() {
    super(MockKernel.plain());
  }

  /** More than the lab has. */
  @Test
  void ramAbove4GiBIsBehindThatBelow() {
    long bytes = MemoryMap.PCI_HOLE + 2 * Page.BYTES;
    try (GuestMemory large = new GuestMemory(vm.fd().kernel(), bytes);
        Kvm kvm = Kvm.open(vm.fd().kernel());
        Vm other = kvm.createVm(VmType.SW_PROTECTED)) {
      PrivateMemory behind = large.addPrivateTo(other);
      long last = MemoryMap.FOUR_GIB + Page.BYTES;
      assertThat(behind.convert(last, 1, true)).isZero();
      assertThat(behind.convert(last, 1, false)).isZero();
      assertThat(freed).containsExactly("0xc0001000+0x1000");
      assertThat(behind.convert(last, 2, true)).isEqualTo(Errno.EINVAL.negated());
      assertThat(behind.convert(MemoryMap.PCI_HOLE - Page.BYTES, 2, true)).isNegative();
      assertThat(behind.convert(-Page.BYTES, 1, true)).isNegative();
    }
  }
}
