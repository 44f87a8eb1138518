package dev.iolite.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The model answers as the lab's real kernels do, whatever it is asked. */
class DifferentialIT {
  private static final long CALLS = 200_000;
  private static final long SEED = 1;

  private static Differential compared(LabKernel kernel) throws IOException, InterruptedException {
    Lab lab = new Lab(kernel);
    lab.assumeBuilt();
    Differential differential = new Differential(lab);

    differential.runCalls(SEED, CALLS);

    assertThat(differential.found()).as("%s", differential.report()).isEmpty();
    assertThat(differential.calls()).isGreaterThanOrEqualTo(CALLS);
    return differential;
  }

  @Test
  void theModelAnswersAsTheRealKernel() throws IOException, InterruptedException {
    compared(LabKernel.STOCK);
  }

  @Test
  void theModelAnswersAsTheKernelWithThePrivateHalf() throws IOException, InterruptedException {
    Reached reached = compared(LabKernel.SEED_2025).reached();
    assertThat(reached.missed()).as("%s", reached).isEmpty();
  }
}
