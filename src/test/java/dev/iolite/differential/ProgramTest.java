package dev.iolite.differential;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramTest {
  private static final int PROGRAMS = 200;

  @Test
  void aSeedAlwaysGivesTheSameProgram() {
    assertThat(Program.ofSeed(7)).isEqualTo(Program.ofSeed(7)).isNotEqualTo(Program.ofSeed(8));
  }

  @Test
  void whatIsSavedIsReadAgain(@TempDir Path directory) throws IOException {
    List<Program> programs = Program.ofSeeds(1, 3).toList();
    Path file = directory.resolve("programs.jsonl");

    Program.write(file, programs);

    assertThat(Program.read(file)).isEqualTo(programs);
  }

  @Test
  void everyKindOfCallIsMade() {
    assertThat(
            Program.ofSeeds(1, PROGRAMS)
                .flatMap(program -> program.ops().stream())
                .map(Op::kind)
                .collect(Collectors.toSet()))
        .containsExactlyInAnyOrderElementsOf(Arrays.asList(Kind.values()));
  }

  @Test
  void theModelAnswersTheSameProgramTheSameAgain() {
    try (Machine machine = new Machine(MockKernel.plain(), 0)) {
      for (Program program : Program.ofSeeds(1, PROGRAMS / 10).toList()) {
        assertThat(machine.run(program.ops())).isEqualTo(machine.run(program.ops()));
      }
    }
  }

  @Test
  void theFirstDifferenceIsFoundAndNamed() {
    Program program = new Program("two", List.of(Op.of(Kind.IOAS), Op.of(Kind.DESTROY, 0)));

    assertThat(Divergence.of(program, List.of("0 1", "0", "end"), List.of("0 1", "0", "end")))
        .isEmpty();
    assertThat(Divergence.of(program, List.of("0 1", "0", "end"), List.of("0 1", "EBUSY", "end")))
        .hasValueSatisfying(divergence -> {
          assertThat(divergence.index()).isEqualTo(1);
          assertThat(divergence.fault()).isEqualTo("DESTROY: real 0, mock EBUSY");
        });
  }
}
