package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code scripts/iolite}, as a user runs it: from anywhere, on the jar that the build has made. */
class LauncherIT {
  private static final Path SCRIPT = Path.of("scripts", "iolite").toAbsolutePath();

  @TempDir Path elsewhere;

  private Cli run(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    return run(SCRIPT, environment, arguments);
  }

  private Cli run(Path script, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    Path out = elsewhere.resolve("out");
    Path err = elsewhere.resolve("err");
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(elsewhere.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().putAll(environment);
    int code = builder.start().waitFor();
    return new Cli(
        code,
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  @Test
  void runsTheModuleWithoutAWarningAndPassesTheExitCodeOn() throws Exception {
    Cli version = run(Map.of(), "--version");
    assertThat(version.err()).isEmpty();
    assertThat(version.out()).matches("iolite \\d+\\.\\d+\\.\\d+(-\\w+)?\n");
    assertThat(run(Map.of(), "pci", "--version").out()).isEqualTo(version.out());
    assertThat(version.code()).isZero();
    assertThat(run(Map.of(), "pci", "show", "ffff:ff:1f.7").code())
        .isEqualTo(ExitCode.PRECONDITION);
  }

  @Test
  void readsTheKernelThroughNativeCalls() throws Exception {
    Cli list = run(Map.of(), "pci", "list", "-o", "json");
    assertThat(list.err()).isEmpty();
    assertThat(list.code()).isZero();
    assertThat(list.out()).startsWith("[");
  }

  /** Java's module path has a colon between two entries, and no way to write one in an entry. */
  @Test
  void aCheckoutMayHaveAColonInItsPath() throws Exception {
    Path checkout = Files.createDirectory(elsewhere.resolve("a:b"));
    String copy =
        "cp -a --parents scripts pom.xml bindings/pom.xml bindings/target/iolite-uapi.jar"
            + " src/*/pom.xml src/*/target/iolite*.jar src/cli/target/lib \"$0\"";
    assertThat(
            new ProcessBuilder("sh", "-c", copy, checkout.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start()
                .waitFor())
        .isZero();
    Map<String, String> environment =
        Map.of(
            "XDG_CACHE_HOME", elsewhere.toString(), "JAVA_HOME", System.getProperty("java.home"));
    Cli version = run(checkout.resolve("scripts/iolite"), environment, "--version");
    assertThat(version.err()).isEmpty();
    assertThat(version.code()).isZero();
  }

  @Test
  void anOldJavaInJavaHomeIsPassedOver() throws Exception {
    assertThat(run(Map.of("JAVA_HOME", elsewhere.toString()), "--version").code()).isZero();
  }
}
