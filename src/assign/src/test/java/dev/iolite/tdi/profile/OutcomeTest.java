package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.Faults.When;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.tsm.TsmErrors;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.IommufdIoctls;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a call that failed may have done. */
class OutcomeTest {
  @ParameterizedTest
  @CsvSource({
    "BIND, EINVAL, NOT_DONE",
    "BIND, EBUSY, NOT_DONE",
    "BIND, ENXIO, NOT_DONE",
    "BIND, EEXIST, NOT_DONE",
    "BIND, EIO, MAYBE_DONE",
    "BIND, EINTR, MAYBE_DONE",
    "BIND, EFAULT, MAYBE_DONE",
    "BIND, ETIMEDOUT, MAYBE_DONE",
    "BIND, UNKNOWN, MAYBE_DONE",
    "UNBIND, ENOTTY, NOT_DONE",
    "UNBIND, EBUSY, MAYBE_DONE",
    "SET_STATE, EBUSY, NOT_DONE",
    "SET_STATE, EEXIST, MAYBE_DONE",
    "SET_STATE, EFAULT, MAYBE_DONE",
    "VALIDATE_MMIO, EEXIST, NOT_DONE",
    "VALIDATE_MMIO, EBUSY, MAYBE_DONE",
    "ENABLE_DMA, ENXIO, NOT_DONE",
    "DISABLE_DMA, EIO, MAYBE_DONE",
    "READ_REPORT, EIO, NOT_DONE",
    "READ_REPORT, EINTR, NOT_DONE",
    "READ_MEASUREMENTS, EIO, NOT_DONE",
    "READ_MEASUREMENTS, EFAULT, NOT_DONE"
  })
  void theTable(TsmOperation operation, Errno errno, Outcome outcome) {
    assertThat(Outcome.of(operation, errno)).isEqualTo(outcome);
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"MAINLINE_7_3"},
      mode = EnumSource.Mode.EXCLUDE)
  void anErrorOfTheTsmAfterTheBindIsUndone(Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, profile)) {
      for (boolean after : new boolean[] {false, true}) {
        at.model.tsm().failNext(TsmErrors.Operation.BIND, Errno.EIO, after);
        assertThatThrownBy(() -> at.profile.bind(at.target))
            .isInstanceOfSatisfying(
                TsmCallException.class,
                e -> {
                  assertThat(e.outcome()).isEqualTo(Outcome.MAYBE_DONE);
                  assertThat(e.operation()).isEqualTo(TsmOperation.BIND);
                  assertThat(e.profile()).isEqualTo(at.profile.name());
                  assertThat(e.getSuppressed()).isEmpty();
                })
            .hasMessageContaining("it may have been done all the same");
        assertThat(at.bound()).as("destroying the vDEVICE has unbound it").isEmpty();
      }
      at.bindAndLock().close();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"MAINLINE_7_3"},
      mode = EnumSource.Mode.EXCLUDE)
  void anErrorOfTheTsmAfterAChangeOfStateLeavesItDone(Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(Platform.SEV, profile);
        TdiBinding binding = at.bindAndLock()) {
      at.model.tsm().failNext(TsmErrors.Operation.SET_STATE, Errno.EIO, false);
      TsmCallException before = failure(() -> binding.setState(TdiState.RUN));
      assertThat(before.outcome()).isEqualTo(Outcome.MAYBE_DONE);
      assertThat(at.state()).contains(TdiState.CONFIG_LOCKED);
      at.model.tsm().failNext(TsmErrors.Operation.SET_STATE, Errno.EIO, true);
      TsmCallException after = failure(() -> binding.setState(TdiState.RUN));
      assertThat(after.outcome()).isEqualTo(Outcome.MAYBE_DONE);
      assertThat(at.state()).contains(TdiState.RUN);
      boolean hasCode =
          profile == Profile.V6 || profile == Profile.CCA_V7 || profile == Profile.SEED_2025;
      assertThat(after.tsmCode().isPresent()).isEqualTo(hasCode);
    }
  }

  private static TsmCallException failure(Runnable call) {
    return catchThrowableOfType(TsmCallException.class, call::run);
  }

  private static AssignedTdi faulty(Profile profile, Faults faults) {
    UapiProfile client = UapiProfile.of(profile, Arch.TDX);
    Ioctls ioctls = Ioctls.ofHeaders().with(client.ioctls());
    return AssignedTdi.on(
        Platform.TDX, profile, kernel -> new FaultyKernel(kernel, ioctls, faults));
  }

  private static Ioctl command(Profile profile, String name) {
    return UapiProfile.of(profile, Arch.TDX).ioctls().stream()
        .filter(ioctl -> ioctl.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({
    "V6, IOMMU_VDEVICE_TSM_OP",
    "SEED_2025, IOMMU_VDEVICE_TSM_OP",
    "ARM_V5, IOMMU_VDEVICE_TSM_OP",
    "INTEL_RFC_2025, VFIO_DEVICE_TSM_BIND"
  })
  void anInterruptedBindIsNotRepeated(Profile profile, String name) {
    for (When when : When.values()) {
      Faults faults = Faults.none().fail(Calls.of(command(profile, name)), 1, Errno.EINTR, when);
      try (AssignedTdi at = faulty(profile, faults)) {
        TsmCallException failed = failure(() -> at.profile.bind(at.target));
        assertThat(failed.kernel().errno()).isEqualTo(Errno.EINTR);
        assertThat(failed.outcome()).isEqualTo(Outcome.MAYBE_DONE);
        assertThat(at.bound()).isEmpty();
        at.bindAndLock().close();
      }
    }
  }

  /** The n-th request, after those of the bind, is the first of the measurements. */
  @ParameterizedTest
  @CsvSource({"SEED_2025, 1", "ARM_V5, 1", "CCA_V7, 2"})
  void interruptedMeasurementsAreRepeated(Profile profile, int nth) {
    for (When when : When.values()) {
      Calls request = Calls.of(command(profile, "IOMMU_VDEVICE_TSM_REQ"));
      Faults faults = Faults.none().fail(request, nth, Errno.EINTR, when);
      try (AssignedTdi at = faulty(profile, faults);
          TdiBinding binding = at.bindAndLock()) {
        byte[] nonce = Measurements.freshNonce();
        assertThat(binding.measurements(nonce))
            .isEqualTo(DeviceMeasurements.usual().message(nonce));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "V6, IOMMU_VDEVICE_TSM_OP, 2",
    "SEED_2025, IOMMU_VDEVICE_TSM_OP, 2",
    "ARM_V5, IOMMU_VDEVICE_TSM_OP, 2",
    "INTEL_RFC_2025, VFIO_DEVICE_TSM_UNBIND, 1"
  })
  void anUnbindThatFailsIsMadeUpForByTheVdevicesEnd(Profile profile, String name, int nth) {
    for (When when : When.values()) {
      Faults faults = Faults.none().fail(Calls.of(command(profile, name)), nth, Errno.EIO, when);
      try (AssignedTdi at = faulty(profile, faults)) {
        TdiBinding binding = at.bindAndLock();
        TsmCallException failed = failure(binding::close);
        assertThat(failed.operation()).isEqualTo(TsmOperation.UNBIND);
        assertThat(failed.outcome()).isEqualTo(Outcome.MAYBE_DONE);
        assertThat(binding.isReleased()).isTrue();
        assertThat(at.bound()).isEmpty();
        binding.close();
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"V6", "CCA_V7"})
  void aVdeviceThatCanNotBeDestroyedIsTriedAgain(Profile profile) {
    Faults faults =
        Faults.none().fail(Calls.of(IommufdIoctls.IOMMU_DESTROY), 1, Errno.EBUSY, When.BEFORE);
    try (AssignedTdi at = faulty(profile, faults)) {
      TdiBinding binding = at.bindAndLock();
      TsmCallException failed = failure(binding::close);
      assertThat(failed.kernel().call()).isEqualTo("IOMMU_DESTROY");
      assertThat(binding.isReleased()).isFalse();
      binding.close();
      assertThat(binding.isReleased()).isTrue();
      assertThat(at.bound()).isEmpty();
    }
  }
}
