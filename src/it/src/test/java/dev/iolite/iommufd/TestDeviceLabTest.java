package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the lab's IOMMU cannot do, on the real kernel all the same: with a device and an IOMMU that
 * the kernel makes up.
 */
@Tag("lab")
class TestDeviceLabTest {
  private static final int SELFTEST = 0xdeadbeef;
  private static final ViommuType VIOMMU = new ViommuType("SELFTEST", SELFTEST);
  private static final VeventType EVENTS = new VeventType("SELFTEST", 0xbeefbeef, Integer.BYTES);
  private static final HwQueueType QUEUE = new HwQueueType("SELFTEST", SELFTEST);
  private static final int IOTLB = 0x1234;
  private static final long VIRTUAL_ID = 0x99;
  private static final long IOVA = TestDevice.APERTURE;
  private static final long PAGE = 4096;
  private static final long RAM = 16 * PAGE;

  private final Kernel kernel = new HostKernel();
  private final CloseStack opened = new CloseStack();
  private final Iommufd iommufd = opened.push(Iommufd.open(kernel));
  private final Ioas ioas = opened.push(iommufd.allocIoas());
  private final TestDevice device = opened.push(new TestDevice(iommufd, ioas));

  @BeforeEach
  void map() {
    Mapping ram = opened.push(Mapping.anonymous(kernel, RAM));
    ioas.map(IOVA, ram.segment(), IovaAccess.READ_WRITE);
  }

  @AfterEach
  void close() {
    opened.close();
  }

  private static void refuses(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(call)
        .extracting(KernelException::errno)
        .isEqualTo(errno);
  }

  private Hwpt hwpt(Set<HwptFlag> flags, Optional<FaultQueue> faults) {
    return opened.push(iommufd.allocHwpt(device.deviceId(), ioas, flags, faults).orElseThrow());
  }

  private Hwpt parent() {
    return hwpt(Set.of(HwptFlag.NEST_PARENT), Optional.empty());
  }

  private Viommu viommu() {
    return opened.push(iommufd.allocViommu(device.deviceId(), parent(), VIOMMU).orElseThrow());
  }

  /** Puts the device back to where it began, so that page tables can be destroyed. */
  private void attachUntilTheEnd(NestedHwpt hwpt) {
    device.attach(hwpt.id());
    opened.push((AutoCloseable) () -> device.attach(ioas.id()));
  }

  private static MemorySegment ints(int... values) {
    return MemorySegment.ofArray(values);
  }

  private static PageTableData nested() {
    return new PageTableData.Other(TestDevice.HWPT_DATA, ints(IOTLB));
  }

  @Test
  void theHardwareIsUnknown() {
    HwInfo info = iommufd.hwInfo(device.deviceId());
    assertThat(info.hardware())
        .isEqualTo(new IommuHardware.Unknown(0xfeedbeef, "00000000efbeadde"));
    assertThat(info.dirtyTracking()).isTrue();
    assertThat(iommufd.hwInfo(device.deviceId(), 0xfeedbeef)).isEqualTo(info);
    refuses(Errno.EOPNOTSUPP, () -> iommufd.hwInfo(device.deviceId(), 1));
  }

  @Test
  void whatWasWrittenIsDirtyUntilItIsTaken() {
    // io_pagetable.c:iopt_read_and_clear_dirty_data
    Hwpt tracked = hwpt(Set.of(HwptFlag.DIRTY_TRACKING), Optional.empty());
    try (DirtyBitmap written = new DirtyBitmap(IOVA, RAM, TestDevice.PAGE);
        DirtyBitmap dirty = new DirtyBitmap(IOVA, RAM, PAGE)) {
      tracked.setDirtyTracking(true);
      written.bits().set(ValueLayout.JAVA_BYTE, 0, (byte) 0b1000_0001);
      device.write(tracked, written);
      tracked.peekDirty(dirty);
      assertThat(dirty.count()).isEqualTo(2);
      dirty.clear();
      tracked.takeDirty(dirty);
      assertThat(dirty.nextDirty(0)).isZero();
      assertThat(dirty.nextDirty(1)).isEqualTo(3);
      assertThat(dirty.nextDirty(4)).isEqualTo(-1);
      dirty.clear();
      tracked.takeDirty(dirty);
      assertThat(dirty.count()).isZero();
      try (DirtyBitmap askew = new DirtyBitmap(IOVA + 1024, PAGE, 1024)) {
        refuses(Errno.EINVAL, () -> tracked.takeDirty(askew));
      }
      tracked.setDirtyTracking(false);
    }
  }

  @Test
  void aNestedPageTableForgetsWhatItIsTold() {
    // selftest.c:mock_domain_cache_invalidate_user
    NestedHwpt nested =
        opened.push(
            iommufd
                .allocNested(device.deviceId(), parent(), Set.of(), nested(), Optional.empty())
                .orElseThrow());
    assertThat(device.translates(nested, 0, IOTLB)).isTrue();
    InvalidationResult one = nested.invalidate(List.of(iotlb(0, 0)));
    assertThat(one).isEqualTo(new InvalidationResult(1, Optional.empty()));
    assertThat(device.translates(nested, 0, 0)).isTrue();
    assertThat(device.translates(nested, 1, IOTLB)).isTrue();
    InvalidationResult half = nested.invalidate(List.of(iotlb(0, 1), iotlb(0, 4), iotlb(0, 2)));
    assertThat(half).isEqualTo(new InvalidationResult(1, Optional.of(Errno.EINVAL)));
    assertThat(device.translates(nested, 1, 0)).isTrue();
    assertThat(device.translates(nested, 2, IOTLB)).isTrue();
    assertThat(nested.invalidate(List.of(iotlb(1, 0))).isComplete()).isTrue();
    assertThat(device.translates(nested, 3, 0)).isTrue();
    InvalidationResult foreign = nested.invalidate(List.of(Invalidation.VtdStage1.ALL));
    assertThat(foreign).isEqualTo(new InvalidationResult(0, Optional.of(Errno.EINVAL)));
    assertThat(
            iommufd.allocNested(
                device.deviceId(),
                parent(),
                Set.of(),
                new PageTableData.VtdStage1(0, 0, 48),
                Optional.empty()))
        .isEmpty();
  }

  private static Invalidation iotlb(int flags, int entry) {
    return new Invalidation.Other(SELFTEST, ints(flags, entry));
  }

  @Test
  void aViommuTakesDataAndAnswers() {
    // selftest.c:mock_viommu_init
    try (Mapping memory = Mapping.anonymous(kernel, PAGE)) {
      MemorySegment data = memory.segment().asSlice(0, 24);
      data.set(ValueLayout.JAVA_INT, 0, 7);
      opened.push(iommufd.allocViommu(device.deviceId(), parent(), VIOMMU, data).orElseThrow());
      assertThat(data.get(ValueLayout.JAVA_INT, 4)).isEqualTo(7);
      assertThat(data.get(ValueLayout.JAVA_LONG, 16)).isEqualTo(2 * PAGE);
      assertThat(iommufd.allocViommu(device.deviceId(), parent(), ViommuType.ARM_SMMUV3, data))
          .isEmpty();
    }
  }

  @Test
  void aViommuInvalidatesForItsDevices() {
    // selftest.c:mock_viommu_cache_invalidate
    Viommu viommu = viommu();
    Invalidation of = cache(0, VIRTUAL_ID, 1);
    assertThat(viommu.invalidate(List.of(of)))
        .isEqualTo(new InvalidationResult(0, Optional.of(Errno.EINVAL)));
    Vdevice vdevice = opened.push(viommu.allocVdevice(device.deviceId(), VIRTUAL_ID));
    refuses(Errno.EEXIST, () -> viommu.allocVdevice(device.deviceId(), VIRTUAL_ID + 1));
    refuses(Errno.EBUSY, viommu::close);
    assertThat(device.caches(1, TestDevice.CACHED)).isTrue();
    assertThat(viommu.invalidate(List.of(of, cache(0, VIRTUAL_ID, 9))))
        .isEqualTo(new InvalidationResult(1, Optional.of(Errno.EINVAL)));
    assertThat(device.caches(1, 0)).isTrue();
    assertThat(device.caches(2, TestDevice.CACHED)).isTrue();
    assertThat(viommu.invalidate(List.of(cache(1, VIRTUAL_ID, 0))).isComplete()).isTrue();
    assertThat(device.caches(2, 0)).isTrue();
    vdevice.close();
  }

  private static Invalidation cache(int flags, long virtualId, int entry) {
    return new Invalidation.Other(SELFTEST, ints(flags, (int) virtualId, entry));
  }

  @Test
  void faultsAreReadAndAnswered() {
    // eventq.c:iommufd_fault_fops_read, iommufd_fault_fops_write
    FaultQueue faults = opened.push(iommufd.allocFaultQueue());
    Hwpt faulting = hwpt(Set.of(), Optional.of(faults));
    device.attach(faulting.id());
    opened.push((AutoCloseable) () -> device.attach(ioas.id()));
    device.fault(5, 1 | 2, IOVA + PAGE);
    device.fault(6, 1, IOVA);
    List<PageFault> read = faults.read();
    assertThat(read).hasSize(2);
    PageFault first = read.getFirst();
    assertThat(first.device()).isEqualTo(device.deviceId());
    assertThat(first.pasid()).isEmpty();
    assertThat(first.group()).isEqualTo(5);
    assertThat(first.last()).isTrue();
    assertThat(first.wantsRead() && first.wantsWrite()).isTrue();
    assertThat(first.wantsExecute() || first.isPrivileged()).isFalse();
    assertThat(first.address()).isEqualTo(IOVA + PAGE);
    assertThat(read.get(1).wantsWrite()).isFalse();
    assertThat(faults.read()).isEmpty();
    faults.respond(first.cookie(), PageResponse.SUCCESS);
    refuses(Errno.EINVAL, () -> faults.respond(first.cookie(), PageResponse.SUCCESS));
    faults.respond(read.get(1).cookie(), PageResponse.INVALID);
  }

  @Test
  void aQueueOutlivesItsDescriptorWhileAPageTableUsesIt() {
    // eventq.c:iommufd_eventq_fops_release; hw_pagetable.c:iommufd_hwpt_alloc
    FaultQueue faults = opened.push(iommufd.allocFaultQueue());
    Hwpt faulting = hwpt(Set.of(), Optional.of(faults));
    refuses(Errno.EBUSY, faults::close);
    faulting.close();
    faults.close();
  }

  @Test
  void eventsAreReadUntilSomeAreLost() {
    // eventq.c:iommufd_veventq_fops_read; driver.c:iommufd_viommu_report_event
    Viommu viommu = viommu();
    opened.push(viommu.allocVdevice(device.deviceId(), VIRTUAL_ID));
    refuses(Errno.EINVAL, () -> viommu.allocVeventQueue(EVENTS, 0));
    VeventQueue events = opened.push(viommu.allocVeventQueue(EVENTS, 2));
    refuses(Errno.EEXIST, () -> viommu.allocVeventQueue(EVENTS, 2));
    NestedHwpt nested =
        opened.push(
            viommu.allocNested(device.deviceId(), nested(), Optional.empty()).orElseThrow());
    attachUntilTheEnd(nested);
    assertThat(events.read()).isEmpty();
    assertThat(device.event()).isZero();
    List<Vevent> one = events.read();
    assertThat(one).hasSize(1);
    assertThat(one.getFirst().sequence()).isZero();
    assertThat(one.getFirst().data().orElseThrow().get(ValueLayout.JAVA_INT, 0))
        .isEqualTo((int) VIRTUAL_ID);
    device.event();
    device.event();
    device.event();
    List<Vevent> overflow = events.read();
    assertThat(overflow).extracting(Vevent::lost).containsExactly(false, false, true);
    assertThat(overflow).extracting(Vevent::sequence).containsExactly(1, 2, 3);
  }

  /** Guest memory whose pages cannot be contiguous. */
  private IovaRange samePageTwice() {
    Mapping page = opened.push(Mapping.anonymous(kernel, PAGE));
    opened.push(ioas.map(1L << 31, page.segment(), IovaAccess.READ_WRITE));
    opened.push(ioas.map((1L << 31) + PAGE, page.segment(), IovaAccess.READ_WRITE));
    return IovaRange.of(1L << 31, 2 * PAGE);
  }

  @Test
  void hardwareQueuesAreMadeInTheirOrder() {
    // viommu.c:iommufd_hw_queue_alloc_ioctl; selftest.c:mock_hw_queue_init_phys
    Viommu viommu = viommu();
    IovaRange memory = IovaRange.of(IOVA, PAGE);
    refuses(Errno.EIO, () -> viommu.allocHwQueue(QUEUE, 1, memory));
    HwQueue first = opened.push(viommu.allocHwQueue(QUEUE, 0, memory).orElseThrow());
    refuses(Errno.EEXIST, () -> viommu.allocHwQueue(QUEUE, 0, memory));
    refuses(Errno.EINVAL, () -> viommu.allocHwQueue(QUEUE, 2, memory));
    refuses(Errno.ENOENT, () -> viommu.allocHwQueue(QUEUE, 1, IovaRange.of(1 << 30, PAGE)));
    refuses(Errno.EFAULT, () -> viommu.allocHwQueue(QUEUE, 1, samePageTwice()));
    HwQueue second = opened.push(viommu.allocHwQueue(QUEUE, 1, memory).orElseThrow());
    refuses(Errno.EBUSY, first::close);
    refuses(Errno.EBUSY, () -> ioas.unmap(IovaRange.of(IOVA, RAM)));
    assertThat(viommu.allocHwQueue(HwQueueType.TEGRA241_CMDQV, 0, memory)).isEmpty();
    second.close();
    first.close();
  }
}
