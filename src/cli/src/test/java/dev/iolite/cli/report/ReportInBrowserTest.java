package dev.iolite.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.cli.drawing.Xml;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reports in a real browser, if this machine has Chromium. */
@Timeout(120)
class ReportInBrowserTest {
  /** Measures a page in a frame, which can be narrower than Chromium's own window. */
  private static final String FRAME =
      """
      <!DOCTYPE html><meta charset="utf-8"><iframe width="%d" height="800" srcdoc="%s"></iframe>
      <script>
      onload = () => {
        const page = document.querySelector('iframe').contentDocument;
        page.querySelectorAll('details').forEach(each => { each.open = true; });
        const room = page.documentElement.clientWidth;
        const parts = [...page.querySelectorAll('body *')].filter(each => !each.closest('.wide'));
        document.title = [
          page.documentElement.scrollWidth <= room,
          parts.filter(each => each.getBoundingClientRect().right > room + 1).length,
          page.defaultView.getComputedStyle(page.body).backgroundColor,
        ].join('|');
      };
      </script>
      """;

  @TempDir private Path directory;

  private static Path chromium() {
    Optional<Path> found =
        Stream.of(System.getenv("PATH").split(":", -1))
            .map(directory -> Path.of(directory, "chromium"))
            .filter(Files::isExecutable)
            .findFirst();
    assumeTrue(found.isPresent(), "there is no chromium, which is a package of Debian");
    return found.get();
  }

  private String run(String... options) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Stream.concat(
                        Stream.of(
                            chromium().toString(),
                            "--headless",
                            "--no-sandbox",
                            "--disable-gpu",
                            "--user-data-dir=" + directory.resolve("profile")),
                        Stream.of(options))
                    .toList())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      return out;
    } finally {
      process.destroyForcibly();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          360 | 0 | rgb(18, 22, 27)
          360 | 1 | rgb(255, 255, 255)
          1280 | 1 | rgb(255, 255, 255)
          """)
  void itFitsItsWindowInBothSchemes(int width, int scheme, String background)
      throws IOException, InterruptedException {
    Path frame = directory.resolve("frame.html");
    Files.writeString(frame, FRAME.formatted(width, Xml.escaped(AccessibleReportTest.page())));
    String out =
        run(
            "--blink-settings=preferredColorScheme=" + scheme,
            "--window-size=1400,900",
            "--dump-dom",
            frame.toUri().toString());
    assertThat(out).contains("<title>true|0|%s</title>".formatted(background));
  }

  @Test
  void itIsPrinted() throws IOException, InterruptedException {
    Path page = Files.writeString(directory.resolve("a.html"), AccessibleReportTest.page());
    Path pdf = directory.resolve("a.pdf");
    run("--print-to-pdf=" + pdf, page.toUri().toString());
    assertThat(pdf).exists();
    assertThat(Files.readAllBytes(pdf)).startsWith("%PDF-".getBytes(StandardCharsets.US_ASCII));
  }
}
