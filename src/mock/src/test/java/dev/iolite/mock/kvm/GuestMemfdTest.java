package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** virt/kvm/guest_memfd.c. */
class GuestMemfdTest {
  private static final long PAGE = RawKvm.PAGE;
  private static final int EINVAL = Errno.EINVAL.negated();
  private static final long MMAP = Kvm.GUEST_MEMFD_FLAG_MMAP();
  private static final long INIT_SHARED = Kvm.GUEST_MEMFD_FLAG_INIT_SHARED();
  private static final int BOTH = Libc.PROT_READ() | Libc.PROT_WRITE();

  private final RawKvm kvm = new RawKvm(MockKernel.plain());
  private final int vm = kvm.createVm(Kvm.KVM_X86_DEFAULT_VM());

  @Test
  void itsSizeIsSomePages() {
    assertThat(kvm.guestMemfd(vm, 0, 0)).isEqualTo(EINVAL);
    assertThat(kvm.guestMemfd(vm, PAGE + 1, 0)).isEqualTo(EINVAL);
    assertThat(kvm.guestMemfd(vm, Long.MIN_VALUE, 0)).isEqualTo(EINVAL);
    assertThat(kvm.guestMemfd(vm, 1L << 62, 0)).isPositive();
  }

  @Test
  void aVmWithPrivateMemoryHasNoneThatIsSharedAtFirst() {
    assertThat(kvm.guestMemfd(vm, PAGE, 4)).isEqualTo(EINVAL);
    assertThat(kvm.guestMemfd(vm, PAGE, MMAP | INIT_SHARED)).isPositive();
    int software = kvm.createVm(Kvm.KVM_X86_SW_PROTECTED_VM());
    assertThat(kvm.guestMemfd(software, PAGE, MMAP | INIT_SHARED)).isEqualTo(EINVAL);
    assertThat(kvm.guestMemfd(software, PAGE, MMAP)).isPositive();
  }

  @Test
  void itIsMappedSharedOnlyAndNeverMadeLonger() {
    int file = kvm.guestMemfd(vm, PAGE, MMAP | INIT_SHARED);
    assertThat(kvm.kernel.mmap(0, PAGE, BOTH, Libc.MAP_PRIVATE(), file, 0)).isEqualTo(EINVAL);
    assertThat(kvm.kernel.mmap(0, PAGE, BOTH, Libc.MAP_SHARED(), file, 0)).isPositive();
    int hidden = kvm.guestMemfd(vm, PAGE, 0);
    assertThat(kvm.kernel.mmap(0, PAGE, BOTH, Libc.MAP_SHARED(), hidden, 0))
        .isEqualTo(Errno.ENODEV.negated());
    assertThat(kvm.kernel.ftruncate(file, 2 * PAGE)).isEqualTo(EINVAL);
  }

  @Test
  void closedUnderItsSlotItLeavesTheGuestWithoutMemory() {
    int software = kvm.createVm(Kvm.KVM_X86_SW_PROTECTED_VM());
    long ram = kvm.memory(PAGE);
    int file = kvm.guestMemfd(software, PAGE, 0);
    assertThat(kvm.region(software, 0, Kvm.KVM_MEM_GUEST_MEMFD(), 0x1000, PAGE, ram, file, 0))
        .isZero();
    assertThat(kvm.makePrivate(software, 0x1000, PAGE)).isZero();
    assertThat(kvm.kernel.close(file)).isZero();
    int vcpu = kvm.createVcpu(software, 0);
    MemorySegment run = kvm.run(vcpu);
    MachineCode.begin(kvm, vcpu, 0x1000);
    assertThat(kvm.enter(vcpu, run)).isEqualTo("-14 fault 0x1000 0x1000 8");
    assertThat(kvm.region(software, 0, 0, 0, 0, 0)).isZero();
  }

  @Test
  void whatTheGuestWritesIsSeenWhereItIsMapped() {
    int file = kvm.guestMemfd(vm, PAGE, MMAP | INIT_SHARED);
    long mapped = kvm.kernel.mmap(0, PAGE, BOTH, Libc.MAP_SHARED(), file, 0);
    MemorySegment memory = kvm.memoryAt(mapped, PAGE);
    // mov byte [0x1800], 0x5a; hlt
    MachineCode.put(memory, 0xc6, 0x06, 0x00, 0x18, 0x5a, 0xf4);
    // The host's address is not used: the file can be mapped, so the slot is the file's only.
    assertThat(kvm.region(vm, 0, Kvm.KVM_MEM_GUEST_MEMFD(), 0x1000, PAGE, 0, file, 0)).isZero();
    int vcpu = kvm.createVcpu(vm, 0);
    MachineCode.begin(kvm, vcpu, 0x1000);
    assertThat(kvm.enter(vcpu, kvm.run(vcpu))).isEqualTo("0 reason 5");
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0x800)).isEqualTo((byte) 0x5a);
  }
}
