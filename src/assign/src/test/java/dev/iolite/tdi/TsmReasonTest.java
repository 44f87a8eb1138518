package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.core.TdiNonces;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdiReport;
import dev.iolite.mock.kvm.GuestStep;
import dev.iolite.mock.kvm.TsmExits;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.trace.TracingKernel;
import dev.iolite.tsm.Profile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a TSM refuses, it refuses with its reason, which reaches the user. */
class TsmReasonTest {
  private static final long PAGE = 4096;
  private static final int DMA_AND_ATS = 0b1010;
  private static final int LARGE = 5000;

  private static DeviceModel reporting(int info, byte[] own) {
    return DeviceModel.memory(
        DeviceShape.builder(0x1234, 0x5678)
            .bar(Bar.memory64(0, 1 << 16))
            .express(new Express(true, true, true))
            .tdi(
                new TdiReport(info, List.of(new TdiRange(0, 0, 16, 0)), MemorySegment.ofArray(own)))
            .build());
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"ARM_V5", "V6", "CCA_V7", "INTEL_RFC_2025", "SEED_2025"})
  void aTdxModulesReasonIsInTheMessage(Profile profile) {
    Life life = new Life(Platform.TDX, profile, reporting(DMA_AND_ATS, new byte[0]));
    try (TdiAssignment assignment = life.knowingAssignment()) {
      assignment.assign();
      assertThatThrownBy(assignment::bind)
          .isInstanceOf(TsmCallException.class)
          .hasMessageContaining("EIO")
          .hasMessageEndingWith(
              "The kernel's log says: 0000:00:07.0: the interface is not taken: it uses PASIDs,"
                  + " ATS or PRS");
    }
    life.kernel.close();
  }

  /** What succeeds costs no look at the log, and what fails is not blamed for what came before. */
  @Test
  void theLogIsOpenedOnceAndReadAfterAFailureOnly() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    List<String> calls = new ArrayList<>();
    Kernel traced = new TracingKernel(life.kernel, call -> calls.add(call.toString()));
    try (TdiAssignment assignment = new TdiAssignment(life.options(traced))) {
      assignment.assign();
      assignment.bind();
      assignment.start();
      assertThat(calls).filteredOn(call -> call.startsWith("open(/dev/kmsg")).hasSize(1);
      assertThat(calls).noneMatch(call -> call.startsWith("read(") && call.contains("/dev/kmsg"));
    }
    life.kernel.close();
  }

  /** SEV-TIO's processor looks for a range in the report by its id. */
  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"V6", "SEED_2025"})
  void aGuestThatNamesAnotherRangeIdIsRefusedOnSev(Profile profile) {
    Life life = new Life(Platform.SEV, profile);
    try (TdiAssignment assignment = life.knowingAssignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      assignment.bind();
      long bar = Life.bar(assignment, 0);
      long at = assignment.physical(0, 0);
      for (int wrong : new int[] {1, 2, 4, 8}) {
        assertThat(guest.ask(new GuestAsk.ValidateMmio(bar, bar + PAGE, at, wrong)))
            .isEqualTo(Errno.EINVAL.negated());
        assertThat(life.remarks.getLast())
            .contains("was refused with EINVAL")
            .containsPattern("The kernel's log says: 0000:00:07.0: .* range id " + wrong);
      }
      assertThat(guest.ask(new GuestAsk.ValidateMmio(bar, bar + PAGE, at, 0))).isZero();
    }
    life.kernel.close();
  }

  /** CCA's monitor compares what the realm has looked at with what is there. */
  @Test
  void aRealmThatHasLookedAtOldEvidenceIsRefused() {
    Life life = new Life(Platform.TDX, Profile.CCA_V7);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      TdiNonces seen = nonces(life);
      assertThat(answer(life, assignment, seen)).as("what is there").isZero();

      assignment.measurements(new byte[32]);
      assertThat(answer(life, assignment, seen)).isEqualTo(Errno.EINVAL.negated());
      assertThat(life.remarks.getLast())
          .endsWith("0000:00:07.0: the realm's nonce of the measurements is stale");
      assignment.unbind();
      TdiNonces before = nonces(life, assignment);
      assertThat(answer(life, assignment, seen)).isEqualTo(Errno.EINVAL.negated());
      assertThat(life.remarks.getLast()).contains("the realm's nonce of the lock and the report");
      assertThat(answer(life, assignment, before)).isZero();
    }
    life.kernel.close();
  }

  private static TdiNonces nonces(Life life) {
    return life.kernel.tsm().nonces(Life.ENDPOINT.toString()).orElseThrow();
  }

  /** Those of the next bind. */
  private static TdiNonces nonces(Life life, TdiAssignment assignment) {
    assertThat(life.kernel.tsm().nonces(Life.ENDPOINT.toString())).as("not bound").isEmpty();
    assignment.bind();
    return nonces(life);
  }

  /** The VMM's answer to a realm that asks for another page each time. */
  private static long answer(Life life, TdiAssignment assignment, TdiNonces nonces) {
    List<Long> answers = new ArrayList<>();
    long page = life.remarks.size() % 2 * PAGE;
    long gpa = Life.bar(assignment, 0) + page;
    life.told.tell(
        new GuestStep.Leave(
            TsmExits.validateMapping(
                Life.VIRTUAL_BDF,
                gpa,
                gpa + PAGE,
                assignment.physical(0, page),
                nonces,
                answers::add)));
    assignment.runGuest();
    return answers.getFirst();
  }

  /** All but v6, which has no call for a report. */
  static Stream<Arguments> reportingProfiles() {
    return Life.binding().filter(arguments -> arguments.get()[1] != Profile.V6);
  }

  /** A report of more than one portion, and of more than a page. */
  @ParameterizedTest
  @MethodSource("reportingProfiles")
  void aLargeReportIsReadWholeButForAMonitorThatKeepsAPageOfIt(Platform platform, Profile profile) {
    byte[] own = new byte[LARGE];
    own[LARGE - 1] = 0x5a;
    Life life = new Life(platform, profile, reporting(0b10, own));
    try (TdiAssignment assignment = life.knowingAssignment()) {
      assignment.assign();
      if (profile == Profile.CCA_V7) {
        assertThatThrownBy(assignment::bind)
            .hasMessageEndingWith("the report has 5036 bytes, and at most 4096 can be taken");
      } else {
        assignment.bind();
        assertThat(assignment.report())
            .hasValueSatisfying(report -> assertThat(report).hasSize(LARGE + 36).endsWith(0x5a));
      }
    }
    life.kernel.close();
  }
}
