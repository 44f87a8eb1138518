package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.VfioDevice;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What {@code iolite pci show} says of functions that are not as they should be. */
class PciShowTest {
  private static final String PHYSICAL = "0000:02:00.0";
  private static final String FIRST = "0000:02:00.1";
  private static final String EDU = "0000:00:02.0";
  private static final String HUGE = "0000:00:0a.0";

  /** As the kernel shows configuration space to a user without CAP_SYS_ADMIN. */
  private static final class PlainUser extends ForwardingKernel {
    /** For each open one, what may still be read of it, and 64 more. */
    private final Map<Integer, Integer> configs = new HashMap<>();

    PlainUser(Kernel inner) {
      super(inner);
    }

    @Override
    public int open(String path, int flags) {
      int fd = super.open(path, flags);
      if (path.endsWith("/config")) {
        configs.put(fd, 2 * 64);
      }
      return fd;
    }

    @Override
    public long read(int fd, long address, long bytes) {
      if (!configs.containsKey(fd)) {
        return super.read(fd, address, bytes);
      }
      return super.read(fd, address, Math.max(0, configs.merge(fd, -64, Integer::sum)));
    }

    @Override
    public int close(int fd) {
      configs.remove(fd);
      return super.close(fd);
    }
  }

  private static String show(Kernel kernel, String address) {
    Cli cli = Cli.runOn(kernel, "pci", "show", address);
    assertThat(cli.code()).as(cli.err()).isEqualTo(ExitCode.OK);
    return cli.out();
  }

  @Test
  void aFunctionAndItsVirtualOnesNameEachOther() {
    try (MockKernel kernel = MockKernel.builder().machine(Machine.sriov()).build()) {
      assertThat(show(kernel, PHYSICAL)).containsPattern("SR-IOV +no VFs");
      new SysFs(kernel).write("/sys/bus/pci/devices/" + PHYSICAL + "/sriov_numvfs", "2");
      assertThat(show(kernel, PHYSICAL)).containsPattern("SR-IOV +VFs 0000:02:00.1, 0000:02:00.2");
      assertThat(show(kernel, FIRST))
          .containsPattern("SR-IOV +VF of " + PHYSICAL)
          .contains("memory decode as " + PHYSICAL + " says");
    }
  }

  @Test
  void aBridgeIsNamed() {
    try (MockKernel kernel = MockKernel.plain()) {
      assertThat(show(kernel, "0000:00:04.0")).containsPattern("header +PCI bridge");
      assertThat(show(kernel, EDU)).containsPattern("header +ordinary function");
    }
  }

  @Test
  void aBarWithoutAnAddressHasNone() {
    DeviceModel huge =
        DeviceModel.memory(
            DeviceShape.builder(0x1234, 0x9999)
                .bar(Bar.memory32(0, 4096))
                .bar(Bar.memory32(1, 1L << 31))
                .build());
    try (MockKernel kernel =
        MockKernel.builder().machine(Machine.lab().function(HUGE, huge)).build()) {
      assertThat(show(kernel, HUGE))
          .containsPattern("BAR0 +0x[0-9a-f]+ +0x1000 ")
          .containsPattern("BAR1 +not assigned +0x80000000 ")
          .contains("Above 4G Decoding", "pci=realloc");
      assertThat(show(kernel, EDU)).doesNotContain("pci=realloc");
    }
  }

  @Test
  void aFunctionThatDoesNotAnswerHasNoCommandRegister() {
    try (MockKernel kernel = MockKernel.plain()) {
      PciDevice edu = new Pci(kernel).device(PciAddress.parse(EDU));
      DriverBinding.bind(edu, "vfio-pci");
      assertThat(show(kernel, EDU)).containsPattern("command +0x\\w{4}  memory decode o");
      // Who has it open keeps the kernel from forgetting it.
      try (VfioDevice _ = VfioDevice.open(kernel, edu.requireVfioCdev(), EDU)) {
        kernel.device(EDU).pullOut();
        assertThat(show(kernel, EDU))
            .contains("the device does not answer")
            .doesNotContain("memory decode")
            .containsPattern("header +unknown");
      }
    }
  }

  @Test
  void capabilitiesThatThisUserMayNotReadAreSaidToBeHidden() {
    try (MockKernel kernel = MockKernel.plain()) {
      assertThat(show(kernel, EDU)).contains("MSI").doesNotContain("hidden");
      assertThat(show(new PlainUser(kernel), EDU))
          .contains("Its capabilities are hidden from this user. Next: run as root")
          .doesNotContain("MSI");
    }
  }
}
