package dev.iolite.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ProgramTest {
  private static final int PROGRAMS = 200;

  @Test
  void aSeedAlwaysGivesTheSameProgram() {
    assertThat(Program.ofSeed(LabKernel.STOCK, 7))
        .isEqualTo(Program.ofSeed(LabKernel.STOCK, 7))
        .isNotEqualTo(Program.ofSeed(LabKernel.STOCK, 8));
  }

  @Test
  void whatIsSavedIsReadAgain(@TempDir Path directory) throws IOException {
    List<Program> programs = Program.ofSeeds(LabKernel.STOCK, 1, 3).toList();
    Path file = directory.resolve("programs.jsonl");

    Program.write(file, programs);

    assertThat(Program.read(file)).isEqualTo(programs);
  }

  private static Set<Kind> kinds(LabKernel kernel) {
    return Program.ofSeeds(kernel, 1, PROGRAMS)
        .flatMap(program -> program.ops().stream())
        .map(Op::kind)
        .collect(Collectors.toSet());
  }

  @Test
  void everyKindOfCallIsMade() {
    assertThat(kinds(LabKernel.STOCK)).isEqualTo(EnumSet.range(Kind.IOAS, Kind.LIST_SET));
    assertThat(kinds(LabKernel.SEED_2025)).isEqualTo(EnumSet.allOf(Kind.class));
  }

  @Test
  void programsOfThePrivateHalfReachWhatIsWorthComparing() {
    Reached reached = new Reached();
    try (Machine machine = Machine.model(LabKernel.SEED_2025)) {
      Program.ofSeeds(LabKernel.SEED_2025, 1, PROGRAMS)
          .forEach(program -> reached.add(program, machine.run(program.ops())));
    }
    assertThat(reached.missed()).as("%s", reached).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void theModelAnswersTheSameProgramTheSameAgain(LabKernel kernel) {
    try (Machine machine = Machine.model(kernel)) {
      for (Program program : Program.ofSeeds(kernel, 1, PROGRAMS / 10).toList()) {
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
