package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_IRQ_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_REGION_INFO;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_PCI_HOT_RESET;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_RESET;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a device tells of itself. */
abstract class VfioInfoContract extends VfioContract {
  private static final int READABLE = Vfio.VFIO_REGION_INFO_FLAG_READ();
  private static final int WRITABLE = Vfio.VFIO_REGION_INFO_FLAG_WRITE();
  private static final int MAPPABLE = Vfio.VFIO_REGION_INFO_FLAG_MMAP();
  private static final int HEAD = 24;

  private int device = NO_FD;

  VfioInfoContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void bindDevice() {
    device = boundDevice();
  }

  @Test
  void aPciDeviceHasNineRegionsAndFiveInterrupts() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_info
    MemorySegment info = sized(vfio_device_info.layout());
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, info));
    assertThat(vfio_device_info.flags(info) & Vfio.VFIO_DEVICE_FLAGS_PCI()).isNotZero();
    assertThat(vfio_device_info.num_regions(info)).isEqualTo(9);
    assertThat(vfio_device_info.num_irqs(info)).isEqualTo(5);
  }

  @Test
  void aDeviceThatCanNotBeResetSaysSo() {
    // vfio_pci_core.c:vfio_pci_core_enable: reset_works
    MemorySegment info = sized(vfio_device_info.layout());
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, info));
    assertThat(vfio_device_info.flags(info) & Vfio.VFIO_DEVICE_FLAGS_RESET()).isZero();
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_RESET, 0));
  }

  @Test
  void infoOfADeviceWithoutCapabilitiesHasNoneAndKeepsItsSize() {
    // vfio_pci_core.c:vfio_pci_info_atomic_cap: only below a PCIe port
    MemorySegment info = sized(vfio_device_info.layout());
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, info));
    assertThat(vfio_device_info.flags(info) & Vfio.VFIO_DEVICE_FLAGS_CAPS()).isZero();
    assertThat(vfio_device_info.cap_offset(info)).isZero();
    assertThat(vfio_device_info.argsz(info)).isEqualTo((int) info.byteSize());
  }

  @Test
  void infoNeedsSixteenBytesAndWritesNoMoreThanThereAre() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_info
    MemorySegment info = zeros(32).fill((byte) 0x55);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_INFO, shortened(info, 15)));
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, shortened(info, 16)));
    assertThat(vfio_device_info.cap_offset(info)).isEqualTo(0x5555_5555);
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, shortened(info, 20)));
    assertThat(vfio_device_info.cap_offset(info)).isZero();
  }

  @Test
  void infoIntoNowhereIsAFault() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_info
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_GET_INFO, NOWHERE));
  }

  @Test
  void barZeroOfEduIsReadWrittenAndMapped() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_region_info
    MemorySegment region = region(device, BAR0);
    assertThat(vfio_region_info.size(region)).isEqualTo(EDU_BYTES);
    assertThat(vfio_region_info.offset(region)).isZero();
    assertThat(vfio_region_info.flags(region)).isEqualTo(READABLE | WRITABLE | MAPPABLE);
    assertThat(vfio_region_info.argsz(region)).isEqualTo((int) region.byteSize());
    assertThat(vfio_region_info.cap_offset(region)).isZero();
  }

  @Test
  void aBarThatIsNotThereHasNoBytesAndNoFlags() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_region_info
    for (int bar = 1; bar < 6; bar++) {
      MemorySegment region = region(device, bar);
      assertThat(vfio_region_info.size(region)).isZero();
      assertThat(vfio_region_info.flags(region)).isZero();
      assertThat(vfio_region_info.offset(region)).isEqualTo(offset(bar));
    }
  }

  @Test
  void configSpaceIsReadAndWrittenButNotMapped() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_region_info: cfg_size
    MemorySegment region = region(device, CONFIG);
    assertThat(vfio_region_info.size(region)).isEqualTo(256);
    assertThat(vfio_region_info.flags(region)).isEqualTo(READABLE | WRITABLE);
    assertThat(vfio_region_info.offset(region)).isEqualTo(offset(CONFIG));
  }

  @Test
  void aRomThatIsNotThereHasNoBytes() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_region_info
    MemorySegment region = region(device, Vfio.VFIO_PCI_ROM_REGION_INDEX());
    assertThat(vfio_region_info.size(region)).isZero();
    assertThat(vfio_region_info.flags(region)).isZero();
  }

  @Test
  void onlyAGraphicsDeviceHasAVgaRegion() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_region_info: has_vga
    MemorySegment region = regionOf(Vfio.VFIO_PCI_VGA_REGION_INDEX());
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_REGION_INFO, region));
  }

  @Test
  void aRegionBeyondTheLastIsInvalid() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_region_info
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_REGION_INFO, regionOf(9)));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_REGION_INFO, regionOf(-1)));
  }

  @Test
  void regionInfoChecksItsSizeBeforeTheIndex() {
    // vfio_main.c:vfio_get_region_info
    MemorySegment region = regionOf(BAR0);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_REGION_INFO, shortened(region, 31)));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_GET_REGION_INFO, NOWHERE));
  }

  private MemorySegment irq(int index) {
    MemorySegment irq = sized(vfio_irq_info.layout());
    vfio_irq_info.index(irq, index);
    return irq;
  }

  @Test
  void theLineInterruptCanBeMaskedAndMasksItself() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_irq_info
    MemorySegment irq = irq(Vfio.VFIO_PCI_INTX_IRQ_INDEX());
    succeeds(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq));
    assertThat(vfio_irq_info.count(irq)).isEqualTo(1);
    assertThat(vfio_irq_info.flags(irq))
        .isEqualTo(
            Vfio.VFIO_IRQ_INFO_EVENTFD()
                | Vfio.VFIO_IRQ_INFO_MASKABLE()
                | Vfio.VFIO_IRQ_INFO_AUTOMASKED());
  }

  @Test
  void messageInterruptsAreSetAllAtOnce() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_irq_info
    MemorySegment irq = irq(Vfio.VFIO_PCI_MSI_IRQ_INDEX());
    succeeds(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq));
    assertThat(vfio_irq_info.count(irq)).isEqualTo(1);
    assertThat(vfio_irq_info.flags(irq))
        .isEqualTo(Vfio.VFIO_IRQ_INFO_EVENTFD() | Vfio.VFIO_IRQ_INFO_NORESIZE());
  }

  @Test
  void aDeviceWithoutMsixHasNoneOfThem() {
    // vfio_pci_core.c:vfio_pci_get_irq_count
    MemorySegment irq = irq(Vfio.VFIO_PCI_MSIX_IRQ_INDEX());
    succeeds(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq));
    assertThat(vfio_irq_info.count(irq)).isZero();
  }

  @Test
  void everyDeviceReportsErrors() {
    // vfio_pci_core.c:vfio_pci_get_irq_count: PCIe or not
    MemorySegment irq = irq(Vfio.VFIO_PCI_ERR_IRQ_INDEX());
    succeeds(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq));
    assertThat(vfio_irq_info.count(irq)).isEqualTo(1);
  }

  @Test
  void everyDeviceMayBeAskedFor() {
    // vfio_pci_core.c:vfio_pci_get_irq_count: the request interrupt
    MemorySegment irq = irq(Vfio.VFIO_PCI_REQ_IRQ_INDEX());
    succeeds(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq));
    assertThat(vfio_irq_info.count(irq)).isEqualTo(1);
  }

  @Test
  void anInterruptBeyondTheLastIsInvalid() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_irq_info
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq(5)));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, irq(-1)));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, shortened(irq(0), 15)));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, NOWHERE));
  }

  @Test
  void aDeviceOnTheRootBusHasNoHotReset() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_pci_hot_reset_info: neither slot nor bus
    MemorySegment info = sized(vfio_pci_hot_reset_info.layout());
    fails(Errno.ENODEV, ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info));
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, shortened(info, 11)));
  }

  @Test
  void aHotResetChecksItsArgumentBeforeItsPossibility() {
    // vfio_pci_core.c:vfio_pci_ioctl_pci_hot_reset
    MemorySegment reset = sized(vfio_pci_hot_reset.layout());
    fails(Errno.ENODEV, ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, reset));
    vfio_pci_hot_reset.count(reset, 1);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, reset));
    vfio_pci_hot_reset.count(reset, 0);
    vfio_pci_hot_reset.flags(reset, 1);
    fails(Errno.EINVAL, ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, reset));
    fails(Errno.EFAULT, ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, NOWHERE));
  }

  @Test
  void theSizeOfAnInfoDecidesWhatIsWritten() {
    // vfio_pci_core.c:vfio_pci_ioctl_get_info: min of argsz and its own
    MemorySegment info = zeros(64).fill((byte) 0x55);
    succeeds(ioctl(device, VFIO_DEVICE_GET_INFO, shortened(info, HEAD)));
    assertThat(vfio_device_info.argsz(info)).isEqualTo(HEAD);
    assertThat(info.get(ValueLayout.JAVA_INT, HEAD)).isEqualTo(0x5555_5555);
  }
}
