package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.UapiHeaders;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.IommufdIoctls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The programs of examples/ in other languages run on the model, each with its own run time. */
@Timeout(300)
class LanguagesTest {
  private static final Path EXAMPLES = Path.of("examples").toAbsolutePath();

  @TempDir private Path directory;

  /** A language that programs are written in. */
  enum Language {
    C,
    RUST,
    GO;

    /** The command that builds the example; the test is skipped if there is no compiler for it. */
    List<String> build(Path program) throws IOException, InterruptedException {
      return switch (this) {
        case C -> {
          UapiHeaders headers = UapiHeaders.orSkip();
          yield List.of(
              "gcc",
              "-isystem",
              headers.headers().toString(),
              "-isystem",
              headers.asmHeaders().toString(),
              "-o",
              program.toString(),
              EXAMPLES.resolve("c/edu.c").toString());
        }
        case RUST -> {
          assumeRuns("rustc", "--version");
          yield List.of(
              "rustc", "-o", program.toString(), EXAMPLES.resolve("rust/edu.rs").toString());
        }
        case GO -> {
          assumeRuns("go", "version");
          yield List.of(
              "go", "build", "-o", program.toString(), EXAMPLES.resolve("go/edu.go").toString());
        }
      };
    }
  }

  private static void assumeRuns(String compiler, String version) throws InterruptedException {
    boolean isThere;
    try {
      isThere = CProgram.runHere(List.of(compiler, version)).status() == 0;
    } catch (IOException e) {
      isThere = false;
    }
    assumeTrue(isThere, "Skipped: no " + compiler + " on the PATH");
  }

  /** Builds the example and runs it, with what it writes. */
  private CProgram.Run run(Language language, Faults faults)
      throws IOException, InterruptedException {
    Path program = directory.resolve("edu");
    assertEquals(0, CProgram.runHere(language.build(program)).status());
    Path output = directory.resolve("output");
    Door door =
        new Door(
            MockKernel.builder(),
            (kernel, memory) -> new FaultyKernel(kernel, memory, Ioctls.ofHeaders(), faults));
    String command = "exec " + program + " 0000:00:02.0 > " + output + " 2>&1";
    int status = door.run(List.of("sh", "-c", command));
    return new CProgram.Run(status, Files.readString(output));
  }

  @ParameterizedTest
  @EnumSource(Language.class)
  void itReadsARegister(Language language) throws Exception {
    assertEquals(new CProgram.Run(0, "register 0: 010000ed\n"), run(language, Faults.none()));
  }

  @ParameterizedTest
  @EnumSource(Language.class)
  void itReportsACallThatFails(Language language) throws Exception {
    Faults faults =
        Faults.none()
            .fail(Calls.of(IommufdIoctls.IOMMU_IOAS_ALLOC), 1, Errno.ENOMEM, Faults.When.BEFORE);
    CProgram.Run run = run(language, faults);
    assertEquals(1, run.status());
    assertTrue(run.output().startsWith("IOMMU_IOAS_ALLOC: "), run.output());
    assertTrue(run.output().contains("annot allocate memory"), run.output());
  }
}
