package dev.iolite.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The model answers as the lab's real kernel does, whatever it is asked. */
class DifferentialIT {
  private static final long CALLS = 200_000;
  private static final long SEED = 1;

  @Test
  void theModelAnswersAsTheRealKernel() throws IOException, InterruptedException {
    Lab.assumeBuilt();
    Differential differential = new Differential(new Lab());

    differential.runCalls(SEED, CALLS);

    assertThat(differential.found()).as("%s", differential.report()).isEmpty();
    assertThat(differential.calls()).isGreaterThanOrEqualTo(CALLS);
  }
}
