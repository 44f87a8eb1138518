package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurement;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.tsm.TsmErrors;
import dev.iolite.pci.Tsm;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Measurement;
import dev.iolite.tdi.evidence.MeasurementType;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.vfio.ByteRange;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation of every profile, on both platforms. */
class UapiProfileTest {
  private static final int REPORT_BYTES = 16 + 16 * 7 + 4;
  private static final long GPA = 0x1_0000_0000L;

  static Stream<Arguments> proposals() {
    return Arrays.stream(Profile.values())
        .filter(profile -> profile != Profile.MAINLINE_7_3)
        .flatMap(profile ->
            Stream.of(Arguments.of(Platform.TDX, profile), Arguments.of(Platform.SEV, profile)));
  }

  private static void unlessOffered(AssignedTdi at, TsmOperation operation, ThrowingCallable call) {
    if (!at.profile.operations().contains(operation)) {
      assertThatThrownBy(call)
          .isInstanceOfSatisfying(
              UnsupportedByProfileException.class,
              e -> {
                assertThat(e.operation()).isEqualTo(operation);
                assertThat(e.profile()).isEqualTo(at.profile.name());
              })
          .hasMessageContaining("the UAPI profile " + at.profile.name() + " has no call for it");
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void anInterfaceGoesThroughItsLife(Platform platform, Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(platform, profile)) {
      TdiBinding binding = at.profile.bind(at.target);
      assertThat(at.bound()).isEqualTo("tsm0");
      assertThat(at.state())
          .contains(binding.isLockedByBind() ? TdiState.CONFIG_LOCKED : TdiState.CONFIG_UNLOCKED);
      assertThat(binding.isLockedByBind()).isEqualTo(profile != Profile.CCA_V7);
      if (!binding.isLockedByBind()) {
        binding.setState(TdiState.CONFIG_LOCKED);
      }
      assertThat(at.state()).contains(TdiState.CONFIG_LOCKED);

      at.run(binding);
      assertThat(at.state()).contains(TdiState.RUN);
      binding.setState(TdiState.CONFIG_UNLOCKED);
      assertThat(at.state()).contains(TdiState.CONFIG_UNLOCKED);

      assertThat(binding.isReleased()).isFalse();
      binding.close();
      assertThat(binding.isReleased()).isTrue();
      assertThat(at.bound()).isEmpty();
      binding.close();

      at.bindAndLock().close();
      assertThat(at.bound()).as("the vDEVICE was gone, too").isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void theReportIsReadWhereThereIsACallForIt(Platform platform, Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(platform, profile);
        TdiBinding binding = at.bindAndLock()) {
      unlessOffered(at, TsmOperation.READ_REPORT, binding::report);
      if (at.profile.operations().contains(TsmOperation.READ_REPORT)) {
        byte[] report = binding.report();
        assertThat(report).hasSize(REPORT_BYTES);
        assertThat(report[12]).as("the number of ranges").isEqualTo((byte) 7);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void measurementsAreMadeForTheNonceWhereThereIsACallForThem(Platform platform, Profile profile) {
    byte[] one = Measurements.freshNonce();
    byte[] other = Measurements.freshNonce();
    try (AssignedTdi at = AssignedTdi.on(platform, profile);
        TdiBinding binding = at.bindAndLock()) {
      boolean has = at.profile.operations().contains(TsmOperation.READ_MEASUREMENTS);
      assertThat(has).isEqualTo(profile != Profile.V6 && profile != Profile.INTEL_RFC_2025);
      unlessOffered(at, TsmOperation.READ_MEASUREMENTS, () -> binding.measurements(one));
      for (int wrong : new int[] {0, 31, 33, 64}) {
        assertThatThrownBy(() -> binding.measurements(new byte[wrong]))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessage("a nonce has 32 bytes, not " + wrong);
      }
      if (has) {
        assertThat(binding.measurements(one)).isEqualTo(DeviceMeasurements.usual().message(one));
        assertThat(binding.measurements(other))
            .isEqualTo(DeviceMeasurements.usual().message(other));
        at.model.tsm().failNext(TsmErrors.Operation.MEASUREMENTS, Errno.EIO, false);
        assertThatThrownBy(() -> binding.measurements(one))
            .isInstanceOfSatisfying(
                TsmCallException.class,
                e -> {
                  assertThat(e.operation()).isEqualTo(TsmOperation.READ_MEASUREMENTS);
                  assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE);
                })
            .hasMessageStartingWith("read the measurements (UAPI profile " + profile + ")");
      }
    }
  }

  /** More than the room of the first attempt. */
  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"SEED_2025", "ARM_V5", "CCA_V7"})
  void measurementsMayBeLong(Profile profile) {
    MemorySegment manifest = MemorySegment.ofArray(new byte[60_000]).fill((byte) 7);
    var block = new DeviceMeasurement(1, DeviceMeasurement.MANIFEST, manifest);
    try (AssignedTdi at = AssignedTdi.measuring(profile, DeviceMeasurements.of(block));
        TdiBinding binding = at.bindAndLock()) {
      byte[] message = binding.measurements(Measurements.freshNonce());
      assertThat(Evidence.parse(MemorySegment.ofArray(message)).measurements().blocks())
          .containsExactly(new Measurement(1, MeasurementType.MANIFEST, true, manifest));
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void mmioIsValidatedWhereThereIsACallForIt(Platform platform, Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(platform, profile);
        TdiBinding binding = at.bindAndLock()) {
      long bar = at.bar(0);
      unlessOffered(
          at, TsmOperation.VALIDATE_MMIO, () -> binding.validateMmio(GPA, GPA + 0x2000, bar, 0));
      if (at.profile.operations().contains(TsmOperation.VALIDATE_MMIO)) {
        binding.validateMmio(GPA, GPA + 0x2000, bar, 0);
        assertThatThrownBy(() -> binding.validateMmio(GPA, GPA + 0x1000, bar + 0x2000, 0))
            .as("the doorbells are shared")
            .isInstanceOfSatisfying(
                TsmCallException.class,
                e -> {
                  assertThat(e.operation()).isEqualTo(TsmOperation.VALIDATE_MMIO);
                  assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE);
                  assertThat(e.tsmCode()).hasValue(22);
                })
            .hasMessageContaining("compare the range with the interface's report");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void dmaIsSwitchedOnSevWhereThereIsACallForIt(Platform platform, Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(platform, profile);
        TdiBinding binding = at.bindAndLock()) {
      boolean has = profile == Profile.V6 || profile == Profile.SEED_2025;
      assertThat(at.profile.operations().contains(TsmOperation.ENABLE_DMA))
          .isEqualTo(has && platform == Platform.SEV);
      unlessOffered(at, TsmOperation.ENABLE_DMA, binding::enableDma);
      unlessOffered(at, TsmOperation.DISABLE_DMA, binding::disableDma);
      if (at.profile.operations().contains(TsmOperation.ENABLE_DMA)) {
        assertThatThrownBy(binding::enableDma)
            .as("it does not run")
            .isInstanceOfSatisfying(
                TsmCallException.class, e -> assertThat(e.kernel().errno()).isEqualTo(Errno.EIO));
        at.run(binding);
        binding.enableDma();
        binding.disableDma();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void aBindThatIsRefusedLeavesNoVdevice(Platform platform, Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(platform, profile)) {
      boolean bindsUnlocked = profile == Profile.CCA_V7;
      at.model
          .tsm()
          .failNext(
              bindsUnlocked ? TsmErrors.Operation.SET_STATE : TsmErrors.Operation.BIND,
              Errno.EIO,
              false);
      TdiBinding bound;
      if (bindsUnlocked) {
        bound = at.profile.bind(at.target);
        assertThatThrownBy(() -> bound.setState(TdiState.CONFIG_LOCKED))
            .isInstanceOf(TsmCallException.class);
        bound.close();
      } else {
        assertThatThrownBy(() -> at.profile.bind(at.target))
            .isInstanceOfSatisfying(
                TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.MAYBE_DONE))
            .hasMessageContaining("bind (UAPI profile " + profile + ")")
            .hasMessageContaining("dmesg");
      }
      at.bindAndLock().close();
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void aSecondBindIsRefusedAndTheFirstStays(Platform platform, Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(platform, profile);
        TdiBinding first = at.bindAndLock()) {
      assertThatThrownBy(() -> at.profile.bind(at.target))
          .isInstanceOfSatisfying(
              TsmCallException.class,
              e -> {
                assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE);
                assertThat(e.kernel().errno()).isEqualTo(Errno.EEXIST);
                assertThat(e.kernel().call()).isEqualTo("IOMMU_VDEVICE_ALLOC");
              })
          .hasMessageContaining("close that one first");
      assertThat(at.state()).contains(TdiState.CONFIG_LOCKED);
      at.run(first);
    }
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void withoutATsmThereIsNoBind(Platform platform, Profile profile) {
    try (AssignedTdi at = AssignedTdi.on(platform, profile)) {
      new Tsm(at.model).disconnect(at.pci, "tsm0");
      assertThatThrownBy(() -> at.profile.bind(at.target))
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE))
          .hasMessageContaining("EINVAL")
          .hasMessageContaining("connect the device to a TSM");
      new Tsm(at.model).connect(at.pci, "tsm0");
      at.bindAndLock().close();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void mainlineOffersNothingOfIt(Platform platform) {
    try (AssignedTdi at = AssignedTdi.on(platform, Profile.MAINLINE_7_3)) {
      assertThat(at.profile.bindsTdis()).isFalse();
      assertThat(at.profile.operations()).isEmpty();
      assertThat(at.profile.ioctls()).isEmpty();
      unlessOffered(at, TsmOperation.BIND, () -> at.profile.bind(at.target));
      List<ByteRange> page = List.of(new ByteRange(0x2000, 0x1000));
      unlessOffered(
          at,
          TsmOperation.EXPORT_PRIVATE,
          () -> at.profile.exportDmaBuf(at.device, 0, page, Kind.PRIVATE));
      try (var dmaBuf = at.profile.exportDmaBuf(at.device, 0, page, Kind.SHARED)) {
        assertThat(dmaBuf.bytes()).isEqualTo(0x1000);
        assertThat(at.profile.runs(dmaBuf)).isEmpty();
        var vm = at.launch.vm();
        unlessOffered(
            at,
            TsmOperation.SHARED_SLOT,
            () -> at.profile.addSharedSlot(vm, GPA, 0x1000, dmaBuf, 0));
        unlessOffered(
            at,
            TsmOperation.PRIVATE_SLOT,
            () -> at.profile.addPrivateSlot(vm, GPA, 0x1000, dmaBuf, 0));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "MAINLINE_7_3, BY_ADDRESS, NOT_AT_ALL, false",
    "ARM_V5, BY_ADDRESS, NOT_AT_ALL, false",
    "V6, BY_ADDRESS, BY_TSM, false",
    "CCA_V7, BY_ADDRESS, BY_TSM, false",
    "INTEL_RFC_2025, BY_ADDRESS, SLOT_OF_WHOLE_DMABUF, false",
    "SEED_2025, BY_DMABUF, SLOTS_OF_ONE_DMABUF, false"
  })
  void whatAPlanMayRestOn(
      Profile name, SharedSlots shared, PrivateMmio hidden, boolean severalRanges) {
    assertThat(UapiProfile.of(name, Arch.TDX).abilities(7))
        .isEqualTo(new Abilities(shared, hidden, severalRanges, 7));
  }

  @Test
  void aNameFindsItsProfile() {
    for (Profile profile : Profile.values()) {
      assertThat(Profile.of(profile.toString())).contains(profile);
    }
    assertThat(Profile.of("v7")).isEmpty();
  }

  @Test
  void whatIsNotOfferedNamesTheProfilesThatDo() {
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.V6);
        TdiBinding binding = at.profile.bind(at.target)) {
      assertThatThrownBy(binding::report)
          .hasMessage(
              "can't read the report: the UAPI profile v6 has no call for it on TDX. Profiles that"
                  + " have: arm-v5, cca-v7, intel-rfc-2025, seed-2025");
      assertThatThrownBy(binding::enableDma).hasMessageEndingWith("Profiles that have: none");
    }
  }
}
