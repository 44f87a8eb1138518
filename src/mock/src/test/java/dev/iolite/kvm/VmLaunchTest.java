package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.uapi.catalog.KvmIoctls;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** VMs of every type that can be launched, from nothing to their guest's first instruction. */
class VmLaunchTest {
  private static final Duration DEADLINE = Duration.ofSeconds(60);
  private static final long PAGE = 4096;
  private static final long GPA = 0x10_0000;

  private final List<Long> seen = new ArrayList<>();
  private String failing = "";

  private MockKernel host(Platform platform) {
    GuestScript script =
        GuestScript.builder()
            .readPrivate(GPA, 4, seen::add)
            .mapGpa(GPA + 2 * PAGE, PAGE, true, seen::add)
            .out(0x80, 1, 9)
            .build();
    return MockKernel.builder()
        .platform(platform)
        .guests((_, _) -> Optional.of(script))
        .firmware(call -> call.equals(failing) ? 7 : 0)
        .build();
  }

  @ParameterizedTest
  @CsvSource({"TDX, TDX", "SEV, SNP"})
  void aConfidentialGuestFindsItsMeasuredMemory(Platform platform, VmType type) {
    try (MockKernel kernel = host(platform);
        Kvm kvm = Kvm.open(kernel);
        VmLaunch launch = VmLaunch.begin(kvm, type);
        Mapping content = Mapping.anonymous(kernel, 2 * PAGE)) {
      assertThat(launch.vm().type()).isEqualTo(type);
      content.segment().set(ValueLayout.JAVA_INT, 0, 0xbeef);
      Vm vm = launch.vm();
      vm.addPrivateSlot(GPA, 4 * PAGE, 0, vm.createGuestMemfd(4 * PAGE), 0);
      vm.setPrivate(GPA, 2 * PAGE, true);
      switch (launch) {
        case TdxLaunch tdx -> tdx.addMemory(GPA, content.segment());
        case SnpLaunch snp -> snp.addMemory(GPA, content.segment());
        case PlainLaunch _ -> throw new AssertionError(launch);
      }
      launch.finish();
      Exit first = launch.vcpu().run(DEADLINE);
      assertThat(first)
          .isInstanceOfSatisfying(
              Exit.Hypercall.class,
              call -> {
                assertThat(call.number()).isEqualTo(12);
                assertThat(call.argument(0)).isEqualTo(GPA + 2 * PAGE);
                call.respond(0);
              });
      assertThat(launch.vcpu().run(DEADLINE)).isInstanceOf(Exit.IoOut.class);
      assertThat(seen).containsExactly(0xbeefL, 0L);
    }
  }

  @ParameterizedTest
  @CsvSource({"PLAIN, DEFAULT", "PLAIN, SW_PROTECTED", "TDX, DEFAULT", "SEV, SW_PROTECTED"})
  void aVmOfAnotherTypeNeedsNothing(Platform platform, VmType type) {
    GuestScript script = GuestScript.builder().out(0x80, 1, 9).build();
    try (MockKernel kernel =
            MockKernel.builder().platform(platform).guests((_, _) -> Optional.of(script)).build();
        Kvm kvm = Kvm.open(kernel);
        VmLaunch launch = VmLaunch.begin(kvm, type)) {
      launch.finish();
      assertThat(launch.vcpu().run(DEADLINE)).isInstanceOf(Exit.IoOut.class);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "TDX, TDX, TDH_MR_FINALIZE, KVM_TDX_FINALIZE_VM, hw_error=0x7",
    "SEV, SNP, SNP_LAUNCH_FINISH, KVM_SEV_SNP_LAUNCH_FINISH, error=0x7"
  })
  void whatTheFirmwareSaysIsInTheMessage(
      Platform platform, VmType type, String firmware, String call, String code) {
    try (MockKernel kernel = host(platform);
        Kvm kvm = Kvm.open(kernel);
        VmLaunch launch = VmLaunch.begin(kvm, type)) {
      failing = firmware;
      assertThatThrownBy(launch::finish)
          .isInstanceOfSatisfying(
              KernelException.class,
              e -> {
                assertThat(e.call()).isEqualTo(call);
                assertThat(e.errno()).isEqualTo(Errno.EIO);
              })
          .hasMessageContaining(code)
          .hasMessageContaining("Next: ");
    }
  }

  @ParameterizedTest
  @CsvSource({"TDX, TDX, TDH_MNG_INIT", "SEV, SNP, SNP_LAUNCH_START", "SEV, SNP, INIT"})
  void aLaunchThatFailsLeavesNothingOpen(Platform platform, VmType type, String firmware) {
    try (MockKernel kernel = host(platform);
        Kvm kvm = Kvm.open(kernel)) {
      failing = firmware;
      assertThatThrownBy(() -> VmLaunch.begin(kvm, type)).isInstanceOf(KernelException.class);
      failing = "";
      int next = kvm.fd().number() + 1;
      try (Vm vm = kvm.createVm(VmType.DEFAULT)) {
        assertThat(vm.fd().number()).as("the lowest free descriptor").isEqualTo(next);
      }
    }
  }

  @Test
  void aTypeWithoutALaunchIsRefused() {
    try (MockKernel kernel = host(Platform.SEV);
        Kvm kvm = Kvm.open(kernel)) {
      assertThatThrownBy(() -> VmLaunch.begin(kvm, VmType.SEV_ES))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aVcpuThatWasMadeWithoutASlotEntersRealModeAnywhereBelow1MiB() {
    try (MockKernel kernel = MockKernel.plain();
        Kvm kvm = Kvm.open(kernel);
        Vm vm = kvm.createVm(VmType.DEFAULT)) {
      Vcpu vcpu = vm.createVcpu(0);
      vcpu.enterRealMode(0x1000);
      assertThat(vcpu.registers().rip()).isEqualTo(0x1000);
      assertThatThrownBy(() -> vcpu.enterRealMode(1 << 20))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("below 1 MiB");
    }
  }

  @Test
  void memoryIsAddedAcrossTheEndOfASlot() {
    try (MockKernel kernel = host(Platform.SEV);
        Kvm kvm = Kvm.open(kernel);
        VmLaunch launch = VmLaunch.begin(kvm, VmType.SNP);
        Mapping content = Mapping.anonymous(kernel, 3 * PAGE)) {
      Vm vm = launch.vm();
      vm.addPrivateSlot(GPA, 2 * PAGE, 0, vm.createGuestMemfd(2 * PAGE), 0);
      vm.addPrivateSlot(GPA + 2 * PAGE, PAGE, 0, vm.createGuestMemfd(PAGE), 0);
      vm.setPrivate(GPA, 3 * PAGE, true);
      ((SnpLaunch) launch).addMemory(GPA, content.segment());
    }
  }

  @Test
  void aKernelThatSaysDoneAndDoesNothingIsNotAskedForEver() {
    Faults faults = Faults.none();
    try (MockKernel model = host(Platform.SEV)) {
      Kernel kernel = new FaultyKernel(model, faults);
      try (Kvm kvm = Kvm.open(kernel);
          VmLaunch launch = VmLaunch.begin(kvm, VmType.SNP);
          Mapping content = Mapping.anonymous(kernel, PAGE)) {
        Vm vm = launch.vm();
        vm.addPrivateSlot(GPA, PAGE, 0, vm.createGuestMemfd(PAGE), 0);
        vm.setPrivate(GPA, PAGE, true);
        faults.answer(Calls.of(KvmIoctls.KVM_MEMORY_ENCRYPT_OP), 1, 0);
        assertThatThrownBy(() -> ((SnpLaunch) launch).addMemory(GPA, content.segment()))
            .isInstanceOf(KernelException.class)
            .hasMessageContaining("KVM_SEV_SNP_LAUNCH_UPDATE")
            .hasMessageContaining("the kernel said 0, and added nothing");
        launch.finish();
        faults.answer(Calls.of(KvmIoctls.KVM_PRE_FAULT_MEMORY), 1, 0);
        assertThatThrownBy(() -> launch.vcpu().preFault(GPA, PAGE))
            .isInstanceOf(KernelException.class)
            .hasMessageContaining("the kernel said 0, and mapped nothing");
        faults.answer(Calls.of(KvmIoctls.KVM_RUN), 1, 1);
        assertThatThrownBy(() -> launch.vcpu().run(DEADLINE))
            .isInstanceOf(KernelException.class)
            .hasMessageContaining("the kernel said 1, which this call does not have");
      }
    }
  }

  @Test
  void preFaultingGoesOnAsFarAsThereAreSlots() {
    try (MockKernel kernel = host(Platform.TDX);
        Kvm kvm = Kvm.open(kernel);
        VmLaunch launch = VmLaunch.begin(kvm, VmType.TDX)) {
      Vm vm = launch.vm();
      vm.addPrivateSlot(GPA, 2 * PAGE, 0, vm.createGuestMemfd(2 * PAGE), 0);
      vm.setPrivate(GPA, 2 * PAGE, true);
      Vcpu vcpu = launch.vcpu();
      assertThatThrownBy(() -> vcpu.preFault(GPA, PAGE))
          .hasMessageContaining("EOPNOTSUPP")
          .hasMessageContaining("finish the VM's launch first");
      launch.finish();
      vcpu.preFault(GPA, 2 * PAGE);
      assertThatThrownBy(() -> vcpu.preFault(GPA, 3 * PAGE))
          .as("the kernel did two pages, and was asked for the third")
          .hasMessageContaining("ENOENT")
          .hasMessageContaining("gpa=0x102000, size=0x1000");
    }
  }
}
