package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_logging_control;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_logging_range;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_logging_report;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.ToIntFunction;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What no real device can be made to say: replies that grow, lie or never end. */
class VfioCallsTest {
  private static final long MAX = 1 << 21;
  private static final String EDU = "0000:00:02.0";

  /** How much room each call gave. */
  private final List<Integer> rooms = new ArrayList<>();

  @Test
  void asksAgainWithTheRoomThatTheReplyNeeds() {
    BoundVfioDevice device =
        answering(
            VfioIoctls.VFIO_DEVICE_GET_REGION_INFO,
            info -> {
              vfio_region_info.flags(info, Vfio.VFIO_REGION_INFO_FLAG_CAPS());
              vfio_region_info.size(info, 0x1000);
              if (vfio_region_info.argsz(info) < 40) {
                vfio_region_info.argsz(info, 40);
                return 0;
              }
              vfio_region_info.cap_offset(info, 32);
              info.set(ValueLayout.JAVA_LONG, 32, 0x1_0003L);
              return 0;
            });

    RegionInfo info = device.regionInfo(PciRegion.BAR3).orElseThrow();

    assertThat(rooms).containsExactly(32, 40);
    assertThat(info.index()).isEqualTo(3);
    assertThat(info.isMsixMappable()).isTrue();
  }

  @Test
  void givesUpOnAReplyThatKeepsGrowing() {
    BoundVfioDevice device =
        answering(
            VfioIoctls.VFIO_DEVICE_GET_REGION_INFO,
            info -> {
              vfio_region_info.argsz(info, vfio_region_info.argsz(info) + 8);
              return 0;
            });

    assertThatThrownBy(() -> device.regionInfo(PciRegion.BAR0))
        .isInstanceOf(MalformedReplyException.class)
        .hasMessageContaining("after 4 tries");
    assertThat(rooms).hasSize(4);
  }

  @Test
  void refusesAnAbsurdSize() {
    BoundVfioDevice device =
        answering(
            VfioIoctls.VFIO_DEVICE_GET_REGION_INFO,
            info -> {
              vfio_region_info.argsz(info, -1);
              return 0;
            });

    assertThatThrownBy(() -> device.regionInfo(PciRegion.BAR0))
        .isInstanceOf(MalformedReplyException.class)
        .hasMessageContaining("4294967295 bytes");
  }

  @Test
  void countsTheDevicesOfAHotResetBeforeItListsThem() {
    BoundVfioDevice device =
        answering(
            VfioIoctls.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
            info -> {
              vfio_pci_hot_reset_info.count(info, 3);
              if (vfio_pci_hot_reset_info.argsz(info) < 12 + 3 * 8) {
                return Errno.ENOSPC.negated();
              }
              info.set(ValueLayout.JAVA_LONG_UNALIGNED, 12, 0x1a_00_0000_ffff_ffffL);
              return 0;
            });

    HotResetInfo info = device.hotResetInfo().orElseThrow();

    assertThat(rooms).containsExactly(20, 36);
    assertThat(info.devices()).hasSize(3);
    assertThat(info.devices().getFirst()).isEqualTo(new HotResetInfo.Dependent("0000:00:03.2", -1));
  }

  @Test
  void refusesMoreDevicesThanItGaveRoomFor() {
    BoundVfioDevice device =
        answering(
            VfioIoctls.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
            info -> {
              vfio_pci_hot_reset_info.count(info, 1000);
              return 0;
            });

    assertThatThrownBy(device::hotResetInfo)
        .isInstanceOf(MalformedReplyException.class)
        .hasMessageContaining("filled in 1000 devices where there is room for 1");
  }

  @Test
  void reportsAHotResetThatNeverFits() {
    BoundVfioDevice device =
        answering(VfioIoctls.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info -> Errno.ENOSPC.negated());

    assertThatThrownBy(device::hotResetInfo)
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("ENOSPC");
  }

  @Test
  void tellsTheThreeAnswersOfAProbeApart() {
    assertThat(probe(0)).isEqualTo(FeatureSupport.SUPPORTED);
    assertThat(probe(Errno.ENOTTY.negated())).isEqualTo(FeatureSupport.NOT_SUPPORTED);
    assertThat(probe(Errno.EOPNOTSUPP.negated())).isEqualTo(FeatureSupport.NOT_SUPPORTED);
    assertThat(probe(Errno.EINVAL.negated())).isEqualTo(FeatureSupport.REFUSED);
  }

  @Test
  void aFeatureWhoseAnswerCanNotBeTakenIsNotAsked() {
    DeviceFeatures features =
        answering(
                VfioIoctls.VFIO_DEVICE_FEATURE,
                _ -> {
                  throw new AssertionError("a call");
                })
            .features();
    MemorySegment state = MemorySegment.ofArray(new long[1]);
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> features.set(VfioFeature.MIG_DEVICE_STATE, state),
            () -> features.set(VfioFeature.PCI_VF_TOKEN, state.asReadOnly()),
            () -> features.get(VfioFeature.MIGRATION, state.asReadOnly()),
            () -> features.get(VfioFeature.DMA_BUF, state))) {
      assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void doesNotResetADeviceThatCanNotBeReset() {
    BoundVfioDevice device = answering(VfioIoctls.VFIO_DEVICE_GET_INFO, _ -> 0);

    assertThat(device.reset()).isFalse();
  }

  @Test
  void aNumberThatTheCallDoesNotHaveIsNoSuccess() {
    BoundVfioDevice featured = answering(VfioIoctls.VFIO_DEVICE_FEATURE, _ -> 5);
    assertUnexpected(() -> featured.features().probe(VfioFeature.DMA_BUF));
    assertUnexpected(featured.lowPower()::enter);
    assertUnexpected(
        () -> featured.features().get(VfioFeature.MIGRATION, MemorySegment.ofArray(new long[1])));
    assertUnexpected(() -> answering(VfioIoctls.VFIO_DEVICE_GET_INFO, _ -> 5).info());
    assertUnexpected(
        () -> answering(VfioIoctls.VFIO_DEVICE_GET_IRQ_INFO, _ -> 5).irqInfo(PciIrq.INTX));
    assertUnexpected(() -> answering(VfioIoctls.VFIO_DEVICE_PCI_HOT_RESET, _ -> 5).hotReset());
  }

  private static void assertUnexpected(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("the kernel said 5, which this call does not have");
  }

  @Test
  void aPciErrorOfABindIsNoBind() {
    Kernel kernel =
        new FaultyKernel(
            MockKernel.plain(),
            Faults.none().answer(Calls.of(VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD), 1, 0x86));
    try (DriverBinding at =
            DriverBinding.bind(new Pci(kernel).device(PciAddress.parse(EDU)), "vfio-pci");
        Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice unbound = VfioDevice.open(kernel, at.device().requireVfioCdev(), EDU)) {
      assertThatThrownBy(() -> unbound.bind(iommufd))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.result()).isEqualTo(0x86))
          .hasMessageContaining("the kernel said 134: PCI's error")
          .hasMessageContaining("dmesg has the driver's reason");
      unbound.bind(iommufd).close();
    }
  }

  @Test
  void configurationSpaceIsLookedForOnce() {
    int[] queries = {0};
    Kernel kernel =
        new ForwardingKernel(MockKernel.plain()) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            queries[0] += request == VfioIoctls.VFIO_DEVICE_GET_REGION_INFO.number() ? 1 : 0;
            return super.ioctl(fd, request, argument);
          }
        };
    try (DriverBinding at =
            DriverBinding.bind(new Pci(kernel).device(PciAddress.parse(EDU)), "vfio-pci");
        Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice unbound = VfioDevice.open(kernel, at.device().requireVfioCdev(), EDU);
        BoundVfioDevice device = unbound.bind(iommufd)) {
      assertThat(device.config().vendor()).isEqualTo(0x1234);
      device.config().setMemoryDecode(true);
      assertThat(device.config().hasMemoryDecode()).isTrue();
    }
    assertThat(queries[0]).isEqualTo(1);
  }

  /** A BAR of 4 KiB in a file, of which a call moves 3 bytes at most. */
  private static Region shortRegion(MemFd file, Kernel kernel) {
    Fd fd = Fd.borrowed(kernel, FdKind.VFIO_DEVICE, file.fd().number(), "test");
    int readWrite = Vfio.VFIO_REGION_INFO_FLAG_READ() | Vfio.VFIO_REGION_INFO_FLAG_WRITE();
    return new Region(fd, new RegionInfo(0, readWrite, 4096, 0, List.of()), "test");
  }

  @Test
  void aTransferThatStopsOnTheWayIsGoneOnWith() {
    List<Long> offsets = new ArrayList<>();
    Kernel kernel =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public long pread(int fd, long address, long bytes, long offset) {
            offsets.add(offset);
            return super.pread(fd, address, Math.min(bytes, 3), offset);
          }

          @Override
          public long pwrite(int fd, long address, long bytes, long offset) {
            offsets.add(offset);
            return super.pwrite(fd, address, Math.min(bytes, 3), offset);
          }
        };
    try (MemFd file = MemFd.create(new HostKernel(), "bar", 4096)) {
      Region region = shortRegion(file, kernel);
      region.write64(0x100, 0x0102_0304_0506_0708L);
      assertThat(offsets).containsExactly(0x100L, 0x103L, 0x106L);
      assertThat(region.read64(0x100)).isEqualTo(0x0102_0304_0506_0708L);
      assertThat(offsets.subList(3, 6)).containsExactly(0x100L, 0x103L, 0x106L);
    }
  }

  @Test
  void aTransferThatDoesNotGoOnSaysHowFarItCame() {
    try (MemFd file = MemFd.create(new HostKernel(), "bar", 0x104)) {
      Region region = shortRegion(file, new HostKernel());
      assertThatThrownBy(() -> region.read64(0x100))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("read 8 bytes at 0x100 of test BAR0: the kernel did only 4");
    }
  }

  @Test
  void theLogOfDmaHasABitForEachPage() {
    BoundVfioDevice device =
        answering(
            VfioIoctls.VFIO_DEVICE_FEATURE,
            feature -> {
              assertThat(feature.get(ValueLayout.JAVA_INT, 4))
                  .isEqualTo(
                      Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT()
                          | Vfio.VFIO_DEVICE_FEATURE_GET());
              MemorySegment report = feature.asSlice(vfio_device_feature.sizeof());
              assertThat(vfio_device_feature_dma_logging_report.iova(report))
                  .isEqualTo(0x4000_0000);
              assertThat(vfio_device_feature_dma_logging_report.length(report))
                  .isEqualTo(0x14_0000);
              assertThat(vfio_device_feature_dma_logging_report.page_size(report))
                  .isEqualTo(0x4000);
              MemorySegment bits =
                  MemorySegment.ofAddress(vfio_device_feature_dma_logging_report.bitmap(report))
                      .reinterpret(16);
              bits.set(ValueLayout.JAVA_BYTE, 0, (byte) 0b1000_0001);
              bits.set(ValueLayout.JAVA_BYTE, 9, (byte) 0b1000_0000);
              // Beyond the range, which the kernel leaves as it is.
              bits.set(ValueLayout.JAVA_BYTE, 10, (byte) 1);
              return 0;
            });
    try (DirtyBitmap pages = new DirtyBitmap(0x4000_0000, 80 * 0x4000, 0x4000)) {
      assertThat(device.dmaLogging().report(pages)).isTrue();
      List<Long> written = new ArrayList<>();
      for (long page = pages.nextDirty(0); page >= 0; page = pages.nextDirty(page + 1)) {
        written.add(pages.address(page));
      }
      assertThat(written).containsExactly(0x4000_0000L, 0x4001_c000L, 0x4013_c000L);
    }
  }

  @Test
  void allRangesOfALogAreGivenAndTheDriversPageIsTaken() {
    List<String> ranges = new ArrayList<>();
    BoundVfioDevice device =
        answering(
            VfioIoctls.VFIO_DEVICE_FEATURE,
            feature -> {
              assertThat(feature.get(ValueLayout.JAVA_INT, 4))
                  .isEqualTo(
                      Vfio.VFIO_DEVICE_FEATURE_DMA_LOGGING_START()
                          | Vfio.VFIO_DEVICE_FEATURE_SET());
              MemorySegment control = feature.asSlice(vfio_device_feature.sizeof());
              int count = vfio_device_feature_dma_logging_control.num_ranges(control);
              MemorySegment array =
                  MemorySegment.ofAddress(vfio_device_feature_dma_logging_control.ranges(control))
                      .reinterpret(count * vfio_device_feature_dma_logging_range.sizeof());
              for (int i = 0; i < count; i++) {
                MemorySegment range = vfio_device_feature_dma_logging_range.asSlice(array, i);
                ranges.add(
                    "0x%x+0x%x"
                        .formatted(
                            vfio_device_feature_dma_logging_range.iova(range),
                            vfio_device_feature_dma_logging_range.length(range)));
              }
              assertThat(vfio_device_feature_dma_logging_control.page_size(control))
                  .isEqualTo(0x1000);
              vfio_device_feature_dma_logging_control.page_size(control, 0x2000);
              return 0;
            });
    OptionalLong page =
        device
            .dmaLogging()
            .start(
                List.of(IovaRange.of(0, 0xc000_0000L), IovaRange.of(1L << 32, 0x4000_0000)),
                0x1000);
    assertThat(page).hasValue(0x2000);
    assertThat(ranges).containsExactly("0x0+0xc0000000", "0x100000000+0x40000000");
  }

  private FeatureSupport probe(int result) {
    return answering(VfioIoctls.VFIO_DEVICE_FEATURE, _ -> result)
        .features()
        .probe(VfioFeature.DMA_BUF);
  }

  /** A device on which there is one ioctl, with a struct that starts with argsz. */
  private BoundVfioDevice answering(Ioctl only, ToIntFunction<MemorySegment> answer) {
    rooms.clear();
    var kernel =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            assertThat(request).isEqualTo(only.number());
            MemorySegment struct = MemorySegment.ofAddress(argument).reinterpret(MAX);
            rooms.add(struct.get(ValueLayout.JAVA_INT, 0));
            return answer.applyAsInt(struct);
          }
        };
    Fd fd = Fd.borrowed(kernel, FdKind.VFIO_DEVICE, Integer.MAX_VALUE, "test");
    return new BoundVfioDevice(fd, new DeviceId(1), "test");
  }
}
