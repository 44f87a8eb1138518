package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code iolite vm run} says of input that can't be a guest. */
class VmCommandTest {
  @TempDir private Path directory;

  private static Cli run(String... options) {
    String[] words = new String[options.length + 4];
    words[0] = "--kernel";
    words[1] = "mock:plain";
    words[2] = "vm";
    words[3] = "run";
    System.arraycopy(options, 0, words, 4, options.length);
    return Cli.run(words);
  }

  private String file(String content) throws IOException {
    return Files.writeString(directory.resolve("file"), content).toString();
  }

  @Test
  void behindTheCommandKernelIsTheGuests() throws IOException {
    Cli cli = run("--kernel", file("no kernel"));
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).startsWith("iolite: boot " + directory).contains("no setup header");
    assertThat(run().err()).contains("Missing required option: '--kernel=BZIMAGE'");
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    Cli cli = run("--kernel", directory.resolve("none").toString());
    assertThat(cli.code()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("read the kernel " + directory.resolve("none"));
  }

  @Test
  void numbersHaveTheirRanges() throws IOException {
    String kernel = file("no kernel");
    assertThat(run("--kernel", kernel, "--cpus", "0").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("--kernel", kernel, "--cpus", "255").err()).contains("1 to 254 processors");
    assertThat(run("--kernel", kernel, "--memory", "much").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("--kernel", kernel, "--device", "here").code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("--kernel", kernel, "--vm", "other").code()).isEqualTo(ExitCode.USAGE);
  }
}
