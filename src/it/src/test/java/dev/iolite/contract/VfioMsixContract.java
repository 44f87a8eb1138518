package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_IRQ_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_REGION_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_RESET;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_SET_IRQS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_info_cap_header;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_irq_set;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A device that has MSI-X, power states and a reset. */
abstract class VfioMsixContract extends VfioContract {
  private static final int MSIX = Vfio.VFIO_PCI_MSIX_IRQ_INDEX();
  private static final int EVENTFD =
      Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
  private static final int NONE =
      Vfio.VFIO_IRQ_SET_DATA_NONE() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER();
  private static final int MSIX_CAPABILITY = 0x11;
  private static final int POWER_CAPABILITY = 0x01;
  private static final int EXPRESS_CAPABILITY = 0x10;
  private static final int HEAD = 20;
  private static final long ENABLE = 0x8000;

  private int device = NO_FD;

  VfioMsixContract(Backend backend) {
    super(backend, Backend.NVME);
  }

  @BeforeEach
  void enable() {
    device = enabledDevice();
  }

  /** Where a capability of configuration space is. */
  private long capability(int id) {
    long at = read(device, CONFIG, 0x34, 1);
    while (at != 0 && read(device, CONFIG, at, 1) != id) {
      at = read(device, CONFIG, at + 1, 1);
    }
    assertThat(at).as("capability %x", id).isNotZero();
    return at;
  }

  private int irqs(int flags, int start, int count, int... fds) {
    MemorySegment set = sized(HEAD + 4 * fds.length);
    vfio_irq_set.flags(set, flags);
    vfio_irq_set.index(set, MSIX);
    vfio_irq_set.start(set, start);
    vfio_irq_set.count(set, count);
    for (int i = 0; i < fds.length; i++) {
      set.set(ValueLayout.JAVA_INT, HEAD + 4L * i, fds[i]);
    }
    return ioctl(device, VFIO_DEVICE_SET_IRQS, set);
  }

  private long bytes() {
    return vfio_region_info.size(region(device, BAR0));
  }

  @Test
  void aDeviceThatCanBeResetSaysSo() {
    // vfio_pci_core.c:vfio_pci_core_enable: reset_works
    MemorySegment info = sized(vfio_device_info.layout());
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, info));
    assertThat(vfio_device_info.flags(info) & Vfio.VFIO_DEVICE_FLAGS_RESET()).isNotZero();
    succeeds(ioctl(device, VFIO_DEVICE_RESET, 0));
  }

  @Test
  void theBarOfTheTableIsMappableAndSaysSo() {
    // vfio_pci_core.c:msix_mmappable_cap
    MemorySegment region = sized(vfio_region_info.sizeof() + 64);
    vfio_region_info.index(region, BAR0);
    succeeds(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, region));
    assertThat(vfio_region_info.flags(region) & Vfio.VFIO_REGION_INFO_FLAG_CAPS()).isNotZero();
    assertThat(vfio_region_info.flags(region) & Vfio.VFIO_REGION_INFO_FLAG_MMAP()).isNotZero();
    long at = vfio_region_info.cap_offset(region);
    assertThat(at).isEqualTo(vfio_region_info.sizeof());
    MemorySegment capability = region.asSlice(at);
    assertThat(vfio_info_cap_header.id(capability))
        .isEqualTo((short) Vfio.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE());
    assertThat(vfio_info_cap_header.next(capability)).isZero();
    assertThat(vfio_info_cap_header.version(capability)).isEqualTo((short) 1);
  }

  @Test
  void withoutRoomForCapabilitiesTheSizeThatIsNeededIsTold() {
    // vfio_main.c:vfio_get_region_info
    MemorySegment region = region(device, BAR0);
    assertThat(vfio_region_info.flags(region) & Vfio.VFIO_REGION_INFO_FLAG_CAPS()).isNotZero();
    assertThat(vfio_region_info.cap_offset(region)).isZero();
    assertThat(vfio_region_info.argsz(region)).isEqualTo((int) vfio_region_info.sizeof() + 8);
  }

  @Test
  void everyVectorIsCounted() {
    // vfio_pci_core.c:vfio_pci_get_irq_count: as the table's size in configuration space
    long control = read(device, CONFIG, capability(MSIX_CAPABILITY) + 2, 2);
    MemorySegment irq = sized(vfio_irq_info.layout());
    vfio_irq_info.index(irq, MSIX);
    succeeds(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq));
    assertThat(vfio_irq_info.count(irq)).isEqualTo((int) (control & 0x7ff) + 1);
  }

  @Test
  void vectorsMayBeAddedOneByOne() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_irq_info: has_dyn_msix
    MemorySegment irq = sized(vfio_irq_info.layout());
    vfio_irq_info.index(irq, MSIX);
    succeeds(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq));
    assertThat(vfio_irq_info.flags(irq)).isEqualTo(Vfio.VFIO_IRQ_INFO_EVENTFD());
  }

  @Test
  void threeVectorsHaveThreeEventfds() {
    // vfio_pci_intrs.c:vfio_msi_set_block
    int[] events = {eventfd(), eventfd(), eventfd()};
    succeeds(irqs(EVENTFD, 0, 3, events));
    succeeds(irqs(NONE, 1, 2));
    assertThat(signals(events[0])).isZero();
    assertThat(signals(events[1])).isEqualTo(1);
    assertThat(signals(events[2])).isEqualTo(1);
    succeeds(irqs(NONE, 0, 0));
  }

  @Test
  void aVectorIsAddedLater() {
    // vfio_pci_intrs.c:vfio_msi_alloc_irq: dynamic MSI-X
    int first = eventfd();
    int fifth = eventfd();
    succeeds(irqs(EVENTFD, 0, 1, first));
    succeeds(irqs(EVENTFD, 5, 1, fifth));
    succeeds(irqs(NONE, 0, 6));
    assertThat(signals(first)).isEqualTo(1);
    assertThat(signals(fifth)).isEqualTo(1);
  }

  @Test
  void aBadEventfdTakesTheOthersOfTheBlockAway() {
    // vfio_pci_intrs.c:vfio_msi_set_block: those of the block, not those before it
    int first = eventfd();
    int second = eventfd();
    succeeds(irqs(EVENTFD, 0, 1, first));
    fails(Errno.EBADF, irqs(EVENTFD, 1, 2, second, 0x7fff_fff0));
    succeeds(irqs(NONE, 0, 3));
    assertThat(signals(first)).isEqualTo(1);
    assertThat(signals(second)).isZero();
  }

  @Test
  void moreVectorsThanThereAreAreInvalid() {
    // vfio_main.c:vfio_set_irqs_validate_and_prepare
    fails(Errno.EINVAL, irqs(NONE, 2048, 1));
    fails(Errno.EINVAL, irqs(NONE, 0, 2049));
  }

  @Test
  void theTableIsEnabledThroughTheInterruptsOnly() {
    // vfio_pci_config.c: PCI_MSIX_FLAGS is not writable by the guest
    long control = capability(MSIX_CAPABILITY) + 2;
    write(device, CONFIG, control, 2, ENABLE);
    assertThat(read(device, CONFIG, control, 2) & ENABLE).isZero();
    succeeds(irqs(EVENTFD, 0, 1, eventfd()));
    assertThat(read(device, CONFIG, control, 2) & ENABLE).isEqualTo(ENABLE);
    succeeds(irqs(NONE, 0, 0));
    assertThat(read(device, CONFIG, control, 2) & ENABLE).isZero();
  }

  @Test
  void theTableIsHiddenFromReadsAndWrites() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw: x_start, x_end
    long table = read(device, CONFIG, capability(MSIX_CAPABILITY) + 4, 4) & ~7L;
    write(device, BAR0, table, 4, 0x1234);
    assertThat(read(device, BAR0, table, 4)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void theTablesPagesMayBecomeADmaBuf() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf does not look for them
    dmaBuf(device, new Piece(0, bytes()));
  }

  @Test
  void aResetRevokesForAMomentOnly() {
    // vfio_pci_core.c:vfio_pci_ioctl_reset: vfio_pci_dma_buf_move off and on
    int buf = dmaBuf(device, new Piece(0, bytes()));
    int ioas = ioas();
    succeeds(mapFile(ioas, USUAL, buf, 0, bytes(), 0x100000));
    succeeds(ioctl(device, VFIO_DEVICE_RESET, 0));
    succeeds(mapFile(ioas, USUAL, buf, 0, bytes(), 0x200000));
    assertThat(unmapped(ioas, 0x100000, bytes())).isEqualTo(bytes());
  }

  @Test
  void aResetRestoresConfigSpace() {
    // drivers/pci/pci.c:pci_dev_save_and_disable, pci_dev_restore
    setCommand(device, MEMORY | MASTER);
    long bar = read(device, CONFIG, 0x10, 4);
    succeeds(ioctl(device, VFIO_DEVICE_RESET, 0));
    assertThat(command(device) & (MEMORY | MASTER)).isEqualTo(MEMORY | MASTER);
    assertThat(read(device, CONFIG, 0x10, 4)).isEqualTo(bar);
  }

  @Test
  void aResetThroughTheCapabilityRevokesToo() {
    // vfio_pci_config.c:vfio_exp_config_write: PCI_EXP_DEVCTL_BCR_FLR
    long control = capability(EXPRESS_CAPABILITY) + 8;
    int buf = dmaBuf(device, new Piece(0, bytes()));
    int ioas = ioas();
    write(device, CONFIG, control, 2, read(device, CONFIG, control, 2) | 0x8000);
    assertThat(read(device, CONFIG, control, 2) & 0x8000).isZero();
    succeeds(mapFile(ioas, USUAL, buf, 0, bytes(), 0x100000));
  }

  @Test
  void inD3TheRegistersAreGoneAndADmaBufIsRevoked() {
    // vfio_pci_config.c:vfio_pm_config_write: vfio_lock_and_set_power_state
    long control = capability(POWER_CAPABILITY) + 4;
    int buf = dmaBuf(device, new Piece(0, bytes()));
    int ioas = ioas();
    write(device, CONFIG, control, 2, 3);
    assertThat(read(device, CONFIG, control, 2) & 3).isEqualTo(3);
    fails(Errno.ENODEV, mapFile(ioas, USUAL, buf, 0, bytes(), 0x100000));
    fails(Errno.EIO, kernel.pread(device, zeros(4).address(), 4, 0));
    write(device, CONFIG, control, 2, 0);
    assertThat(read(device, CONFIG, control, 2) & 3).isZero();
    setCommand(device, MEMORY);
    succeeds(mapFile(ioas, USUAL, buf, 0, bytes(), 0x100000));
  }

  @Test
  void configSpaceOfAPcieDeviceIsLarge() {
    // vfio_pci_core.c: cfg_size
    assertThat(vfio_region_info.size(region(device, CONFIG))).isEqualTo(4096);
    assertThat(kernel.pread(device, zeros(4).address(), 4, offset(CONFIG) + 4092)).isEqualTo(4);
  }

  @Test
  void aWideBarTellsItsSizeInBothHalves() {
    // vfio_pci_config.c:vfio_bar_fixup
    write(device, CONFIG, 0x10, 4, 0xffff_ffffL);
    write(device, CONFIG, 0x14, 4, 0xffff_ffffL);
    assertThat(read(device, CONFIG, 0x10, 4)).isEqualTo((-bytes() & 0xffff_ffffL) | 4);
    assertThat(read(device, CONFIG, 0x14, 4)).isEqualTo(0xffff_ffffL);
  }

  @Test
  void aMappingSurvivesAReset() {
    // vfio_pci_core.c:vfio_pci_zap_and_down_write_memory_lock
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    long bar = mapped(mmap(device, PAGE, readWrite, Libc.MAP_SHARED(), 0), PAGE);
    int version = registers(bar).read32(8);
    succeeds(ioctl(device, VFIO_DEVICE_RESET, 0));
    assertThat(registers(bar).read32(8)).isEqualTo(version);
  }

  @Test
  void aDeviceInUseIsNotBoundAgain() {
    // vfio_main.c:vfio_df_open
    fails(Errno.EINVAL, ioctl(cdev(), VFIO_DEVICE_BIND_IOMMUFD, bindOf(iommufd)));
  }
}
