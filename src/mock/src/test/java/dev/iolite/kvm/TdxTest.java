package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Trust domains, by the commands of the client. */
class TdxTest {
  private static final long PAGE = 4096;
  private static final int SIZES = 0x8000_0008;

  private final List<String> calls = new ArrayList<>();
  private String failing = "";
  private long status = 0x8000_0000_0000_0001L;
  private final MockKernel kernel =
      MockKernel.builder()
          .platform(Platform.TDX)
          .firmware(call -> {
            calls.add(call);
            return call.equals(failing) ? status : 0;
          })
          .build();
  private final Kvm kvm = Kvm.open(kernel);
  private final Vm vm = kvm.createVm(VmType.TDX);
  private final Tdx tdx = vm.tdx();

  @AfterEach
  void close() {
    vm.close();
    kvm.close();
    kernel.close();
  }

  private static void refused(ThrowingCallable call, Errno errno, String text) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno))
        .hasMessageContaining(text)
        .hasMessageContaining("Next: ");
  }

  private Vcpu vcpu(int id) {
    Vcpu vcpu = vm.createVcpu(id);
    vcpu.x86().setCpuid(tdx.cpuid(vcpu));
    return vcpu;
  }

  private void initialize(TdxParams params) {
    tdx.initVm(params);
    vm.enable(Capability.SPLIT_IRQCHIP, 24);
  }

  @Test
  void theCapabilitiesHaveTheLeavesThatCanBeConfigured() {
    TdxCapabilities capabilities = tdx.capabilities();
    assertThat(capabilities.attributes()).isEqualTo(1 << 28);
    assertThat(capabilities.xfam()).isEqualTo(0x2e7);
    assertThat(capabilities.callsOfKernel()).containsExactly(0L, 0L);
    assertThat(capabilities.callsOfUser()).containsExactly(2L, 0L);
    assertThat(capabilities.cpuid())
        .extracting(CpuidEntry::function)
        .containsExactly(1, 4, 7, SIZES);
    assertThat(capabilities.cpuid().getLast())
        .isEqualTo(new CpuidEntry(SIZES, OptionalInt.of(0), 0xff_ffff, 0, 0, 0));
  }

  @ParameterizedTest
  @CsvSource({"48", "52"})
  void aDomainOfTwoProcessorsIsLaunched(int bits) {
    try (Mapping content = Mapping.anonymous(kernel, 2 * PAGE)) {
      initialize(
          TdxParams.of(3, bits)
              .withAttributes(1 << 28)
              .withMeasurementRegisters(new byte[48], new byte[48], new byte[48])
              .withCpuid(new CpuidEntry(1, OptionalInt.of(0), 0x806f8, 0, 0, 0)));
      Vcpu first = vcpu(0);
      Vcpu second = vcpu(1);
      List<CpuidEntry> cpuid = tdx.cpuid(second);
      assertThat(cpuid)
          .contains(new CpuidEntry(1, OptionalInt.empty(), 0x806f8, 0, 1 << 21, 0))
          .contains(new CpuidEntry(SIZES, OptionalInt.empty(), bits << 16, 0, 0, 0));
      tdx.initVcpu(first, 0x1234);
      tdx.initVcpu(second, 0);
      refused(() -> tdx.initVcpu(first, 0), Errno.EINVAL, "KVM_TDX_INIT_VCPU");
      vm.addPrivateSlot(0, 4 * PAGE, 0, vm.createGuestMemfd(4 * PAGE), 0);
      vm.setPrivate(0, 4 * PAGE, true);
      calls.clear();
      tdx.initMemRegion(first, 0, content.segment(), true);
      tdx.initMemRegion(second, 2 * PAGE, content.segment(), false);
      assertThat(calls)
          .containsExactly(
              "TDH_MEM_PAGE_ADD",
              "TDH_MR_EXTEND",
              "TDH_MEM_PAGE_ADD",
              "TDH_MR_EXTEND",
              "TDH_MEM_PAGE_ADD",
              "TDH_MEM_PAGE_ADD");
      refused(
          () -> tdx.initMemRegion(first, 0, content.segment(), true),
          Errno.EIO,
          "KVM_TDX_INIT_MEM_REGION");
      tdx.finalizeVm();
      refused(() -> tdx.cpuid(first), Errno.EINVAL, "KVM_TDX_GET_CPUID");
      refused(tdx::finalizeVm, Errno.EINVAL, "KVM_TDX_FINALIZE_VM");
    }
  }

  @Test
  void whatTheModuleDoesNotOfferIsRefused() {
    refused(
        () -> tdx.initVm(TdxParams.of(3, 48).withAttributes(1)), Errno.EINVAL, "KVM_TDX_INIT_VM");
    refused(() -> tdx.initVm(TdxParams.of(8, 48)), Errno.EINVAL, "KVM_TDX_INIT_VM");
    refused(() -> tdx.initVm(TdxParams.of(3, 47)), Errno.EINVAL, "KVM_TDX_INIT_VM");
    refused(
        () ->
            tdx.initVm(
                TdxParams.of(3, 48).withCpuid(new CpuidEntry(1, OptionalInt.of(0), 0, 0, 1, 0))),
        Errno.EINVAL,
        "hw_error=0xc000010000000000 (TDX_OPERAND_INVALID)");
    assertThatThrownBy(() ->
            TdxParams.of(3, 48).withMeasurementRegisters(new byte[48], new byte[47], new byte[48]))
        .hasMessage("a measurement register has 48 bytes, not 47");
  }

  @Test
  void aDomainThatLacksEntropyIsInitializedAgain() {
    failing = "TDH_MNG_CREATE";
    status = 0x8000_0203_0000_0000L;
    refused(() -> tdx.initVm(TdxParams.of(3, 48)), Errno.EAGAIN, "KVM_TDX_INIT_VM");
    failing = "";
    tdx.initVm(TdxParams.of(3, 48));
  }

  @Test
  void aVcpuNeedsX2apicBeforeItIsInitialized() {
    initialize(TdxParams.of(3, 48));
    Vcpu vcpu = vm.createVcpu(0);
    refused(() -> tdx.initVcpu(vcpu, 0), Errno.EINVAL, "KVM_TDX_INIT_VCPU");
    vcpu.x86().setCpuid(tdx.cpuid(vcpu));
    tdx.initVcpu(vcpu, 0);
  }

  @ParameterizedTest
  @CsvSource({"TDH_VP_CREATE", "TDH_VP_ADDCX", "TDH_VP_INIT"})
  void aVcpuThatTheModuleRefusesIsTheEndOfTheDomain(String call) {
    initialize(TdxParams.of(3, 48));
    Vcpu vcpu = vcpu(0);
    failing = call;
    refused(() -> tdx.initVcpu(vcpu, 0), Errno.EIO, "KVM_TDX_INIT_VCPU");
    failing = "";
    refused(tdx::finalizeVm, Errno.EIO, "KVM_TDX_FINALIZE_VM");
  }

  @Test
  void aPageThatTheModuleIsTooBusyForIsAddedAgain() {
    try (Mapping content = Mapping.anonymous(kernel, PAGE)) {
      initialize(TdxParams.of(3, 48));
      Vcpu vcpu = vcpu(0);
      tdx.initVcpu(vcpu, 0);
      vm.addPrivateSlot(0, PAGE, 0, vm.createGuestMemfd(PAGE), 0);
      vm.setPrivate(0, PAGE, true);
      failing = "TDH_MEM_PAGE_ADD";
      status = 0x8000_0200_0000_0092L;
      refused(
          () -> tdx.initMemRegion(vcpu, 0, content.segment(), true),
          Errno.EBUSY,
          "KVM_TDX_INIT_MEM_REGION");
      failing = "TDH_MR_EXTEND";
      refused(
          () -> tdx.initMemRegion(vcpu, 0, content.segment(), true),
          Errno.EIO,
          "KVM_TDX_INIT_MEM_REGION");
      refused(tdx::finalizeVm, Errno.EIO, "KVM_TDX_FINALIZE_VM");
      assertThatThrownBy(vm::close)
          .as("not even a slot of a dead VM can be deleted")
          .hasMessageContaining("EIO");
    }
  }
}
