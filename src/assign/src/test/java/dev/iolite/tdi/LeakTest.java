package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.Platform;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Profile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Many lives on one kernel leave no more than one. */
class LeakTest {
  private static final int CYCLES = 50;

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,CCA_V7"})
  void fiftyAssignmentsLeaveNothing(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    Holdings before = life.holdings();
    for (int i = 0; i < CYCLES; i++) {
      TdiAssignment assignment = life.assignment();
      life.live(assignment);
      assertThat(life.holdings()).as("cycle %d", i).isEqualTo(before);
      assertThat(assignment.ledger().rows()).isEmpty();
    }
    life.kernel.close();
  }

  @Test
  void fiftyBindsOfOneAssignmentLeaveItAsTheFirst() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      guest.ask(new GuestAsk.Convert(0x2000, 0x1000, Kind.SHARED));
      Holdings shared = life.holdings();
      var rows = assignment.ledger().rows();
      int runs = assignment.ledger().runCount();
      for (int i = 0; i < CYCLES; i++) {
        assertThat(guest.ask(new GuestAsk.Bind())).isZero();
        assertThat(guest.ask(new GuestAsk.SetState(Life.RUN))).isZero();
        assertThat(guest.ask(new GuestAsk.Unbind())).isZero();
        assertThat(life.holdings()).as("cycle %d", i).isEqualTo(shared);
        assertThat(assignment.ledger().rows()).as("numbers are used again").isEqualTo(rows);
        assertThat(assignment.ledger().runCount()).isEqualTo(runs);
      }
    }
    life.kernel.close();
  }
}
