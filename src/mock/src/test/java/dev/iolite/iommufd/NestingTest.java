package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.vfio.Attachment;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an IOMMU in scalable mode can do: nesting, dirty pages, PASIDs. */
class NestingTest {
  private static final String EDU = "0000:00:02.0";
  private static final long PAGE = 4096;
  private static final long IOVA = 0x10_0000;

  private final MockKernel kernel = MockKernel.tdx();
  private final VfioUser user = new VfioUser(kernel, EDU);

  @AfterEach
  void close() {
    user.close();
    kernel.close();
  }

  private Hwpt hwpt(HwptFlag flag) {
    return user.push(
        user.iommufd()
            .allocHwpt(user.device().deviceId(), user.ioas(), Set.of(flag))
            .orElseThrow());
  }

  private NestedHwpt nested(Hwpt parent) {
    return user.push(
        user.iommufd()
            .allocNested(
                user.device().deviceId(),
                parent,
                Set.of(),
                new PageTableData.VtdStage1(0, 0, 48),
                Optional.empty())
            .orElseThrow());
  }

  private static void refuses(Errno errno, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void anInvalidationTellsHowFarItGot() {
    // drivers/iommu/intel/nested.c:intel_nested_cache_invalidate_user
    NestedHwpt nested = nested(hwpt(HwptFlag.NEST_PARENT));
    assertThat(nested.invalidate(List.of())).isEqualTo(new InvalidationResult(0, Optional.empty()));
    assertThat(
            nested.invalidate(
                List.of(Invalidation.VtdStage1.ALL, new Invalidation.VtdStage1(PAGE, 1, true))))
        .isEqualTo(new InvalidationResult(2, Optional.empty()));
    InvalidationResult half =
        nested.invalidate(
            List.of(
                Invalidation.VtdStage1.ALL,
                new Invalidation.VtdStage1(1, 1, false),
                Invalidation.VtdStage1.ALL));
    assertThat(half).isEqualTo(new InvalidationResult(1, Optional.of(Errno.EINVAL)));
    assertThat(half.isComplete()).isFalse();
    try (Arena arena = Arena.ofConfined()) {
      Invalidation one = Invalidation.VtdStage1.ALL;
      MemorySegment entries = arena.allocate(one.structBytes(), 8);
      one.fill(entries);
      assertThat(nested.invalidate(one.type(), entries, 1).isComplete()).isTrue();
      assertThat(nested.invalidate(7, entries, 1).error()).isPresent();
    }
  }

  @Test
  void aKernelThatLeavesTheCountHasDoneNothing() {
    // hw_pagetable.c:iommufd_hwpt_invalidate: not there, or a driver that has no memory
    NestedHwpt nested = nested(hwpt(HwptFlag.NEST_PARENT));
    for (Errno errno : List.of(Errno.ENOTTY, Errno.ENOMEM)) {
      Kernel refusing =
          new ForwardingKernel(kernel) {
            @Override
            public int ioctl(int fd, long request, long argument) {
              return errno.negated();
            }
          };
      Fd same =
          Fd.borrowed(refusing, FdKind.IOMMUFD, user.iommufd().fd().number(), "the same iommufd");
      assertThat(
              InvalidateCall.make(
                  same,
                  nested.id().value(),
                  List.of(Invalidation.VtdStage1.ALL, Invalidation.VtdStage1.ALL)))
          .isEqualTo(new InvalidationResult(0, Optional.of(errno)));
    }
  }

  @Test
  void requestsOfTwoKindsAreNoCall() {
    NestedHwpt nested = nested(hwpt(HwptFlag.NEST_PARENT));
    assertThatThrownBy(() ->
            nested.invalidate(
                List.of(Invalidation.VtdStage1.ALL, new Invalidation.ArmSmmuV3(0, 0))))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aDeviceIsAttachedToANestedPageTable() {
    Hwpt parent = hwpt(HwptFlag.NEST_PARENT);
    NestedHwpt nested = nested(parent);
    try (Attachment attachment = user.device().attach(nested.id())) {
      assertThat(attachment.pageTable()).isEqualTo(nested.id());
      refuses(Errno.EBUSY, nested::close);
    }
    nested.close();
    parent.close();
  }

  @Test
  void whatADeviceWroteIsDirtyUntilItIsTaken() {
    // drivers/iommu/iommufd/io_pagetable.c:iopt_read_and_clear_dirty_data
    Hwpt tracked = hwpt(HwptFlag.DIRTY_TRACKING);
    user.memory(IOVA, 3 * PAGE);
    try (DirtyBitmap dirty = new DirtyBitmap(IOVA, 3 * PAGE, PAGE);
        Attachment _ = user.device().attach(tracked.id())) {
      writeByDma(IOVA);
      tracked.takeDirty(dirty);
      assertThat(dirty.count()).as("the tracking is off").isZero();
      tracked.setDirtyTracking(true);
      writeByDma(IOVA + PAGE);
      tracked.peekDirty(dirty);
      assertThat(dirty.nextDirty(0)).isEqualTo(1);
      assertThat(dirty.count()).isEqualTo(1);
      dirty.clear();
      tracked.takeDirty(dirty);
      assertThat(dirty.isDirty(1)).isTrue();
      dirty.clear();
      tracked.takeDirty(dirty);
      assertThat(dirty.count()).isZero();
      tracked.setDirtyTracking(false);
      writeByDma(IOVA);
      tracked.takeDirty(dirty);
      assertThat(dirty.count()).isZero();
    }
  }

  /** Has edu write 8 bytes of its buffer. */
  private void writeByDma(long iova) {
    Region bar = user.device().region(PciRegion.BAR0);
    bar.write64(0x80, 0x40000);
    bar.write64(0x88, iova);
    bar.write64(0x90, 8);
    bar.write64(0x98, 1 | 2);
    while ((bar.read64(0x98) & 1) != 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aPasidIsAttachedAndDetached() {
    // drivers/vfio/iommufd.c:vfio_iommufd_physical_pasid_attach_ioas
    Hwpt first = hwpt(HwptFlag.PASID);
    Hwpt second = hwpt(HwptFlag.PASID);
    user.device().detach();
    user.push(user.device().attach(hwpt(HwptFlag.PASID).id()));
    Attachment old = user.device().attachPasid(1, first.id());
    refuses(Errno.EBUSY, first::close);
    try (Attachment moved = user.device().attachPasid(1, second.id())) {
      assertThat(moved).hasToString(user.device() + ", PASID 1 attached to " + second.id());
      first.close();
      old.close();
      refuses(Errno.EBUSY, second::close);
    }
    second.close();
    user.device().detachPasid(1);
  }

  @Test
  void thePasidOfTheDeviceItselfIsNone() {
    // drivers/iommu/iommufd/device.c:iommufd_device_attach: PASID 0 is IOMMU_NO_PASID
    Hwpt other = hwpt(HwptFlag.PASID);
    Attachment own = user.device().attach(user.ioas().id());
    for (int pasid : new int[] {0, -1}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> user.device().attachPasid(pasid, other.id()));
      assertThatIllegalArgumentException().isThrownBy(() -> user.device().detachPasid(pasid));
    }
    assertThat(own).hasToString(user.device() + " attached to " + own.pageTable());
    MemorySegment memory = user.memory(IOVA, PAGE);
    memory.set(ValueLayout.JAVA_LONG, 0, 7);
    writeByDma(IOVA);
    assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isZero();
    memory.set(ValueLayout.JAVA_LONG, 0, 7);
    own.close();
    writeByDma(IOVA);
    assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).as("detached").isEqualTo(7);
  }
}
