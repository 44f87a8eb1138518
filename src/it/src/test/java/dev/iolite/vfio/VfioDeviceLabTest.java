package dev.iolite.vfio;

import static dev.iolite.vfio.LabDevice.EDU;
import static dev.iolite.vfio.LabDevice.NVME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DeviceFaultException;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.HwptId;
import dev.iolite.kernel.IoasId;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.PciDevice;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Every call on real devices, and every answer that the lab's kernel can be made to give. */
@Tag("lab")
class VfioDeviceLabTest {
  private static final String GROUPED_EDU = "0000:01:01.0";
  private static final String GROUPED_RNG = "0000:01:02.0";
  private static final PciRegion BAR0 = PciRegion.BAR0;
  private static final long PAGE = 4096;
  private static final long EDU_BYTES = 1 << 20;
  private static final int EDU_ID = 0x0100_00ed;
  private static final long EDU_INVERTER = 0x04;
  private static final long EDU_RAISE = 0x60;
  private static final long EDU_ACKNOWLEDGE = 0x64;
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Duration NOW = Duration.ZERO;

  private List<String> openBefore = List.of();

  @BeforeEach
  void rememberWhatIsOpen() {
    openBefore = LabDevice.openFiles();
  }

  @AfterEach
  void leavesNothingBehind() {
    assertThat(LabDevice.openFiles()).containsExactlyInAnyOrderElementsOf(openBefore);
    assertThat(LabDevice.pci(EDU).driver()).isEmpty();
    assertThat(LabDevice.pci(EDU).driverOverride()).isEmpty();
    assertThat(LabDevice.pci(NVME).driver()).contains("nvme");
    assertThat(LabDevice.pci(GROUPED_RNG).driver()).contains("virtio-pci");
  }

  @Test
  void tellsAllOfEdu() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      VfioInfo info = VfioInfo.of(lab.device());

      assertThat(info.device().isPci()).isTrue();
      assertThat(info.device().canReset()).isFalse();
      assertThat(info.device().regions()).isEqualTo(9);
      assertThat(info.device().irqs()).isEqualTo(5);
      assertThat(info.regions())
          .extracting(RegionInfo::name)
          .containsExactly("BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5", "ROM", "CONFIG");
      RegionInfo bar0 = info.regions().getFirst();
      assertThat(bar0.bytes()).isEqualTo(EDU_BYTES);
      assertThat(bar0.canRead() && bar0.canWrite() && bar0.canMap()).isTrue();
      assertThat(bar0.mappableAreas()).containsExactly(new ByteRange(0, EDU_BYTES));
      assertThat(bar0.isMsixMappable()).isFalse();
      assertThat(bar0.type()).isEmpty();
      RegionInfo bar1 = info.regions().get(1);
      assertThat(bar1.bytes()).isZero();
      assertThat(bar1.mappableAreas()).isEmpty();
      assertThat(info.irqs())
          .extracting(IrqInfo::name)
          .containsExactly("INTx", "MSI", "MSI-X", "ERR", "REQ");
      IrqInfo intx = info.irqs().getFirst();
      assertThat(intx.count()).isEqualTo(1);
      assertThat(intx.canMask() && intx.isAutoMasked() && intx.canSignalEventFd()).isTrue();
      IrqInfo msi = info.irqs().get(PciIrq.MSI.index());
      assertThat(msi.count()).isEqualTo(1);
      assertThat(msi.isFixedSize()).isTrue();
      assertThat(msi.canMask()).isFalse();
      assertThat(info.irqs().get(PciIrq.MSIX.index()).count()).isZero();
      assertThat(info.features()).hasSize(VfioFeature.values().length);
      assertThat(info.hotReset()).isEmpty();
    }
  }

  @Test
  void tellsAllOfNvme() {
    try (LabDevice lab = LabDevice.of(NVME)) {
      VfioInfo info = VfioInfo.of(lab.device());

      assertThat(info.device().canReset()).isTrue();
      assertThat(info.regions().getFirst().isMsixMappable()).isTrue();
      assertThat(info.regions().getFirst().canMap()).isTrue();
      assertThat(info.irqs().get(PciIrq.MSIX.index()).count()).isPositive();
      assertThat(info.features())
          .containsEntry(VfioFeature.DMA_BUF, FeatureSupport.SUPPORTED)
          .containsEntry(VfioFeature.LOW_POWER_ENTRY, FeatureSupport.SUPPORTED)
          .containsEntry(VfioFeature.MIGRATION, FeatureSupport.NOT_SUPPORTED);
    }
  }

  @Test
  void saysWhatADeviceDoesNotHave() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      BoundVfioDevice device = lab.device();

      assertThat(device.regionInfo(PciRegion.VGA)).isEmpty();
      assertThatThrownBy(() -> device.region(PciRegion.BAR1))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("use BAR1 of " + EDU);
      assertThatThrownBy(() -> device.irqs(PciIrq.MSIX))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("use MSI-X of " + EDU);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment data = arena.allocate(8);
        assertThat(device.features().get(VfioFeature.MIGRATION, data)).isFalse();
        assertErrno(Errno.EINVAL, () -> device.features().get(VfioFeature.LOW_POWER_ENTRY, data));
        assertThatThrownBy(() -> device.features().get(VfioFeature.DMA_BUF, data))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @Test
  void isBoundOnce() {
    PciDevice pci = LabDevice.pci(EDU);
    try (CloseStack opened = new CloseStack()) {
      opened.push(DriverBinding.bind(pci, LabDevice.VFIO_PCI));
      Iommufd iommufd = opened.push(Iommufd.open(LabDevice.KERNEL));
      VfioDevice first = opened.push(LabDevice.open(pci));
      VfioDevice second = opened.push(LabDevice.open(pci));
      BoundVfioDevice bound = first.bind(iommufd);

      assertThat(bound.deviceId().value()).isPositive();
      assertThat(bound.name()).isEqualTo(EDU);
      assertThat(bound.fd().isClosed()).isFalse();
      assertThatThrownBy(first::fd).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> first.bind(iommufd)).isInstanceOf(IllegalStateException.class);
      first.close();
      assertThat(bound.info().isPci()).isTrue();

      assertErrno(Errno.EINVAL, () -> second.bind(iommufd));
      bound.close();
      opened.push(second.bind(iommufd));
    }
  }

  @Test
  void isNotBoundWhileAHostDriverUsesItsGroup() {
    PciDevice pci = LabDevice.pci(GROUPED_EDU);
    assertThat(pci.iommuGroup().orElseThrow().usedByHost())
        .extracting(member -> member.name())
        .containsExactly(GROUPED_RNG);
    try (CloseStack opened = new CloseStack()) {
      opened.push(DriverBinding.bind(pci, LabDevice.VFIO_PCI));
      Iommufd iommufd = opened.push(Iommufd.open(LabDevice.KERNEL));
      VfioDevice device = opened.push(LabDevice.open(pci));

      assertThatThrownBy(() -> device.bind(iommufd))
          .hasMessageContaining("VFIO_DEVICE_BIND_IOMMUFD")
          .hasMessageContaining(GROUPED_EDU)
          .hasMessageContaining("EPERM")
          .hasMessageContaining("same IOMMU group")
          .hasMessageContaining("Next: ");
    }
    assertThat(pci.driver()).isEmpty();
  }

  @Test
  void tellsWhomAHotResetWouldReset() {
    PciDevice edu = LabDevice.pci(GROUPED_EDU);
    try (CloseStack opened = new CloseStack()) {
      opened.push(DriverBinding.bind(LabDevice.pci(GROUPED_RNG), LabDevice.VFIO_PCI));
      opened.push(DriverBinding.bind(edu, LabDevice.VFIO_PCI));
      Iommufd iommufd = opened.push(Iommufd.open(LabDevice.KERNEL));
      BoundVfioDevice device = opened.push(opened.push(LabDevice.open(edu)).bind(iommufd));

      HotResetInfo info = device.hotResetInfo().orElseThrow();

      assertThat(info.devices())
          .containsExactlyInAnyOrder(
              new HotResetInfo.Dependent(GROUPED_EDU, device.deviceId().value()),
              new HotResetInfo.Dependent(GROUPED_RNG, 0));
      assertThat(info.areAllOwned()).isTrue();
    }
  }

  @Test
  void resetsTheGroupsOfItsBus() {
    PciDevice edu = LabDevice.pci(GROUPED_EDU);
    try (CloseStack opened = new CloseStack()) {
      opened.push(DriverBinding.bind(LabDevice.pci(GROUPED_RNG), LabDevice.VFIO_PCI));
      opened.push(DriverBinding.bind(edu, LabDevice.VFIO_PCI));
      int number = edu.iommuGroup().orElseThrow().id();
      VfioGroup group = opened.push(VfioGroup.open(LabDevice.KERNEL, "/dev/vfio/" + number));
      VfioContainer container = opened.push(VfioContainer.open(LabDevice.KERNEL));
      group.setContainer(container);
      container.setIommu(ContainerExtension.TYPE1_V2_IOMMU);
      GroupVfioDevice device = opened.push(group.device(GROUPED_EDU));

      HotResetGroups reset = device.hotResetGroups().orElseThrow();

      assertThat(reset.devices())
          .containsExactlyInAnyOrder(
              new HotResetGroups.Dependent(GROUPED_EDU, number),
              new HotResetGroups.Dependent(GROUPED_RNG, number));
      device.config().setMemoryDecode(true);
      device.hotReset(List.of(group));
      assertThat(device.region(PciRegion.BAR0).read32(0)).as("restored").isEqualTo(0x010000ed);
    }
  }

  @Test
  void attachesDetachesAndMovesOver() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      BoundVfioDevice device = lab.device();
      Ioas first = lab.iommufd().allocIoas();
      Ioas second = lab.iommufd().allocIoas();

      Attachment old = device.attach(first.id());
      assertThat(old.pageTable()).isInstanceOf(HwptId.class);
      Attachment again = device.attach(first.id());
      assertThat(again.pageTable()).isEqualTo(old.pageTable());
      Attachment moved = device.attach(second.id());
      assertThat(moved.pageTable()).isNotEqualTo(old.pageTable());

      old.close();
      assertErrno(Errno.EBUSY, second::close);
      moved.close();
      second.close();
      device.detach();
      first.close();
    }
  }

  @Test
  void isNotAttachedToWhatIsNotThere() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      assertErrno(Errno.ENOENT, () -> lab.device().attach(new IoasId(12345)));
      Ioas ioas = lab.iommufd().allocIoas();
      lab.device().attach(ioas.id()).close();
      ioas.close();
    }
  }

  @Test
  void readsAndWritesRegisters() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      switchOn(lab.device());
      Region bar = lab.device().region(BAR0);
      DeviceMemory memory = lab.push(bar.map());

      assertThat(bar.read32(0)).isEqualTo(EDU_ID);
      assertThat(memory.read32(0)).isEqualTo(EDU_ID);
      bar.write32(EDU_INVERTER, 0x1234_5678);
      assertThat(memory.read32(EDU_INVERTER)).isEqualTo(~0x1234_5678);
      memory.write32(EDU_INVERTER, 5);
      assertThat(bar.read32(EDU_INVERTER)).isEqualTo(~5);
      assertThat(memory.bytes()).isEqualTo(bar.info().bytes());

      bar.write64(0x80, 0x40000);
      assertThat(bar.read64(0x80)).isEqualTo(0x40000);
      try (DeviceMemory part = bar.map(PAGE, PAGE)) {
        assertThat(part.bytes()).isEqualTo(PAGE);
      }
    }
  }

  @Test
  void readsAndWritesConfigurationSpace() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      ConfigRegion config = lab.device().config();

      assertThat(config.vendor()).isEqualTo(0x1234);
      assertThat(config.device()).isEqualTo(0x11e8);
      config.setMemoryDecode(true);
      config.setBusMaster(true);
      assertThat(config.hasMemoryDecode() && config.hasBusMaster()).isTrue();
      config.setBusMaster(false);
      assertThat(config.hasBusMaster()).isFalse();
      assertThat(config.hasMemoryDecode()).isTrue();
      Region region = config.region();
      assertThat(region.read8(0)).isEqualTo((byte) 0x34);
      int line = 0x3c;
      region.write8(line, (byte) 7);
      assertThat(region.read8(line)).isEqualTo((byte) 7);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment header = region.read(arena.allocate(64), 0);
        region.write(header.asSlice(line, 1), line);
      }
    }
  }

  @Test
  void refusesAccessBeyondARegion() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      Region bar = lab.device().region(BAR0);

      assertThatThrownBy(() -> bar.read32(EDU_BYTES - 2))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessage(
              "4 bytes at 0xffffe are not inside 0000:00:02.0 BAR0, which has 0x100000 bytes");
      assertThatThrownBy(() -> bar.write8(-1, (byte) 0))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> bar.map(0, EDU_BYTES + 1))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> bar.map(Long.MAX_VALUE, 2))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void mapsOnlyWhatCanBeMapped() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      Region config = lab.device().region(PciRegion.CONFIG);
      Region bar = lab.device().region(BAR0);

      assertThatThrownBy(config::map)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("map 0000:00:02.0 CONFIG into this process");
      assertErrno(Errno.EINVAL, () -> bar.map(100, PAGE));
      assertErrno(Errno.EINVAL, () -> bar.map(0, 0));
    }
  }

  @Test
  void faultsWhileMemoryDecodeIsOff() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      ConfigRegion config = lab.device().config();
      switchOn(lab.device());
      Region bar = lab.device().region(BAR0);
      DeviceMemory memory = lab.push(bar.map());
      assertThat(memory.read32(0)).isEqualTo(EDU_ID);

      // First in interpreted code, then in what the compiler made of it.
      for (int round = 0; round < 2; round++) {
        config.setMemoryDecode(false);
        assertThatThrownBy(() -> memory.read32(0))
            .isInstanceOf(DeviceFaultException.class)
            .hasMessageContaining("0000:00:02.0 BAR0")
            .hasMessageContaining("memory decode is off");
        assertThatThrownBy(() -> memory.write32(EDU_INVERTER, 1))
            .isInstanceOf(DeviceFaultException.class);
        assertErrno(Errno.EIO, () -> bar.read32(0));
        config.setMemoryDecode(true);
        for (int i = 0; i < 20_000; i++) {
          if (memory.read32(0) != EDU_ID) {
            throw new AssertionError("the device answered wrong after " + i + " reads");
          }
          memory.write32(EDU_INVERTER, i);
        }
        assertThat(memory.read32(EDU_INVERTER)).isEqualTo(~19_999);
      }
    }
  }

  @Test
  void exportsDmaBufs() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      switchOn(lab.device());
      Ioas ioas = lab.iommufd().allocIoas();
      lab.push(lab.device().attach(ioas.id()));
      List<ByteRange> whole = List.of(new ByteRange(0, EDU_BYTES));
      List<ByteRange> two = List.of(new ByteRange(PAGE, PAGE), new ByteRange(0x8000, 2 * PAGE));

      try (DmaBuf buffer = lab.device().exportDmaBuf(BAR0, whole, Libc.O_RDWR());
          IovaMapping mapping =
              ioas.mapFile(0x1000_0000L, buffer.fd(), 0, EDU_BYTES, IovaAccess.READ_WRITE)) {
        assertThat(buffer.bytes()).isEqualTo(EDU_BYTES);
        assertThat(buffer.bar()).isEqualTo(BAR0);
        assertThat(mapping.bytes()).isEqualTo(EDU_BYTES);
      }
      try (DmaBuf buffer = lab.device().exportDmaBuf(BAR0, two, Libc.O_RDWR())) {
        assertThat(buffer.bytes()).isEqualTo(3 * PAGE);
        assertThat(buffer.ranges()).isEqualTo(two);
        assertErrno(
            Errno.EOPNOTSUPP,
            () -> ioas.mapFile(0, buffer.fd(), 0, 3 * PAGE, IovaAccess.READ_WRITE));
      }
    }
  }

  @Test
  void refusesWrongDmaBufs() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      switchOn(lab.device());

      assertNoDmaBuf(lab, Errno.EINVAL, BAR0, List.of());
      assertNoDmaBuf(lab, Errno.EINVAL, BAR0, List.of(new ByteRange(0, 0)));
      assertNoDmaBuf(lab, Errno.EINVAL, BAR0, List.of(new ByteRange(0, 100)));
      assertNoDmaBuf(lab, Errno.EINVAL, BAR0, List.of(new ByteRange(100, PAGE)));
      assertNoDmaBuf(lab, Errno.EINVAL, BAR0, List.of(new ByteRange(PAGE, EDU_BYTES)));
      assertNoDmaBuf(lab, Errno.ENODEV, PciRegion.CONFIG, List.of(new ByteRange(0, PAGE)));
    }
  }

  @Test
  void exportsARevokedDmaBufWhileMemoryDecodeIsOff() {
    try (LabDevice lab = LabDevice.of(EDU)) {
      Ioas ioas = lab.iommufd().allocIoas();
      lab.push(lab.device().attach(ioas.id()));
      lab.device().config().setMemoryDecode(false);
      DmaBuf buffer =
          lab.push(
              lab.device().exportDmaBuf(BAR0, List.of(new ByteRange(0, EDU_BYTES)), Libc.O_RDWR()));

      assertErrno(
          Errno.ENODEV, () -> ioas.mapFile(0, buffer.fd(), 0, EDU_BYTES, IovaAccess.READ_WRITE));
      lab.device().config().setMemoryDecode(true);
      ioas.mapFile(0, buffer.fd(), 0, EDU_BYTES, IovaAccess.READ_WRITE).close();
    }
  }

  @Test
  void signalsMessageInterrupts() {
    try (LabDevice lab = LabDevice.of(EDU);
        EventFd event = EventFd.create(LabDevice.KERNEL)) {
      switchOn(lab.device());
      Region bar = lab.device().region(BAR0);
      IrqSet irqs = lab.push(lab.device().irqs(PciIrq.MSI));
      assertThat(irqs.info().count()).isEqualTo(1);
      assertErrno(Errno.EINVAL, () -> irqs.trigger(0));

      irqs.enable(List.of(event));
      irqs.trigger(0);
      assertThat(event.await(SOON)).isEqualTo(1);
      bar.write32(EDU_RAISE, 1);
      assertThat(event.await(SOON)).isEqualTo(1);
      bar.write32(EDU_ACKNOWLEDGE, 1);

      irqs.disconnect(0);
      irqs.trigger(0);
      assertThat(event.await(NOW)).isZero();
      irqs.connect(0, event);
      irqs.trigger(0);
      assertThat(event.await(SOON)).isEqualTo(1);

      assertErrno(Errno.ENOTTY, () -> irqs.mask(0));
      assertErrno(Errno.EINVAL, () -> irqs.trigger(1));
      assertErrno(Errno.EINVAL, () -> irqs.enable(List.of(event, event)));
      irqs.close();
      assertErrno(Errno.EINVAL, () -> irqs.trigger(0));
    }
  }

  @Test
  void masksTheInterruptLineUntilItIsUnmasked() {
    try (LabDevice lab = LabDevice.of(EDU);
        EventFd event = EventFd.create(LabDevice.KERNEL)) {
      switchOn(lab.device());
      Region bar = lab.device().region(BAR0);
      IrqSet irqs = lab.push(lab.device().irqs(PciIrq.INTX));

      irqs.enable(List.of(event));
      bar.write32(EDU_RAISE, 1);
      assertThat(event.await(SOON)).isEqualTo(1);
      bar.write32(EDU_ACKNOWLEDGE, 1);

      irqs.unmask(0);
      irqs.mask(0);
      bar.write32(EDU_RAISE, 1);
      assertThat(event.await(NOW)).isZero();
      irqs.unmask(0);
      assertThat(event.await(SOON)).isEqualTo(1);
      bar.write32(EDU_ACKNOWLEDGE, 1);
    }
  }

  @Test
  void enablesOneKindOfInterruptsAtATime() {
    try (LabDevice lab = LabDevice.of(EDU);
        EventFd event = EventFd.create(LabDevice.KERNEL)) {
      IrqSet line = lab.push(lab.device().irqs(PciIrq.INTX));
      IrqSet messages = lab.push(lab.device().irqs(PciIrq.MSI));
      line.enable(List.of(event));

      assertErrno(Errno.EINVAL, () -> messages.enable(List.of(event)));
      line.close();
      messages.enable(List.of(event));
    }
  }

  @Test
  void resetsWhatCanBeReset() {
    try (LabDevice edu = LabDevice.of(EDU)) {
      assertThat(edu.device().reset()).isFalse();
    }
    try (LabDevice lab = LabDevice.of(NVME)) {
      switchOn(lab.device());
      DeviceMemory registers = lab.push(lab.device().region(BAR0).map());
      int version = 8;
      int interruptMask = 0x0c;
      int before = registers.read32(version);
      registers.write32(interruptMask, 5);
      assertThat(registers.read32(interruptMask)).isEqualTo(5);

      assertThat(lab.device().reset()).isTrue();

      lab.device().config().setMemoryDecode(true);
      assertThat(registers.read32(version)).isEqualTo(before);
      assertThat(registers.read32(interruptMask)).isZero();
    }
  }

  @Test
  void isNotOpenedWhereThereIsNothing() {
    assertThatThrownBy(() -> VfioDevice.open(LabDevice.KERNEL, "/dev/vfio/devices/vfio999", EDU))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("open on /dev/vfio/devices/vfio999 with device=" + EDU)
        .hasMessageContaining("ENOENT");
    assertThat(LabDevice.pci(EDU).vfioCdev()).isEmpty();
  }

  private static void switchOn(BoundVfioDevice device) {
    device.config().setMemoryDecode(true);
    device.config().setBusMaster(true);
  }

  private static void assertNoDmaBuf(
      LabDevice lab, Errno errno, PciRegion region, List<ByteRange> ranges) {
    assertErrno(errno, () -> lab.device().exportDmaBuf(region, ranges, Libc.O_RDWR()));
  }

  private static void assertErrno(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(call)
        .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
  }
}
