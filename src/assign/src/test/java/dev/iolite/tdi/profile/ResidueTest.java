package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.trace.TracedCall;
import dev.iolite.trace.TracingKernel;
import dev.iolite.tsm.Arch;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.TsmSeed2025Ioctls;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.vfio.ByteRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the calls of a profile return besides 0 and an errno. */
class ResidueTest {
  private static AssignedTdi on(Profile profile, Faults faults) {
    UapiProfile client = UapiProfile.of(profile, Arch.TDX);
    return AssignedTdi.on(
        Platform.TDX,
        profile,
        model -> new FaultyKernel(model, Ioctls.ofHeaders().with(client.ioctls()), faults));
  }

  private static Calls named(String ending) {
    return call ->
        call.command().map(Ioctl::name).filter(name -> name.endsWith(ending)).isPresent();
  }

  private static Calls requests() {
    return call -> named("_TSM_REQ").include(call) || named("_GUEST_REQUEST").include(call);
  }

  private static void assertMaybeDone(ThrowingCallable call, String said) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            TsmCallException.class,
            e -> {
              assertThat(e.outcome()).isEqualTo(Outcome.MAYBE_DONE);
              assertThat(e.kernel().errno()).isEqualTo(Errno.UNKNOWN);
            })
        .hasMessageContaining(said);
  }

  static Stream<Profile> proposals() {
    return Arrays.stream(Profile.values()).filter(profile -> profile != Profile.MAINLINE_7_3);
  }

  static Stream<Profile> reporting() {
    return proposals().filter(profile -> profile != Profile.V6);
  }

  @ParameterizedTest
  @MethodSource("proposals")
  void aChangeOfStateThatTheTsmDidNotTakeAllOfMayHaveHappened(Profile profile) {
    Faults faults = Faults.none();
    try (AssignedTdi at = on(profile, faults)) {
      TdiBinding binding = at.bindAndLock();
      faults.answer(requests(), 1, 2);
      assertMaybeDone(
          () -> binding.setState(TdiState.RUN),
          "the kernel said 2: so many bytes of the request were not taken");
      assertThat(at.state()).contains(TdiState.CONFIG_LOCKED);
      binding.close();
    }
  }

  @ParameterizedTest
  @MethodSource("reporting")
  void noMoreOfTheRoomIsLeftThanThereWas(Profile profile) {
    Faults faults = Faults.none();
    try (AssignedTdi at = on(profile, faults)) {
      TdiBinding binding = at.bindAndLock();
      faults.answer(requests(), 1, 4097);
      assertThatThrownBy(binding::report)
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_DONE))
          .hasMessageContaining("the kernel said 4097: so many bytes of the room for the answer");
      binding.close();
    }
  }

  @ParameterizedTest
  @MethodSource("reporting")
  void aReportThatJustFitsTheFirstRoomIsReadWhole(Profile profile) {
    for (int bytes : new int[] {4095, 4096, 4097, 16_384, 20_000}) {
      if (profile == Profile.CCA_V7 && bytes > 4096) {
        continue; // TsmReasonTest has what is larger than a monitor's room.
      }
      try (AssignedTdi at = AssignedTdi.on(Platform.TDX, profile)) {
        byte[] report = new byte[bytes];
        Arrays.fill(report, (byte) 0x5a);
        TdiBinding binding = at.bindAndLock();
        at.model.tsm().answerReport(AssignedTdi.ADDRESS, report);
        assertThat(binding.report()).isEqualTo(report);
        binding.close();
      }
    }
  }

  @Test
  void aTsmThatCutsAReportOffWithoutAWordIsAskedAgain() {
    Faults faults = Faults.none();
    try (AssignedTdi at = on(Profile.SEED_2025, faults)) {
      TdiBinding binding = at.bindAndLock();
      faults.answer(requests(), 1, 0);
      assertThat(binding.report()).as("not the room's 4096 bytes").hasSizeLessThan(4096);
      binding.close();
    }
  }

  @Test
  void aSizeThatIsNotToldWholeIsNone() {
    Faults faults = Faults.none();
    try (AssignedTdi at = on(Profile.CCA_V7, faults)) {
      TdiBinding binding = at.bindAndLock();
      faults.answer(requests(), 1, 4);
      assertThatThrownBy(binding::report)
          .hasMessageContaining("the kernel says in 4 bytes that there are 0");
      binding.close();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"ARM_V5", "V6", "INTEL_RFC_2025", "SEED_2025"})
  void aBindHasNoOtherResultThanZero(Profile profile) {
    Faults faults = Faults.none();
    Calls binds = call -> named("_TSM_OP").include(call) || named("_TSM_BIND").include(call);
    try (AssignedTdi at = on(profile, faults)) {
      faults.answer(binds, 1, 3);
      assertMaybeDone(
          () -> at.profile.bind(at.target), "the kernel said 3, which this call does not have");
      at.profile.bind(at.target).close();
    }
  }

  /** A kernel that says of more runs than it had room for that all is well is not believed. */
  @Test
  void aKernelThatClaimsMoreRunsThanItHadRoomForIsRefused() {
    UnaryOperator<Kernel> claiming =
        model ->
            new ForwardingKernel(model) {
              @Override
              public int ioctl(int fd, long request, long argument) {
                int result = super.ioctl(fd, request, argument);
                if (request == TsmSeed2025Ioctls.VFIO_DMA_BUF_GET_RUNS.number() && result == 0) {
                  MemorySegment get =
                      MemorySegment.ofAddress(argument).reinterpret(vfio_dma_buf_get_runs.sizeof());
                  vfio_dma_buf_get_runs.nr_runs(get, 65);
                }
                return result;
              }
            };
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.SEED_2025, claiming);
        var dmaBuf =
            at.profile.exportDmaBuf(at.device, 0, List.of(new ByteRange(0, 4096)), Kind.SHARED)) {
      assertThatThrownBy(() -> at.profile.runs(dmaBuf))
          .hasMessageContaining("more runs than there was room for");
    }
  }

  @Test
  void theKernelGivesNoMoreRunsThanThereIsRoomFor() {
    Faults faults = Faults.none();
    try (AssignedTdi at = on(Profile.SEED_2025, faults);
        var dmaBuf =
            at.profile.exportDmaBuf(at.device, 0, List.of(new ByteRange(0, 4096)), Kind.SHARED)) {
      faults.answer(named("_GET_RUNS"), 1, 7);
      assertThatThrownBy(() -> at.profile.runs(dmaBuf))
          .hasMessageContaining("the kernel said 7, which this call does not have");
      assertThat(at.profile.runs(dmaBuf).orElseThrow()).hasSize(1);
    }
  }

  @Test
  void aTraceSaysWhatAResidueIs() {
    List<TracedCall> calls = new ArrayList<>();
    UapiProfile client = UapiProfile.of(Profile.SEED_2025, Arch.TDX);
    UnaryOperator<dev.iolite.kernel.Kernel> tracing =
        model ->
            new TracingKernel(
                model,
                TracingKernel.Scope.ALL,
                () -> Ioctls.ofHeaders().with(client.ioctls()),
                calls::add);
    try (AssignedTdi at = AssignedTdi.on(Platform.TDX, Profile.SEED_2025, tracing)) {
      TdiBinding binding = at.bindAndLock();
      int bytes = binding.report().length;
      assertThat(calls)
          .extracting(TracedCall::toString)
          .anyMatch(call ->
              call.contains(
                  ") = %d (bytes not used of the answer's room, or else of the request)"
                      .formatted(4096 - bytes)));
      binding.close();
    }
  }
}
