package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.iolite.doctor.DeviceInspection;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VmLaunch;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.Edu;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.steps.Holdings;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Situations that people meet: the first sentence names them, the last says what to do. */
class SituationTest {
  private static final String EDU = "0000:00:02.0";
  private static final String TOKEN = "bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3";

  @TempDir private Path directory;
  private final MockKernel kernel = MockKernel.plain();

  @AfterEach
  void exit() {
    kernel.close();
  }

  private PciDevice device(String address) {
    return new Pci(kernel).device(PciAddress.parse(address));
  }

  private Cli refused(Kernel on, String... arguments) {
    Holdings before = Holdings.of(kernel, PciAddress.parse(EDU));
    Cli cli = Cli.runOn(on, arguments);
    assertThat(cli.code()).as(cli.err()).isNotZero();
    Holdings.of(kernel, PciAddress.parse(EDU)).requireSame(before);
    return cli;
  }

  // -- VF token

  @Test
  void aVirtualFunctionOfAPhysicalOneAtVfioNeedsItsToken() {
    String virtual = "0000:00:02.1";
    try (MockKernel sriov =
        MockKernel.builder()
            .machine(new Machine().function(EDU, Edu.model()).virtualFunctions(EDU, Edu.model()))
            .build()) {
      SysFs files = new SysFs(sriov);
      PciDevice physical = new Pci(sriov).device(PciAddress.parse(EDU));
      DriverBinding.bind(physical, "vfio-pci");
      files.write("/sys/module/vfio_pci/parameters/enable_sriov", "Y");
      files.write(physical.path() + "/sriov_numvfs", "1");

      for (String command : List.of("passthrough", "vfio info", "iommu info", "tdi assign")) {
        Cli cli = Cli.runOn(sriov, command(command, virtual));
        assertThat(cli.code()).isEqualTo(ExitCode.KERNEL);
        assertThat(cli.err())
            .contains(
                ": EACCES, because the device is a virtual function of 0000:00:02.0, which is at"
                    + " vfio-pci, and no VF token was given")
            .contains(
                "Next: give the token that the user of 0000:00:02.0 has set, with --vf-token");
        assertThat(Cli.runOn(sriov, command(command, virtual, "--vf-token", TOKEN)).err())
            .contains("the VF token that was given is another");
      }

      // Who has the physical function sets the token by giving one, and makes the virtual ones
      // then; doctor finds it in use.
      files.write(physical.path() + "/sriov_numvfs", "0");
      try (DeviceInspection _ =
          new DeviceInspection(sriov, PciAddress.parse(EDU), Optional.of(UUID.fromString(TOKEN)))) {
        files.write(physical.path() + "/sriov_numvfs", "1");
        Cli doctor = Cli.runOn(sriov, "doctor");
        assertThat(doctor.code()).isEqualTo(ExitCode.CHECK_FAILED);
        assertThat(doctor.out())
            .containsPattern("VFIO cdev +OK")
            .containsPattern("device +missing");
        for (String command : List.of("passthrough", "vfio info", "iommu info", "tdi assign")) {
          Cli given = Cli.runOn(sriov, command(command, virtual, "--vf-token", TOKEN));
          assertThat(given.code()).as(given.err()).isZero();
        }
      }
    }
  }

  private String[] command(String command, String address, String... options) {
    return Stream.of(
            command.split(" ", -1),
            options,
            command.equals("tdi assign")
                ? new String[] {"--run-dir", directory.toString()}
                : new String[0],
            new String[] {address})
        .flatMap(Stream::of)
        .toArray(String[]::new);
  }

  @Test
  void aDeviceThatIsNoSuchFunctionTakesNoToken() {
    assertThat(refused(kernel, "passthrough", "--vf-token", TOKEN, EDU).err())
        .contains("EINVAL, because a VF token was given, and 0000:00:02.0 takes none")
        .contains("Next: leave --vf-token out");
  }

  // -- firmware, framebuffer

  @Test
  void aDeviceThatFirmwareWantsMappedOneToOneIsNotLent() {
    kernel.device(EDU).pci().demandOneToOne(0x7b80_0000L, 0x7bff_ffffL);

    assertThat(refused(kernel, "passthrough", EDU).err())
        .contains(
            "EINVAL, because the firmware demands that the device always reaches"
                + " 0x000000007b800000-0x000000007bffffff one to one")
        .contains("Next: switch off in the firmware what uses these ranges")
        .doesNotContain("another process");
  }

  @Test
  void aBootFramebufferThatHoldsTheBarIsNamed() {
    kernel.device(EDU).pci().hold(0, "BOOTFB");

    DriverBinding.bind(device(EDU), "vfio-pci");
    Cli doctor = Cli.runOn(kernel, "doctor");
    assertThat(doctor.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(doctor.out()).containsPattern("dma-buf export +missing").contains("'BOOTFB'");

    // The export of a dma-buf is the first call that finds it, and says ENODEV of it.
    assertThat(refused(kernel, "passthrough", EDU).err())
        .contains("ENODEV, because the host itself has 0x")
        .contains(" of BAR0 as 'BOOTFB', so vfio-pci could not reserve it")
        .contains("Next: take it from the host's driver")
        .contains("initcall_blacklist=sysfb_init");
  }

  /** As the lab's machine {@code firmware} has it. */
  @Test
  void aBarOfWhichTheFirmwareHasAPartIsNotToBeTakenFromADriver() {
    kernel.device(EDU).pci().hold(0, "PNP0C02:00");

    assertThat(refused(kernel, "passthrough", EDU).err())
        .contains(" of BAR0 as 'PNP0C02:00', so vfio-pci could not reserve it")
        .contains("Next: the firmware declares that range as its own")
        .doesNotContain("unbind", "initcall_blacklist");
  }

  // -- no IOMMU

  @Test
  void aVirtualMachineWithoutAnIommuIsSentToItsHypervisor() {
    try (MockKernel machine =
        MockKernel.builder()
            .machine(new Machine().function(EDU, Edu.model()).withoutIommu(EDU))
            .build()) {
      for (String command : List.of("pci bind", "passthrough", "vfio info")) {
        Cli cli = Cli.runOn(machine, (command + " " + EDU).split(" ", -1));
        assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
        assertThat(cli.err())
            .contains("the device has no IOMMU group")
            .contains("Next: have the hypervisor give this virtual machine an IOMMU")
            .doesNotContain("VT-d", "firmware");
      }
    }
  }

  // -- drivers

  @ParameterizedTest
  @ValueSource(strings = {"ENODEV", "EBUSY", "EINVAL", "EAGAIN", "EIO"})
  void aFailedWriteToTheBindFileNamesTheDeviceInItsAdvice(String errno) {
    Kernel failing =
        new ForwardingKernel(kernel) {
          private int bind = -1;

          @Override
          public int open(String path, int flags) {
            int fd = super.open(path, flags);
            boolean isBind = path.equals("/sys/bus/pci/drivers/vfio-pci/bind");
            bind = isBind ? fd : fd == bind ? -1 : bind;
            return fd;
          }

          @Override
          public long write(int fd, long address, long bytes) {
            return fd == bind ? Errno.valueOf(errno).negated() : super.write(fd, address, bytes);
          }
        };
    Cli cli = refused(failing, "pci", "bind", EDU);

    assertThat(cli.code()).isEqualTo(ExitCode.KERNEL);
    assertThat(cli.err())
        .contains("write on /sys/bus/pci/drivers/vfio-pci/bind with '0000:00:02.0': " + errno)
        .contains("Next: ")
        .doesNotContain("BDF", "(with the device's address)");
  }

  // -- confidential VMs

  @ParameterizedTest
  @ValueSource(strings = {"EBUSY", "ENODEV"})
  void aRefusedSevGuestSaysWhatIsLackingOnTheHost(String errno) {
    try (MockKernel sev = MockKernel.builder().platform(Platform.SEV).build()) {
      Kernel failing =
          new FaultyKernel(
              sev,
              Faults.none()
                  .fail(
                      Calls.of(KvmIoctls.KVM_MEMORY_ENCRYPT_OP),
                      1,
                      Errno.valueOf(errno),
                      Faults.When.BEFORE));
      try (Kvm kvm = Kvm.open(failing)) {
        assertThat(
                catchThrowableOfType(KernelException.class, () -> VmLaunch.begin(kvm, VmType.SNP)))
            .hasMessageStartingWith("KVM_SEV_INIT2 on ")
            .hasMessageContaining(
                errno.equals("EBUSY")
                    ? "no ASID is left for another VM of this type"
                    : "the secure processor is not there");
      }
    }
  }

  @Test
  void whatTheFirmwareSaysHasItsName() {
    try (MockKernel sev =
            MockKernel.builder()
                .platform(Platform.SEV)
                .firmware(call -> call.equals("SNP_LAUNCH_START") ? 0x17 : 0)
                .build();
        MockKernel tdx =
            MockKernel.builder()
                .platform(Platform.TDX)
                .firmware(call -> call.equals("TDH_MNG_INIT") ? 0xc000_0100_0000_0002L : 0)
                .build();
        Kvm sevKvm = Kvm.open(sev);
        Kvm tdxKvm = Kvm.open(tdx)) {
      assertThat(
              catchThrowableOfType(KernelException.class, () -> VmLaunch.begin(sevKvm, VmType.SNP)))
          .hasMessageContaining("error=0x17 (SEV_RET_RESOURCE_LIMIT)");
      assertThat(
              catchThrowableOfType(KernelException.class, () -> VmLaunch.begin(tdxKvm, VmType.TDX)))
          .hasMessageContaining("(TDX_OPERAND_INVALID)");
    }
  }

  @Test
  void aBindThatIsRefusedOnEveryDeviceIsNotOptional() {
    DriverBinding.bind(device(EDU), "vfio-pci");
    for (Errno errno : List.of(Errno.EINVAL, Errno.EBUSY, Errno.EPERM)) {
      Kernel failing =
          new FaultyKernel(
              kernel,
              Faults.none()
                  .failAll(
                      Calls.of(VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD), errno, Faults.When.BEFORE));
      Cli cli = Cli.runOn(failing, "doctor");
      assertThat(cli.code()).isEqualTo(ExitCode.CHECK_FAILED);
      assertThat(cli.out()).containsPattern("device +missing +VFIO_DEVICE_BIND_IOMMUFD");
    }
  }
}
