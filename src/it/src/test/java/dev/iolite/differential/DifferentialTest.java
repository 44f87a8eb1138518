package dev.iolite.differential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What a differential run makes of a machine that fails: no difference, and no program left out.
 */
class DifferentialTest {
  /** A real kernel that answers as the model does, on a machine that fails when it is told to. */
  private static final class Unreliable implements RealKernel {
    private final List<Integer> answeredBeforeFailure;
    private final List<Long> seeds = new ArrayList<>();

    Unreliable(Integer... answeredBeforeFailure) {
      this.answeredBeforeFailure = new ArrayList<>(List.of(answeredBeforeFailure));
    }

    @Override
    public LabKernel kernel() {
      return LabKernel.STOCK;
    }

    @Override
    public LabRun run(long first, int count) {
      boolean fails = !answeredBeforeFailure.isEmpty();
      int answered = fails ? answeredBeforeFailure.removeFirst() : count;
      List<List<String>> answers = new ArrayList<>();
      try (Machine machine = Machine.model(kernel())) {
        for (int i = 0; i < answered; i++) {
          seeds.add(first + i);
          answers.add(machine.run(Program.ofSeed(kernel(), first + i).ops()));
        }
      }
      return new LabRun(answers, fails ? Optional.of("ended by itself") : Optional.empty());
    }

    @Override
    public LabRun run(List<Program> programs) {
      throw new UnsupportedOperationException("nothing differs, so nothing is made shorter");
    }
  }

  @Test
  void goesOnWithTheProgramThatWasNotAnswered() throws IOException, InterruptedException {
    Unreliable real = new Unreliable(2, 0, 0, 1);
    Differential differential = new Differential(real);

    differential.run(10, 5);

    assertThat(real.seeds).containsExactly(10L, 11L, 12L, 13L, 14L);
    assertThat(differential.found()).isEmpty();
    assertThat(differential.failures())
        .containsExactly(
            "QEMU ended by itself near seed 12",
            "QEMU ended by itself near seed 12",
            "QEMU ended by itself near seed 12",
            "QEMU ended by itself near seed 13");
  }

  @Test
  void givesUpOnAProgramThatAlwaysEndsTheMachine() {
    Differential differential = new Differential(new Unreliable(1, 0, 0, 0));

    assertThatThrownBy(() -> differential.run(10, 5))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("seed 11")
        .hasMessageContaining("4 times");
  }

  @Test
  void aProcessThatSaysNothingIsEnded() throws IOException, InterruptedException {
    Process process = new ProcessBuilder("sleep", "infinity").start();

    Watchdog watchdog = Watchdog.of(process, Duration.ofMillis(20));

    assertThat(process.waitFor()).isNotZero();
    assertThat(watchdog.hasBitten()).isTrue();
  }
}
