package dev.iolite.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.VfioDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the calls of an assignment look like on the lab's kernel. */
@Tag("lab")
class TracingLabTest {
  private final List<TracedCall> calls = new ArrayList<>();

  private List<String> lines() {
    return calls.stream()
        .filter(call -> call.call().equals("ioctl"))
        .map(call -> call.toString().replaceFirst("  \\d+ us$", ""))
        .toList();
  }

  @Test
  void everyIoctlOfAnAssignmentIsDecodedAndEveryDescriptorKnown() {
    HostKernel host = new HostKernel();
    Kernel kernel = new TracingKernel(host, calls::add);
    try (DriverBinding driver =
            DriverBinding.bind(new Pci(host).device(PciAddress.parse("0000:00:02.0")), "vfio-pci");
        Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice cdev = VfioDevice.open(kernel, driver.device().requireVfioCdev(), "edu");
        BoundVfioDevice device = cdev.bind(iommufd);
        Ioas ioas = iommufd.allocIoas();
        Mapping ram = Mapping.anonymous(kernel, 4096)) {
      device.attach(ioas.id());
      ioas.map(0x10000, ram.segment(), IovaAccess.READ);
      ioas.mapAnywhere(ram.segment(), IovaAccess.READ_WRITE);
      device.config().setMemoryDecode(true);
      try (DmaBuf bar =
          device.exportDmaBuf(PciRegion.BAR0, List.of(new ByteRange(0, 4096)), Libc.O_RDWR())) {
        ioas.mapFile(0x20000, bar.fd(), 0, 4096, IovaAccess.READ);
      }
      device.detach();
    }
    assertThat(lines())
        .allSatisfy(
            line -> assertThat(line).doesNotContainPattern("0x3b\\w\\w").doesNotContain("(fd "))
        .anySatisfy(line ->
            assertThat(line)
                .matches(
                    "ioctl\\(VFIO device \\d+, VFIO_DEVICE_BIND_IOMMUFD \\{argsz=0x18, .*"
                        + "\\) = 0 -> \\{out_devid=1\\}"))
        .anySatisfy(line ->
            assertThat(line)
                .matches("ioctl\\(iommufd \\d+, IOMMU_IOAS_ALLOC .*\\) = 0 -> \\{out_ioas_id=2\\}"))
        .anySatisfy(line ->
            assertThat(line)
                .matches("ioctl\\(iommufd \\d+, IOMMU_IOAS_MAP .* iova=0x10000\\}\\) = 0"))
        .anySatisfy(line ->
            assertThat(line)
                .matches(
                    "ioctl\\(iommufd \\d+, IOMMU_IOAS_MAP .* iova=0\\}\\) = 0 ->"
                        + " \\{iova=0x\\w+\\}"))
        .anySatisfy(line ->
            assertThat(line)
                .matches(
                    "ioctl\\(VFIO device \\d+, VFIO_DEVICE_FEATURE .*\\) = \\d+ -> dma-buf \\d+"));
    assertThat(calls)
        .filteredOn(call -> call.call().equals("close"))
        .extracting(call -> call.subject().replaceFirst(" \\d+$", ""))
        .contains("dma-buf", "VFIO device", "iommufd");
  }
}
