package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class MockRunCommandTest {
  private static final String READ =
      "cat /sys/bus/pci/devices/0000:00:02.0/vendor > /dev/null 2> /dev/null";

  private static Cli run(String... options) {
    String[] line = new String[options.length + 7];
    line[0] = "mock";
    line[1] = "run";
    line[2] = "mock:plain";
    System.arraycopy(options, 0, line, 3, options.length);
    System.arraycopy(new String[] {"--", "sh", "-c", READ}, 0, line, options.length + 3, 4);
    return Cli.run(line);
  }

  @Test
  void aProgramReadsTheModelsFilesAndSaysNothing() {
    assertThat(run()).isEqualTo(new Cli(0, "", ""));
  }

  @Test
  void aTraceShowsTheCallsThatTheModelAnswers() {
    Cli traced = run("--trace");
    assertThat(traced.code()).isZero();
    assertThat(traced.err())
        .contains("open", "/sys/bus/pci/devices/0000:00:02.0/vendor", "0x1234", "close")
        .doesNotContain("interruptible");
  }

  @Test
  void aFaultIsInjected() {
    assertThat(run("--fail", "open:1=EMFILE").code()).isEqualTo(1);
    assertThat(run("--fail", "open:2=EMFILE").code()).isZero();
    assertThat(run("--fail", "open:1=EMFILE:after").code()).isEqualTo(1);
  }

  @Test
  void aFaultThatDidNotHappenIsReported() {
    assertThat(run("--fail", "open:1=EMFILE").err()).isEmpty();
    assertThat(run("--fail", "open:2=EMFILE").err())
        .isEqualTo("iolite: --fail open:2=EMFILE had no effect: the program made this call once\n");
    assertThat(run("--fail", "fallocate:1=EIO").err()).contains("made this call 0 times");
  }

  @Test
  void aFaultThatCantBeIsAnErrorOfTheCommandLine() {
    assertThat(run("--fail", "open=EMFILE").err()).contains("IOMMU_IOAS_MAP:2=ENOMEM");
    assertThat(run("--fail", "open:0=EMFILE").code()).isEqualTo(2);
    assertThat(run("--fail", "open:1=EWHAT").err()).contains("there is no errno 'EWHAT'");
    assertThat(run("--fail", "munmap:1=EINVAL").err()).contains("there is no call 'munmap'");
  }

  @Test
  void aReportSaysHowTheProgramAndItsCallsEnded(@TempDir Path directory) throws IOException {
    Path report = directory.resolve("report.xml");
    assertThat(run("--junit", report.toString()).code()).isZero();
    assertThat(Files.readString(report))
        .contains("tests=\"1\" failures=\"0\"", "vendor &gt; /dev/null", "close ok 1\n")
        .doesNotContain("<failure");
    assertThat(run("--junit", report.toString(), "--fail", "open:1=EMFILE").code()).isEqualTo(1);
    assertThat(Files.readString(report))
        .contains("failures=\"1\"", "<failure message=\"exited with code 1\"/>", "open EMFILE 1\n");
    assertThat(run("--junit", directory.resolve("none/report.xml").toString()).err())
        .contains("its directory is missing", "the program itself ended with 0");
  }

  @Test
  void optionsThatMeanNothingHereAreNotTaken() {
    assertThat(Cli.run("mock", "run", "--help").out())
        .contains("--trace", "--junit")
        .doesNotContain("--kernel=", "--output");
    assertThat(run("--kernel", "mock:sev").code()).isEqualTo(2);
    assertThat(run("-o", "json").code()).isEqualTo(2);
  }

  @Test
  void onlyAModelRunsAProgram() {
    Cli host = Cli.run("mock", "run", "host", "--", "true");
    assertThat(host.code()).isEqualTo(2);
    assertThat(host.err()).contains("a program can only be run on a model");
  }

  @Test
  void aProgramThatIsMissingIsSaidBeforeAnythingRuns() {
    Cli missing = Cli.run("mock", "run", "mock:plain", "--", "./no-such-program");
    assertThat(missing.code()).isEqualTo(4);
    assertThat(missing.err()).contains("run ./no-such-program: there is no such file");
  }
}
