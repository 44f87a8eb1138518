package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A process of its own prints in the charset of its locale. */
@Timeout(120)
class CharsetTest {
  private static byte[] assign(String locale, String... javaOptions)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(javaOptions));
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "--kernel",
            "mock:tdx",
            "tdi",
            "assign",
            "--all"));
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("LC_ALL", locale);
    Process process = builder.start();
    byte[] printed = process.getInputStream().readAllBytes();
    assertThat(process.waitFor()).isZero();
    return printed;
  }

  @Test
  void inTheCLocaleThereIsAsciiOnly() throws IOException, InterruptedException {
    byte[] printed = assign("C");
    assertThat(new String(printed, StandardCharsets.ISO_8859_1))
        .isASCII()
        .contains("0x2000          4 KiB  . shared", "# private   . shared");
  }

  @Test
  void inUtf8ThereAreBlocks() throws IOException, InterruptedException {
    assertThat(new String(assign("C.UTF-8"), StandardCharsets.UTF_8))
        .contains("0x2000          4 KiB  ░ shared", "█ private   ░ shared");
  }

  @Test
  void whatJavaIsToldAboutAStreamTakesPrecedence() throws IOException, InterruptedException {
    assertThat(new String(assign("C", "-Dstdout.encoding=UTF-8"), StandardCharsets.UTF_8))
        .contains("█ private   ░ shared");
  }
}
