package dev.iolite.vfio;

import static dev.iolite.vfio.LabDevice.EDU;
import static dev.iolite.vfio.LabDevice.KERNEL;
import static dev.iolite.vfio.LabDevice.NVME;
import static dev.iolite.vfio.LabDevice.VFIO_PCI;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciCapability;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.PciResource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The PCI functions of the lab, and the change of their drivers. */
@Tag("lab")
class DriverBindingLabTest {
  private static final String BRIDGE = "0000:00:04.0";

  @Test
  void listsTheMachinesFunctions() {
    assertThat(new Pci(KERNEL).devices())
        .extracting(PciDevice::toString)
        .contains(EDU, NVME, BRIDGE, "0000:01:01.0", "0000:01:02.0")
        .isSorted();
    assertThatThrownBy(() -> new Pci(KERNEL).device(PciAddress.parse("00:1e.7")))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("0000:00:1e.7");
  }

  @Test
  @Tag("stock")
  void tellsAllOfAFunction() {
    PciDevice nvme = LabDevice.pci(NVME);

    assertThat(nvme.vendor()).isEqualTo(0x1b36);
    assertThat(nvme.device()).isEqualTo(0x0010);
    assertThat(nvme.subsystemVendor()).isEqualTo(0x1af4);
    assertThat(nvme.subsystemDevice()).isEqualTo(0x1100);
    assertThat(nvme.className()).isEqualTo("NVMe controller");
    assertThat(nvme.driver()).contains("nvme");
    assertThat(nvme.driverOverride()).isEmpty();
    assertThat(nvme.iommuGroup().orElseThrow().members()).hasSize(1);
    assertThat(nvme.iommuGroup().orElseThrow().usedByHost()).hasSize(1);
    PciResource bar0 = nvme.resources().getFirst();
    assertThat(bar0.name()).isEqualTo("BAR0");
    assertThat(bar0.isMemory() && bar0.is64Bit()).isTrue();
    assertThat(bar0.bytes()).isEqualTo(0x4000);
    assertThat(nvme.resetMethods()).contains("flr");
    assertThat(nvme.vfioCdev()).isEmpty();
    assertThat(nvme.tsm()).isEmpty();
    assertThat(nvme.numaNode()).isEmpty();
    assertThat(nvme.config().read16(0)).isEqualTo(0x1b36);
    assertThat(nvme.config().hasMemoryDecode()).isTrue();
    assertThat(nvme.config().capabilities())
        .extracting(PciCapability::name)
        .contains("MSI-X", "PCI Express");
    assertThat(LabDevice.pci(EDU).config().capabilities())
        .extracting(PciCapability::name)
        .contains("MSI");
  }

  @Test
  void givesAFunctionBackToItsDriver() {
    PciDevice nvme = LabDevice.pci(NVME);

    try (DriverBinding binding = DriverBinding.bind(nvme, VFIO_PCI)) {
      assertThat(binding.changed()).isTrue();
      assertThat(binding.before())
          .isEqualTo(new DriverBinding.Before(Optional.of("nvme"), Optional.empty()));
      assertThat(nvme.driver()).contains(VFIO_PCI);
      assertThat(nvme.driverOverride()).contains(VFIO_PCI);
      assertThat(nvme.requireVfioCdev()).startsWith("/dev/vfio/devices/vfio");

      try (DriverBinding second = DriverBinding.bind(nvme, VFIO_PCI)) {
        assertThat(second.changed()).isFalse();
      }
      assertThat(nvme.driver()).contains(VFIO_PCI);
    }

    assertThat(nvme.driver()).contains("nvme");
    assertThat(nvme.driverOverride()).isEmpty();
  }

  @Test
  void leavesABridgeAsItIs() {
    PciDevice bridge = LabDevice.pci(BRIDGE);
    Optional<String> driver = bridge.driver();

    assertThatThrownBy(() -> DriverBinding.bind(bridge, VFIO_PCI))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("it is a bridge");

    assertThat(bridge.driver()).isEqualTo(driver);
    assertThat(bridge.driverOverride()).isEmpty();
  }

  @Test
  void bringsTheFirstDriverBackIfTheNextRefuses() {
    PciDevice nvme = LabDevice.pci(NVME);

    assertThatThrownBy(() -> DriverBinding.bind(nvme, "virtio-pci"))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("/sys/bus/pci/drivers/virtio-pci/bind");

    assertThat(nvme.driver()).contains("nvme");
    assertThat(nvme.driverOverride()).isEmpty();
  }

  /** The lab's kernel has no file system for a disk, so the mount is made up; the disk is not. */
  @Test
  void doesNotTakeAMountedDiskAway(@TempDir Path directory) throws IOException {
    assertThat(LabDevice.pci(NVME).hostUses()).isEmpty();
    String number = new SysFs(KERNEL).read("/sys/class/block/nvme0n1/dev");
    Path mounts = directory.resolve("mountinfo");
    Files.writeString(mounts, "29 1 " + number + " / /data rw - ext4 /dev/root rw\n");
    Kernel mounted =
        new ForwardingKernel(KERNEL) {
          @Override
          public int open(String path, int flags) {
            return super.open(
                path.equals("/proc/self/mountinfo") ? mounts.toString() : path, flags);
          }
        };
    PciDevice nvme = new Pci(mounted).device(PciAddress.parse(NVME));

    assertThatThrownBy(() -> DriverBinding.bind(nvme, VFIO_PCI))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("nvme0n1 is mounted at /data");
    assertThatThrownBy(() -> DriverBinding.giveBack(nvme))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("umount --all-targets /dev/nvme0n1");
    assertThat(nvme.driver()).contains("nvme");
    assertThat(nvme.driverOverride()).isEmpty();
  }

  @Test
  void saysThatThereIsNoSuchDriver() {
    PciDevice nvme = LabDevice.pci(NVME);

    assertThatThrownBy(() -> DriverBinding.bind(nvme, "no-such-driver"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("modprobe no-such-driver");
    assertThat(nvme.driver()).contains("nvme");
  }

  @Test
  void doesNotTakeAFunctionThatIsOpen() {
    PciDevice edu = LabDevice.pci(EDU);
    DriverBinding binding = DriverBinding.bind(edu, VFIO_PCI);
    VfioDevice device = LabDevice.open(edu);

    assertInUse(binding);
    device.close();
    binding.close();
    assertThat(edu.driver()).isEmpty();
  }

  @Test
  void doesNotTakeAFunctionThatIsMapped() {
    PciDevice edu = LabDevice.pci(EDU);
    DriverBinding binding = DriverBinding.bind(edu, VFIO_PCI);
    Iommufd iommufd = Iommufd.open(KERNEL);
    BoundVfioDevice device = LabDevice.open(edu).bind(iommufd);
    DeviceMemory memory = device.region(PciRegion.BAR0).map();
    device.close();
    iommufd.close();

    assertInUse(binding);
    memory.close();
    binding.close();
    assertThat(edu.driver()).isEmpty();
  }

  private static void assertInUse(DriverBinding binding) {
    assertThatThrownBy(binding::close)
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("in use by process " + ProcessHandle.current().pid());
    assertThat(binding.device().driver()).contains(VFIO_PCI);
  }
}
