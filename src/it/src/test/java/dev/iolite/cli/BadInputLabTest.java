package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.VfioDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a person can get wrong, and what a machine can lack, on the lab's devices: a message with
 * cause and next step, an exit code, and nothing left bound or open.
 */
@Tag("lab")
class BadInputLabTest {
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";
  private static final String HOST_BRIDGE = "0000:00:00.0";
  private static final String EDU_IN_SHARED_GROUP = "0000:01:01.0";

  private final Kernel kernel = new HostKernel();
  private List<String> open = List.of();
  private Map<PciAddress, Optional<String>> drivers = Map.of();

  @BeforeEach
  void look() {
    open = openFiles();
    drivers = drivers();
  }

  @AfterEach
  void nothingIsLeft() {
    assertThat(openFiles()).isEqualTo(open);
    assertThat(drivers()).isEqualTo(drivers);
  }

  private List<String> openFiles() {
    SysFs files = new SysFs(kernel);
    return files.list("/proc/self/fd").stream()
        .map(number -> files.linkName("/proc/self/fd/" + number).orElse(""))
        .filter(name -> name.matches("iommu.*|vfio\\d+|kvm|anon_inode:.*|dmabuf:.*|memfd:.*"))
        .toList();
  }

  private Map<PciAddress, Optional<String>> drivers() {
    return new Pci(kernel)
        .devices().stream().collect(Collectors.toMap(PciDevice::address, PciDevice::driver));
  }

  private PciDevice device(String address) {
    return new Pci(kernel).device(PciAddress.parse(address));
  }

  private static void failsWith(Cli cli, int code, String... parts) {
    assertThat(cli.code()).as(cli.err()).isEqualTo(code);
    assertThat(cli.err())
        .contains(parts)
        .containsPattern("Usual cause: |, because ")
        .contains("Next: ");
    assertThat(cli.err()).doesNotContain("\tat ");
  }

  @Test
  void anotherDeviceOfTheGroupIsUsedByTheHost() {
    for (Cli cli :
        List.of(
            Cli.run("passthrough", EDU_IN_SHARED_GROUP),
            Cli.run("vfio", "info", EDU_IN_SHARED_GROUP))) {
      failsWith(
          cli,
          ExitCode.PRECONDITION,
          "0000:01:02.0 (virtio-pci)",
          "group",
          "Next: iolite pci bind 0000:01:02.0");
    }
  }

  @Test
  void aDeviceWithoutABarThatCanBeMapped() {
    failsWith(Cli.run("passthrough", HOST_BRIDGE), ExitCode.PRECONDITION, "BAR", HOST_BRIDGE);
  }

  @Test
  void aDriverOfTheHostHasTheDevice() {
    failsWith(Cli.run("vfio", "info", NVME), ExitCode.PRECONDITION, "nvme", "iolite pci bind");
  }

  @Test
  void aDeviceThatIsInUseIsNotTakenAway() {
    try (DriverBinding binding = DriverBinding.bind(device(EDU), "vfio-pci");
        VfioDevice _ = VfioDevice.open(kernel, device(EDU).requireVfioCdev(), EDU)) {
      failsWith(Cli.run("pci", "unbind", EDU), ExitCode.PRECONDITION, "in use by process");
      assertThat(device(EDU).driver()).contains(binding.driver());
    }
  }

  @Test
  void aDeviceThatAnotherProgramHasBound() {
    try (DriverBinding _ = DriverBinding.bind(device(EDU), "vfio-pci");
        var iommufd = dev.iolite.iommufd.Iommufd.open(kernel);
        var opened = VfioDevice.open(kernel, device(EDU).requireVfioCdev(), EDU);
        var _ = opened.bind(iommufd)) {
      failsWith(
          Cli.run("vfio", "info", EDU), ExitCode.KERNEL, "VFIO_DEVICE_BIND_IOMMUFD", "EINVAL");
    }
  }

  @Test
  void thereIsNoIommufd() throws IOException {
    without(
        "/dev/iommu",
        () -> Cli.run("passthrough", EDU),
        cli -> failsWith(cli, ExitCode.KERNEL, "open on /dev/iommu", "ENOENT", "no node of it"));
  }

  @Test
  void thereIsNoKvm() throws IOException {
    without(
        "/dev/kvm",
        () -> Cli.run("passthrough", EDU),
        cli -> failsWith(cli, ExitCode.KERNEL, "open on /dev/kvm", "ENOENT"));
  }

  @Test
  void theDevicesNodeIsMissing() throws IOException {
    try (DriverBinding _ = DriverBinding.bind(device(EDU), "vfio-pci")) {
      without(
          device(EDU).requireVfioCdev(),
          () -> Cli.run("vfio", "info", EDU),
          cli -> failsWith(cli, ExitCode.PRECONDITION, "VFIO character device", EDU));
    }
  }

  @Test
  void theUserMayNotOpenTheDevice() {
    Kernel refusing =
        new ForwardingKernel(kernel) {
          @Override
          public int open(String path, int flags) {
            return path.startsWith("/dev/vfio/") ? Errno.EACCES.negated() : super.open(path, flags);
          }
        };
    failsWith(Cli.runOn(refusing, "passthrough", EDU), ExitCode.KERNEL, "EACCES", "root");
  }

  @Test
  void theUserMayNotBindTheDevice() {
    Kernel refusing =
        new ForwardingKernel(kernel) {
          @Override
          public int open(String path, int flags) {
            return path.endsWith("/driver_override") && (flags & 1) != 0
                ? Errno.EACCES.negated()
                : super.open(path, flags);
          }
        };
    failsWith(
        Cli.runOn(refusing, "pci", "bind", EDU), ExitCode.KERNEL, "driver_override", "EACCES");
  }

  @Test
  void theProcessHasNoDescriptorsLeft() {
    Kernel full =
        new ForwardingKernel(kernel) {
          @Override
          public int eventfd(int initial, int flags) {
            return Errno.EMFILE.negated();
          }
        };
    failsWith(
        Cli.runOn(full, "passthrough", EDU), ExitCode.KERNEL, "eventfd", "EMFILE", "ulimit -n");
  }

  @Test
  void memoryForDmaIsBeyondTheLimit() {
    Kernel limited =
        new ForwardingKernel(kernel) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            return request == dev.iolite.uapi.iommufd.Iommufd.IOMMU_IOAS_MAP()
                ? Errno.ENOMEM.negated()
                : super.ioctl(fd, request, argument);
          }
        };
    failsWith(
        Cli.runOn(limited, "passthrough", EDU),
        ExitCode.KERNEL,
        "IOMMU_IOAS_MAP",
        "ENOMEM",
        "memlock");
  }

  private static void without(String node, Supplier<Cli> command, Consumer<Cli> check)
      throws IOException {
    Path away = Files.move(Path.of(node), Path.of(node + ".away"));
    try {
      check.accept(command.get());
    } finally {
      Files.move(away, Path.of(node));
    }
  }
}
