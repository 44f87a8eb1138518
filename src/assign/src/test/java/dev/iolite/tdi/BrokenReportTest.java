package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MalformedReportException;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tsm.Profile;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A device that is bound and answers with a report that breaks the rules: it is unbound again. */
class BrokenReportTest {
  private static Stream<Arguments> all() {
    return Life.binding()
        // That proposal lets no VMM read it.
        .filter(binding -> binding.get()[1] != Profile.V6)
        .flatMap(binding ->
            Stream.of(BrokenReport.values())
                .map(broken -> Arguments.of(binding.get()[0], binding.get()[1], broken)));
  }

  private static byte[] trueReport(Life life, TdiAssignment assignment) {
    assignment.bind();
    byte[] report = assignment.report().orElseThrow();
    assignment.unbind();
    assertThat(life.tdi()).isEmpty();
    return report;
  }

  private static void assertSharedAndUnbound(Life life, TdiAssignment assignment) {
    assertThat(assignment.state()).isEqualTo(State.SHARED);
    assertThat(life.tdi()).isEmpty();
    assertThat(assignment.report()).isEmpty();
    assertThat(assignment.ledger().problems()).isEmpty();
    long bar = Life.bar(assignment, 0);
    assertThat(life.guest(assignment).read(bar, Long.BYTES, Kind.SHARED).reached()).isTrue();
    assertThat(life.deviceReads(bar)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("all")
  void aBrokenReportEndsTheBindAndTheInterfaceIsSharedAgain(
      Platform platform, Profile profile, BrokenReport broken) {
    Life life = new Life(platform, profile);
    Holdings before = life.holdings();
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      byte[] right = trueReport(life, assignment);
      life.kernel.tsm().answerReport(Life.ENDPOINT.toString(), broken.of(right));
      assertThatThrownBy(assignment::bind)
          .isInstanceOf(MalformedReportException.class)
          .hasMessageContaining("device interface report, byte ")
          .hasMessageContaining(broken.said());
      assertSharedAndUnbound(life, assignment);

      MockGuest guest = life.guest(assignment);
      assertThat(guest.ask(new GuestAsk.Bind())).isEqualTo(Errno.EIO.negated());
      assertSharedAndUnbound(life, assignment);
      assertThat(life.remarks).anyMatch(remark -> remark.contains(broken.said()));

      life.kernel.tsm().answerReport(Life.ENDPOINT.toString(), right);
      assertThat(guest.ask(new GuestAsk.Bind())).isZero();
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  /** What a later version of TDISP may give a meaning ends no bind today. */
  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void whatIsReservedEndsNoBind(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.knowingAssignment()) {
      assignment.assign();
      assignment.bind();
      Optional<MmioLayout> layout = assignment.layout();
      assignment
          .report()
          .ifPresent(right -> life.kernel.tsm().answerReport(Life.ENDPOINT.toString(), odd(right)));
      assignment.unbind();
      assignment.bind();
      assertThat(assignment.layout()).isEqualTo(layout);
      if (profile != Profile.V6) {
        assertThat(life.remarks)
            .contains(
                "The device's report: byte 0: the reserved bits 0xffe0 are set, and ignored.",
                "The device's report: byte 2: the reserved bits 0xffff are set, and ignored.",
                "The device's report: byte 28: the reserved bits 0xfff0 are set, and ignored.");
      }
    }
    life.kernel.close();
  }

  private static byte[] odd(byte[] right) {
    byte[] odd = right.clone();
    odd[0] |= (byte) 0xe0;
    odd[1] = -1;
    odd[2] = -1;
    odd[3] = -1;
    odd[28] |= (byte) 0xf0;
    odd[29] = -1;
    return odd;
  }
}
