package dev.iolite.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The checks on a machine that has all that is needed. */
@Tag("lab")
class DoctorLabTest {
  private static final String VFIO_PCI = "vfio-pci";

  private final Kernel kernel = new HostKernel();
  private final PciDevice edu = new Pci(kernel).device(PciAddress.parse("0000:00:02.0"));
  private List<String> open = List.of();

  @BeforeEach
  void look() {
    open = openFiles();
  }

  @AfterEach
  void nothingStaysOpen() {
    assertThat(openFiles()).isEqualTo(open);
    assertThat(new SysFs(kernel).read("/proc/self/maps")).doesNotContain("iolite-doctor");
  }

  private List<String> openFiles() {
    SysFs files = new SysFs(kernel);
    return files.list("/proc/self/fd").stream()
        .map(number -> files.linkName("/proc/self/fd/" + number).orElse(""))
        .filter(name -> name.matches("iommu.*|vfio\\d+|kvm|anon_inode:.*|dmabuf:.*|memfd:.*"))
        .toList();
  }

  private record Examined(List<Finding> all) {
    Finding get(String check) {
      return all.stream().filter(f -> f.check().equals(check)).findFirst().orElseThrow();
    }
  }

  private static Examined examine(Kernel kernel) {
    return new Examined(new Doctor(kernel).examine());
  }

  @Test
  void nothingThatIsNeededIsMissing() {
    Examined findings = examine(kernel);

    assertThat(findings.all()).extracting(Finding::status).doesNotContain(Finding.Status.MISSING);
    for (String check :
        List.of(
            "kernel",
            "IOMMU",
            "IOMMU groups",
            "iommufd",
            "memlock",
            VFIO_PCI,
            "VFIO cdev",
            "KVM")) {
      assertOk(findings.get(check));
    }
    assertThat(findings.get("IOMMU").observed()).isEqualTo("dmar0");
    Finding dmaBuf = findings.get("dma-buf export");
    assertThat(dmaBuf.status()).isEqualTo(Finding.Status.OPTIONAL);
    assertThat(dmaBuf.observed()).isEqualTo("not tried: no PCI device is bound to vfio-pci");
    assertThat(dmaBuf.advice().remedy()).isEqualTo(Remedy.GIVE_SPARE_TO_VFIO);
    assertThat(edu.driver()).isEmpty();
  }

  @Test
  void aFreeDeviceIsTried() {
    try (DriverBinding _ = DriverBinding.bind(edu, VFIO_PCI)) {
      Examined findings = examine(kernel);

      assertOk(findings.get("dma-buf export"));
      assertThat(findings.get("device").observed()).endsWith("opened, bound and attached");
      assertOk(findings.get("device"));
      assertOk(findings.get("VFIO cdev"));
      assertThat(findings.get("memlock").observed()).contains("2 MiB locked for 0000:00:02.0");
      assertOk(findings.get("memlock"));
      assertThat(edu.driver()).contains(VFIO_PCI);
    }
  }

  @Test
  void aDeviceThatIsInUseIsLeftAlone() {
    try (DriverBinding _ = DriverBinding.bind(edu, VFIO_PCI);
        Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice unbound = VfioDevice.open(kernel, edu.requireVfioCdev(), "edu");
        BoundVfioDevice device = unbound.bind(iommufd)) {
      Examined findings = examine(kernel);

      assertThat(findings.get("device").status()).isEqualTo(Finding.Status.MISSING);
      assertThat(findings.get("device").observed()).contains("VFIO_DEVICE_BIND_IOMMUFD", "EINVAL");
      assertThat(findings.get("device").why()).contains("another process");
      assertThat(findings.get("device").code()).contains(FindingCode.DEVICE_IN_USE);
      assertOk(findings.get("VFIO cdev"));
      assertThat(findings.get("dma-buf export").observed()).startsWith("not tried");
      assertThat(device.info().regions()).isPositive();
    }
  }

  @Test
  void aUserWhoMayNotOpenTheDeviceNeedsPermission() {
    Kernel refusing =
        new ForwardingKernel(kernel) {
          @Override
          public int open(String path, int flags) {
            return path.startsWith("/dev/vfio/devices/")
                    && (flags & dev.iolite.uapi.libc.Libc.O_PATH()) == 0
                ? Errno.EACCES.negated()
                : super.open(path, flags);
          }
        };
    try (DriverBinding _ = DriverBinding.bind(edu, VFIO_PCI)) {
      Finding device = examine(refusing).get("device");

      assertThat(device.status()).isEqualTo(Finding.Status.MISSING);
      assertThat(device.why()).contains("a security module");
      assertThat(device.code()).contains(FindingCode.DEVICE_FORBIDDEN);
    }
  }

  @Test
  void aKernelWithoutDmaBufExportIsNotEnough() {
    try (DriverBinding _ = DriverBinding.bind(edu, VFIO_PCI)) {
      Finding dmaBuf =
          examine(failing(Vfio.VFIO_DEVICE_FEATURE(), Errno.ENOTTY)).get("dma-buf export");

      assertThat(dmaBuf.status()).isEqualTo(Finding.Status.MISSING);
      assertThat(dmaBuf.next()).contains("CONFIG_VFIO_PCI_DMABUF");
      assertThat(dmaBuf.code()).contains(FindingCode.DMA_BUF_FAILED);
    }
  }

  @Test
  void memoryThatCanNotBeLockedIsAFinding() {
    try (DriverBinding _ = DriverBinding.bind(edu, VFIO_PCI)) {
      Finding memlock =
          examine(failing(dev.iolite.uapi.iommufd.Iommufd.IOMMU_IOAS_MAP(), Errno.ENOMEM))
              .get("memlock");

      assertThat(memlock.status()).isEqualTo(Finding.Status.MISSING);
      assertThat(memlock.observed()).contains("IOMMU_IOAS_MAP", "ENOMEM");
      assertThat(memlock.next()).contains("ulimit -l");
      assertThat(memlock.code()).contains(FindingCode.MEMLOCK_FAILED);
    }
  }

  private Kernel failing(long request, Errno errno) {
    return new ForwardingKernel(kernel) {
      @Override
      public int ioctl(int fd, long made, long argument) {
        return made == request ? errno.negated() : super.ioctl(fd, made, argument);
      }
    };
  }

  private static void assertOk(Finding finding) {
    assertThat(finding.status()).as(finding.toString()).isEqualTo(Finding.Status.OK);
  }
}
