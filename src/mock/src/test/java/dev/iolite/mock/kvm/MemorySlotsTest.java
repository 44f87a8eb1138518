package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.kvm.Kvm;
import org.junit.jupiter.api.Test;

/** virt/kvm/kvm_main.c:kvm_set_memory_region. */
class MemorySlotsTest {
  private static final long PAGE = RawKvm.PAGE;
  private static final int EINVAL = Errno.EINVAL.negated();
  private static final int EEXIST = Errno.EEXIST.negated();
  private static final long GUEST_MEMFD = Kvm.KVM_MEM_GUEST_MEMFD();
  private static final long READONLY = Kvm.KVM_MEM_READONLY();
  private static final long LOG_DIRTY = Kvm.KVM_MEM_LOG_DIRTY_PAGES();

  private final RawKvm kvm = new RawKvm(MockKernel.plain());
  private final int vm = kvm.createVm(Kvm.KVM_X86_DEFAULT_VM());
  private final long ram = kvm.memory(16 * PAGE);

  @Test
  void theSlotNumberIsCheckedFirst() {
    assertThat(kvm.region(vm, 32764, 0, 0, PAGE, ram)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 32763, 0, 0, PAGE, ram)).isZero();
  }

  @Test
  void unknownFlagsAndThoseThatDoNotGoTogetherAreRefused() {
    assertThat(kvm.region(vm, 0, 1 << 3, 0, PAGE, ram)).isEqualTo(EINVAL);
    int file = kvm.guestMemfd(vm, PAGE, 0);
    for (long flag : new long[] {READONLY, LOG_DIRTY}) {
      assertThat(kvm.region(vm, 0, GUEST_MEMFD | flag, 0, PAGE, ram, file, 0)).isEqualTo(EINVAL);
    }
  }

  @Test
  void whatIsNotAlignedIsRefused() {
    assertThat(kvm.region(vm, 0, 0, 0, PAGE + 1, ram)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, 1, PAGE, ram)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, 0, PAGE, ram + 1)).isEqualTo(EINVAL);
  }

  @Test
  void anAddressThatNoProcessHasIsRefused() {
    assertThat(kvm.region(vm, 0, 0, 0, PAGE, 0x7fff_ffff_f000L)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, 0, PAGE, -PAGE)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, 0, PAGE, 0)).isZero();
  }

  @Test
  void guestAddressesThatWrapOrThatNoMachineHasAreRefused() {
    assertThat(kvm.region(vm, 0, 0, -PAGE, 2 * PAGE, ram)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, 1L << 52, PAGE, ram)).isEqualTo(EINVAL);
  }

  @Test
  void aSlotInTheAddressSpaceOfSystemManagementModeDoesNotMeetTheOthers() {
    assertThat(kvm.region(vm, 0, 0, 0, PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 1 << 16, 0, 0, PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 2 << 16, 0, 0, PAGE, ram)).isEqualTo(EINVAL);
    int software = kvm.createVm(Kvm.KVM_X86_SW_PROTECTED_VM());
    assertThat(kvm.region(software, 1 << 16, 0, 0, PAGE, ram)).isEqualTo(EINVAL);
  }

  @Test
  void onlyWhatIsThereCanBeDeleted() {
    assertThat(kvm.region(vm, 0, 0, 0, 0, 0)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, 0, PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 0, 0, 0, 0, 0)).isZero();
    assertThat(kvm.region(vm, 0, 0, 0, 0, 0)).isEqualTo(EINVAL);
  }

  @Test
  void aSlotCanMoveAndLogButNotBecomeAnother() {
    assertThat(kvm.region(vm, 0, 0, 0, 2 * PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 0, 0, 0, 2 * PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 0, 0, PAGE, 2 * PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 0, LOG_DIRTY, PAGE, 2 * PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 0, READONLY, PAGE, 2 * PAGE, ram)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, PAGE, PAGE, ram)).isEqualTo(EINVAL);
    assertThat(kvm.region(vm, 0, 0, PAGE, 2 * PAGE, ram + PAGE)).isEqualTo(EINVAL);
  }

  @Test
  void slotsDoNotOverlapWhenMadeOrMoved() {
    assertThat(kvm.region(vm, 0, 0, 4 * PAGE, 2 * PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 1, 0, 3 * PAGE, 2 * PAGE, ram)).isEqualTo(EEXIST);
    assertThat(kvm.region(vm, 1, 0, 5 * PAGE, PAGE, ram)).isEqualTo(EEXIST);
    assertThat(kvm.region(vm, 1, 0, 3 * PAGE, 4 * PAGE, ram)).isEqualTo(EEXIST);
    assertThat(kvm.region(vm, 1, 0, 6 * PAGE, PAGE, ram)).isZero();
    assertThat(kvm.region(vm, 1, 0, 5 * PAGE, PAGE, ram)).isEqualTo(EEXIST);
    assertThat(kvm.region(vm, 0, 0, 3 * PAGE, 2 * PAGE, ram)).isZero();
  }

  @Test
  void theOldCallKnowsFewerFlags() {
    var region = kvm.allocate(32);
    region.set(java.lang.foreign.ValueLayout.JAVA_INT, 4, (int) GUEST_MEMFD);
    assertThat(kvm.call(vm, Kvm.KVM_SET_USER_MEMORY_REGION(), region)).isEqualTo(EINVAL);
    assertThat(kvm.kernel.ioctl(vm, Kvm.KVM_SET_USER_MEMORY_REGION2(), 8))
        .isEqualTo(Errno.EFAULT.negated());
  }

  @Test
  void aSlotWithGuestMemfdIsNeverChanged() {
    int software = kvm.createVm(Kvm.KVM_X86_SW_PROTECTED_VM());
    int file = kvm.guestMemfd(software, 4 * PAGE, 0);
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, file, 0)).isZero();
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, file, 0)).isEqualTo(EINVAL);
    assertThat(kvm.region(software, 0, 0, 0, PAGE, ram)).isEqualTo(EINVAL);
    assertThat(kvm.region(software, 0, 0, 0, 0, 0)).isZero();
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, file, 0)).isZero();
  }

  @Test
  void theFileOfASlotMustBeAGuestMemfdOfTheVmAndLongEnough() {
    int software = kvm.createVm(Kvm.KVM_X86_SW_PROTECTED_VM());
    int file = kvm.guestMemfd(software, 4 * PAGE, 0);
    int others = kvm.guestMemfd(vm, 4 * PAGE, 0);
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, 999, 0))
        .isEqualTo(Errno.EBADF.negated());
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, kvm.kvm, 0)).isEqualTo(EINVAL);
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, others, 0)).isEqualTo(EINVAL);
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, file, 4 * PAGE))
        .isEqualTo(EINVAL);
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, file, 1)).isEqualTo(EINVAL);
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, PAGE, ram, file, -PAGE)).isEqualTo(EINVAL);
  }

  @Test
  void aPartOfAGuestMemfdIsInOneSlotAtMost() {
    int software = kvm.createVm(Kvm.KVM_X86_SW_PROTECTED_VM());
    int file = kvm.guestMemfd(software, 4 * PAGE, 0);
    assertThat(kvm.region(software, 0, GUEST_MEMFD, 0, 2 * PAGE, ram, file, PAGE)).isZero();
    assertThat(kvm.region(software, 1, GUEST_MEMFD, 8 * PAGE, 2 * PAGE, ram, file, 0))
        .isEqualTo(EEXIST);
    assertThat(kvm.region(software, 1, GUEST_MEMFD, 8 * PAGE, PAGE, ram, file, 2 * PAGE))
        .isEqualTo(EEXIST);
    assertThat(kvm.region(software, 1, GUEST_MEMFD, 8 * PAGE, PAGE, ram, file, 3 * PAGE)).isZero();
    assertThat(kvm.region(software, 2, GUEST_MEMFD, 9 * PAGE, PAGE, ram, file, 0)).isZero();
  }

  @Test
  void attributesAreCheckedInOrderAndNeedNoSlot() {
    int software = kvm.createVm(Kvm.KVM_X86_SW_PROTECTED_VM());
    long hidden = Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE();
    assertThat(kvm.attributes(software, 0, PAGE, hidden, 1)).isEqualTo(EINVAL);
    assertThat(kvm.attributes(software, 0, PAGE, 1, 0)).isEqualTo(EINVAL);
    assertThat(kvm.attributes(software, 0, 0, hidden, 0)).isEqualTo(EINVAL);
    assertThat(kvm.attributes(software, -PAGE, 2 * PAGE, hidden, 0)).isEqualTo(EINVAL);
    assertThat(kvm.attributes(software, 1, PAGE, hidden, 0)).isEqualTo(EINVAL);
    assertThat(kvm.attributes(software, 0, PAGE, hidden, 0)).isZero();
    assertThat(kvm.attributes(software, 0, PAGE, hidden, 0)).isZero();
    assertThat(kvm.attributes(vm, 0, PAGE, hidden, 0)).isEqualTo(EINVAL);
    assertThat(kvm.attributes(vm, 0, PAGE, 0, 0)).isZero();
  }
}
