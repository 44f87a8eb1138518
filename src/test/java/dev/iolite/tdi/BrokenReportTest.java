package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.mock.Profile;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MalformedReportException;
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
}
