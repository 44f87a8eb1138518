package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Edu;
import dev.iolite.mock.pci.Machine;
import dev.iolite.passthrough.Passthrough;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.VfioDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Nothing is taken away from those who use it, and nothing is changed before that is known: on the
 * model, whose kernel waits as Linux does.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostSafetyTest {
  private static final String PHYSICAL = "0000:02:00.0";
  private static final String FIRST = "0000:02:00.1";
  private static final String SECOND = "0000:02:00.2";
  private static final String GPU = "0000:00:0a.0";
  private static final String PORT = "0000:00:09.0";
  private static final String BEHIND_PORT = "0000:03:00.0";
  private static final String NUM_VFS = "/sys/bus/pci/devices/" + PHYSICAL + "/sriov_numvfs";

  private final MockKernel kernel = MockKernel.builder().machine(machine()).build();
  private final SysFs sysfs = new SysFs(kernel);
  private final String me = ProcessHandle.current().pid() + " (java)";

  private static Machine machine() {
    return Machine.sriov()
        .function(GPU, Edu.model())
        .driver(GPU, "gpu")
        .node(GPU, "drm/card0", "dri/card0", 226, 0)
        .node(GPU, "drm/renderD128", "dri/renderD128", 226, 128);
  }

  @AfterEach
  void end() {
    kernel.close();
  }

  /** The kernel, of which no file is written. */
  private static class Untouched extends ForwardingKernel {
    private final List<String> written = new ArrayList<>();

    Untouched(Kernel inner) {
      super(inner);
    }

    @Override
    public int open(String path, int flags) {
      if ((flags & Libc.O_ACCMODE()) != Libc.O_RDONLY() && path.startsWith("/sys/")) {
        written.add(path);
      }
      return super.open(path, flags);
    }
  }

  private static PciDevice device(Kernel kernel, String address) {
    return new Pci(kernel).device(PciAddress.parse(address));
  }

  private PciDevice device(String address) {
    return device(kernel, address);
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> refused(ThrowingCallable call) {
    return assertThatThrownBy(call).isInstanceOf(PreconditionException.class);
  }

  /** All that takes a driver off is refused for the same reason, and touches nothing. */
  private void isLeftAlone(String address, String... reasons) {
    Untouched untouched = new Untouched(kernel);
    PciDevice device = device(untouched, address);
    Optional<String> driver = device.driver();
    DriverBinding.Before none = new DriverBinding.Before(Optional.empty(), Optional.empty());
    List<ThrowingCallable> takers = new ArrayList<>();
    if (!driver.equals(Optional.of("vfio-pci"))) {
      takers.add(() -> DriverBinding.bind(device, "vfio-pci"));
      takers.add(
          () -> new Passthrough(untouched, _ -> {}, () -> false).run(PciAddress.parse(address)));
    }
    takers.add(() -> DriverBinding.giveBack(device));
    takers.add(() -> DriverBinding.restore(device, none));
    takers.add(() -> DriverBinding.requireRestorable(device, none));
    for (ThrowingCallable taker : takers) {
      refused(taker).message().contains(reasons);
    }
    assertThat(untouched.written).isEmpty();
    assertThat(device.driver()).isEqualTo(driver);
  }

  private void makeVirtualFunctions() {
    sysfs.write(NUM_VFS, "2");
  }

  @Test
  void aPhysicalFunctionThatHasVirtualOnesIsLeftAlone() {
    makeVirtualFunctions();
    isLeftAlone(
        PHYSICAL,
        "it has VFs: " + FIRST + " (no driver), " + SECOND + " (no driver)",
        "sriov_numvfs is 2",
        "Next: echo 0 > " + NUM_VFS);
    refused(() -> DriverBinding.bind(device(PHYSICAL), "vfio-pci"))
        .isInstanceOfSatisfying(
            PreconditionException.class,
            e -> assertThat(e.advice().remedy()).as("it has its driver").isEqualTo(Remedy.NONE));

    sysfs.write(NUM_VFS, "0");
    DriverBinding.bind(device(PHYSICAL), "vfio-pci").close();
    assertThat(device(PHYSICAL).driver()).contains("nvme");
  }

  @Test
  void whoHasAVirtualFunctionOpenIsNamed() {
    makeVirtualFunctions();
    DriverBinding.bind(device(SECOND), "vfio-pci");
    try (VfioDevice _ = open(SECOND)) {
      isLeftAlone(
          PHYSICAL,
          FIRST + " (no driver), " + SECOND + " (vfio-pci, open in process " + me + ")",
          "Next: end process " + me + "; then echo 0 > ");
    }
  }

  /** The kernel would wait for the VF's user, with the PF locked, and could not be interrupted. */
  @Test
  void aPhysicalFunctionAtVfioWithAnOpenVirtualOneIsLeftAlone() throws Exception {
    sysfs.write("/sys/module/vfio_pci/parameters/enable_sriov", "Y");
    DriverBinding.bind(device(PHYSICAL), "vfio-pci");
    makeVirtualFunctions();
    assertThat(device(FIRST).driver()).contains("vfio-pci");
    CompletableFuture<Void> waits;
    try (VfioDevice _ = open(FIRST)) {
      isLeftAlone(PHYSICAL, FIRST + " (vfio-pci, open in process " + me + ")");
      // vfio_pci_core_enable would reset the PF, and the VF with it.
      refused(device(PHYSICAL)::requireAssignable).hasMessageContaining("it has VFs: " + FIRST);
      waits =
          CompletableFuture.runAsync(
              () -> sysfs.write("/sys/bus/pci/drivers/vfio-pci/unbind", PHYSICAL));
      while (device(PHYSICAL).driver().isPresent()) {
        Thread.onSpinWait();
      }
      assertThat(waits).isNotDone();
      refused(() -> DriverBinding.bind(device(PHYSICAL), "vfio-pci"))
          .hasMessageContaining("open in process " + me);
    }
    waits.get(20, TimeUnit.SECONDS);
    assertThat(device(PHYSICAL).virtualFunctions()).isEmpty();
  }

  @Test
  void aVirtualFunctionIsAssignedLikeAnyOther() {
    makeVirtualFunctions();
    assertThat(device(FIRST).physicalFunction()).contains(PciAddress.parse(PHYSICAL));
    assertThat(device(FIRST).config().answers()).isTrue();
    device(FIRST).requireAssignable();
    try (DriverBinding _ = DriverBinding.bind(device(FIRST), "vfio-pci");
        VfioDevice _ = open(FIRST)) {
      assertThat(device(FIRST).vfioCdev()).isPresent();
    }
    assertThat(device(FIRST).driver()).isEmpty();
  }

  @Test
  void aPhysicalFunctionThatItsDriverLeftGetsItBack() {
    makeVirtualFunctions();
    sysfs.write("/sys/bus/pci/drivers/nvme/unbind", PHYSICAL);
    refused(() -> DriverBinding.bind(device(PHYSICAL), "vfio-pci"))
        .isInstanceOfSatisfying(
            PreconditionException.class,
            e -> assertThat(e.advice().remedy()).isEqualTo(Remedy.GIVE_BACK))
        .hasMessageContaining("Next: give " + PHYSICAL + " a driver again")
        .hasMessageEndingWith("; then echo 0 > " + NUM_VFS);

    assertThat(DriverBinding.giveBack(device(PHYSICAL))).contains("nvme");
    sysfs.write(NUM_VFS, "0");
    assertThat(device(PHYSICAL).virtualFunctions()).isEmpty();
  }

  /** A read of sriov_numvfs would wait for the device lock. */
  @Test
  void virtualFunctionsAreCountedWithoutTheLock() throws Exception {
    makeVirtualFunctions();
    DriverBinding.bind(device(FIRST), "vfio-pci");
    CompletableFuture<Void> waits;
    try (VfioDevice _ = open(FIRST)) {
      waits = CompletableFuture.runAsync(() -> sysfs.write(NUM_VFS, "0"));
      while (device(FIRST).driver().isPresent()) {
        Thread.onSpinWait();
      }
      assertThat(PciInfo.of(device(PHYSICAL)).virtualFunctions()).hasSize(2);
      isLeftAlone(PHYSICAL, "it has VFs");
    }
    waits.get(20, TimeUnit.SECONDS);
  }

  @Test
  void aFunctionWhoseNodesAProcessHoldsIsLeftAlone() {
    try (MockKernel host =
        MockKernel.builder()
            .machine(machine().process(812, "Xorg", "/dev/null", "/dev/dri/card0"))
            .build()) {
      Untouched untouched = new Untouched(host);
      PciDevice gpu = device(untouched, GPU);
      String reason =
          "/dev/dri/card0 is open in process 812 (Xorg). Usual cause: this host uses the device"
              + " itself. Next: end process 812 (Xorg), or let it close /dev/dri/card0";
      refused(() -> DriverBinding.bind(gpu, "vfio-pci")).hasMessageEndingWith(reason);
      refused(() -> DriverBinding.giveBack(gpu)).hasMessageEndingWith(reason);
      assertThat(untouched.written).isEmpty();
    }
  }

  /** fs/proc/base.c:proc_fd_access_allowed, fs/proc/task_mmu.c:proc_maps_open. */
  @ParameterizedTest
  @EnumSource(names = {"EACCES", "EPERM"})
  void aFunctionIsLeftAloneIfAProcessHidesWhatItHasOpen(Errno errno) {
    try (MockKernel host = MockKernel.builder().machine(machine().process(812, "qemu")).build()) {
      Untouched hidden =
          new Untouched(host) {
            @Override
            public int open(String path, int flags) {
              return path.equals("/proc/812/maps") ? errno.negated() : super.open(path, flags);
            }
          };
      PciDevice gpu = device(hidden, GPU);
      String reason =
          "whether another process has the device open can't be seen (processes that hide what they"
              + " have open: 1, such as 812 (qemu))";
      refused(() -> DriverBinding.bind(gpu, "vfio-pci"))
          .message()
          .contains(reason, "Next: run it as root, with CAP_SYS_PTRACE");
      refused(() -> DriverBinding.giveBack(gpu)).hasMessageContaining(reason);
      assertThat(hidden.written).isEmpty();
    }
  }

  @Test
  void aFunctionWhoseNodesNobodyHoldsIsTaken() throws Exception {
    CompletableFuture<Void> waits;
    try (Fd _ = Fd.open(kernel, FdKind.FILE, "/dev/dri/renderD128", Libc.O_RDWR())) {
      isLeftAlone(GPU, "/dev/dri/renderD128 is open in process " + me);
      waits = CompletableFuture.runAsync(() -> sysfs.write("/sys/bus/pci/drivers/gpu/unbind", GPU));
      while (device(GPU).driver().isPresent()) {
        Thread.onSpinWait();
      }
      assertThat(waits).isNotDone();
    }
    waits.get(20, TimeUnit.SECONDS);
    DriverBinding.giveBack(device(GPU));
    try (DriverBinding _ = DriverBinding.bind(device(GPU), "vfio-pci")) {
      assertThat(sysfs.exists("/dev/dri/card0")).isFalse();
    }
    assertThat(sysfs.exists("/dev/dri/card0")).isTrue();
    assertThat(sysfs.read("/sys/dev/char/226:128/uevent")).contains("DEVNAME=dri/renderD128");
  }

  @Test
  void aBlockDeviceThatAProcessHasOpenIsNotTaken() {
    try (Fd _ = Fd.open(kernel, FdKind.FILE, "/dev/nvme1n1", Libc.O_RDONLY())) {
      isLeftAlone(PHYSICAL, "/dev/nvme1n1 is open in process " + me);
    }
  }

  @Test
  void aBridgeStaysAndItsGroupIsLentAllTheSame() {
    isLeftAlone(PORT, "it is a bridge", "bind only the devices behind it");
    assertThat(device(BEHIND_PORT).iommuGroup().orElseThrow().members())
        .extracting(IommuGroup.Member::name)
        .containsExactly(PORT, BEHIND_PORT);

    assertThat(new Passthrough(kernel, _ -> {}, () -> false).run(PciAddress.parse(BEHIND_PORT)))
        .isTrue();
    assertThat(device(PORT).driver()).contains("pcieport");
  }

  /** The VM still refers to the device's file, and no process in /proc does. */
  @Test
  void aDeviceThatOnlyAVmRefersToIsNotTaken() {
    DriverBinding.bind(device(BEHIND_PORT), "vfio-pci");
    try (Kvm kvm = Kvm.open(kernel);
        var vm = kvm.createVm(VmType.DEFAULT);
        var kvmDevice = vm.createVfioDevice();
        var iommufd = Iommufd.open(kernel)) {
      VfioDevice unbound = open(BEHIND_PORT);
      kvmDevice.add(unbound);
      unbound.bind(iommufd).close();
      isLeftAlone(BEHIND_PORT, "no process that can be seen has it open");
    }
    DriverBinding.giveBack(device(BEHIND_PORT));
  }

  @Test
  void aBarWithoutAnAddressIsSeenBeforeAnythingIsChanged() {
    DeviceModel huge =
        DeviceModel.memory(
            DeviceShape.builder(0x1234, 0x9999).bar(Bar.memory32(0, 1L << 31)).build());
    try (MockKernel host =
        MockKernel.builder().machine(Machine.lab().function(GPU, huge)).build()) {
      assertThat(device(host, GPU).resources()).singleElement().matches(bar -> !bar.isAssigned());
      Untouched untouched = new Untouched(host);
      refused(() -> new Passthrough(untouched, _ -> {}, () -> false).run(PciAddress.parse(GPU)))
          .hasMessageContaining("BAR0 not assigned");
      assertThat(untouched.written).isEmpty();
      try (DriverBinding _ = DriverBinding.bind(device(host, GPU), "vfio-pci");
          VfioDevice unbound = VfioDevice.open(host, device(host, GPU).requireVfioCdev(), GPU);
          var iommufd = Iommufd.open(host)) {
        // drivers/pci/setup-res.c:pci_enable_resources
        assertThatThrownBy(() -> unbound.bind(iommufd)).hasMessageContaining("EINVAL");
      }
    }
  }

  @Test
  void aDeviceThatHasFallenOffIsSeenBeforeAnythingIsChanged() {
    DriverBinding.bind(device(BEHIND_PORT), "vfio-pci");
    try (VfioDevice _ = open(BEHIND_PORT)) {
      kernel.device(BEHIND_PORT).pullOut();
      assertThat(PciInfo.of(device(BEHIND_PORT)).answers()).isFalse();
      refused(device(BEHIND_PORT)::requireAssignable).hasMessageContaining("does not answer");
    }
  }

  private VfioDevice open(String address) {
    return VfioDevice.open(kernel, device(address).requireVfioCdev(), address);
  }
}
