package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.VIRTUAL_BDF;
import static dev.iolite.mock.tsm.AssignedEndpoint.ok;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.mock.kvm.TsmExits;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmccav7.kvm_exit_arm64_tio;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A guest that asks its VMM for a private device. */
class TsmExitsTest {
  private static final long GPA = 0x1_0000_0000L;
  private static final int PORT = 0x80;

  /** KVM_HC_MAP_GPA_RANGE. */
  private static final int MAP_GPA_RANGE = 12;

  private final List<Long> seen = new ArrayList<>();

  private static MemorySegment call(AssignedEndpoint at, int number) {
    assertThat(kvm_run.exit_reason(at.run)).isEqualTo(Kvm.KVM_EXIT_HYPERCALL());
    MemorySegment call = kvm_run.hypercall(at.run);
    assertThat(kvm_run.hypercall.nr(call)).isEqualTo(number);
    assertThat(kvm_run.hypercall.args(call, 0) & 0xffff).isEqualTo(VIRTUAL_BDF);
    return call;
  }

  @Test
  void theSeedFlowFromTheGuestsFirstWordToItsFirstPrivateAccess() {
    GuestScript script =
        GuestScript.builder()
            .leave(TsmExits.bind(VIRTUAL_BDF, seen::add))
            .leave(TsmExits.setState(VIRTUAL_BDF, TdiState.RUN.number(), seen::add))
            .readPrivate(GPA, 8, seen::add)
            .leave(TsmExits.unbind(VIRTUAL_BDF, seen::add))
            .out(PORT, 1, 0)
            .build();
    try (AssignedEndpoint at =
        AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025, (_, _) -> Optional.of(script))) {
      at.enable(Kvm.KVM_CAP_EXIT_HYPERCALL(), 1L << TsmSeed2025.KVM_HC_TSM());
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).isZero();
      MemorySegment bind = call(at, Tsm.KVM_HC_TSM_BIND());
      kvm_run.hypercall.ret(bind, SeedCalls.bind(at));
      int hidden = ok(at.export(0, SeedCalls.PRIVATE, 0, 0x10000));
      long flags = TsmSeed2025.KVM_MEM_DMABUF() | TsmSeed2025.KVM_MEM_PRIVATE_ONLY();
      assertThat(at.slot(1, flags, GPA, 0xf000, hidden, 0)).isZero();
      assertThat(at.makePrivate(GPA, 0xf000)).isZero();

      assertThat(at.enter(vcpu)).isZero();
      MemorySegment run = call(at, Tsm.KVM_HC_TSM_SET_TDI_STATE());
      assertThat(kvm_run.hypercall.args(run, 1)).isEqualTo(2);
      kvm_run.hypercall.ret(run, SeedCalls.run(at));

      assertThat(at.enter(vcpu)).isZero();
      MemorySegment unbind = call(at, Tsm.KVM_HC_TSM_UNBIND());
      kvm_run.hypercall.ret(unbind, -5);
      assertThat(at.enter(vcpu)).isZero();
      assertThat(seen).containsExactly(0L, 0L, TdispEndpoint.IDENTIFICATION, -5L);
    }
  }

  /** As ____kvm_emulate_hypercall does. */
  @Test
  void whereTheyHaveABitTheyDoNotLeaveWithoutIt() {
    GuestScript script =
        GuestScript.builder().leave(TsmExits.bind(VIRTUAL_BDF, seen::add)).out(PORT, 1, 0).build();
    try (AssignedEndpoint at =
        AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025, (_, _) -> Optional.of(script))) {
      at.enable(Kvm.KVM_CAP_EXIT_HYPERCALL(), 1L << MAP_GPA_RANGE);
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).isZero();
      assertThat(kvm_run.exit_reason(at.run)).isEqualTo(Kvm.KVM_EXIT_IO());
      assertThat(seen).containsExactly(-1000L);
    }
  }

  @Test
  void theExitsCarryTheirArguments() {
    GuestScript script =
        GuestScript.builder()
            .leave(TsmExits.validateMmio(VIRTUAL_BDF, 0x1000, 0x3000, 0x5000, 2, seen::add))
            .leave(TsmExits.readReport(VIRTUAL_BDF, 0x7000, 0x800, seen::add))
            .leave(TsmExits.readMeasurements(VIRTUAL_BDF, 0x8000, 0x400, seen::add))
            .leave(
                TsmExits.validateMapping(
                    9, 0x1000, 0x3000, 0x5000, new TdiNonces(0, 0, 0), seen::add))
            .out(PORT, 1, 0)
            .build();
    try (AssignedEndpoint at =
        AssignedEndpoint.on(Platform.TDX, Profile.CCA_V7, (_, _) -> Optional.of(script))) {
      int vcpu = at.startDomain();
      assertThat(at.enter(vcpu)).isZero();
      MemorySegment validate = call(at, Tsm.KVM_HC_TSM_VALIDATE_MMIO());
      assertThat(kvm_run.hypercall.args(validate, 0) >>> 16).as("range id").isEqualTo(2);
      assertThat(kvm_run.hypercall.args(validate, 1)).isEqualTo(0x1000);
      assertThat(kvm_run.hypercall.args(validate, 2)).isEqualTo(0x3000);
      assertThat(kvm_run.hypercall.args(validate, 3)).isEqualTo(0x5000);

      assertThat(at.enter(vcpu)).isZero();
      MemorySegment report = call(at, Tsm.KVM_HC_TSM_READ_REPORT());
      assertThat(kvm_run.hypercall.args(report, 1)).isEqualTo(0x7000);
      assertThat(kvm_run.hypercall.args(report, 2)).isEqualTo(0x800);
      kvm_run.hypercall.ret(report, 164);

      assertThat(at.enter(vcpu)).isZero();
      MemorySegment measurements = call(at, Tsm.KVM_HC_TSM_READ_MEASUREMENTS());
      assertThat(kvm_run.hypercall.args(measurements, 1)).isEqualTo(0x8000);
      assertThat(kvm_run.hypercall.args(measurements, 2)).isEqualTo(0x400);

      assertThat(at.enter(vcpu)).isZero();
      assertThat(kvm_run.exit_reason(at.run)).isEqualTo(TsmCcaV7.KVM_EXIT_ARM64_TIO());
      MemorySegment exit = at.run.asSlice(kvm_run.hypercall$offset());
      assertThat(kvm_exit_arm64_tio.vdev_id(exit)).isEqualTo(9);
      assertThat(kvm_exit_arm64_tio.gpa_top(exit)).isEqualTo(0x3000);
      assertThat(kvm_exit_arm64_tio.pa_base(exit)).isEqualTo(0x5000);
      assertThat(kvm_exit_arm64_tio.response(exit)).isZero();
      kvm_exit_arm64_tio.response(exit, 1);
      assertThat(at.enter(vcpu)).isZero();
      assertThat(seen).containsExactly(0L, 164L, 0L, 1L);
    }
  }
}
