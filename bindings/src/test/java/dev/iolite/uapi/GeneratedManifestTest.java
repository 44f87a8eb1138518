package dev.iolite.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** The manifest names the inputs that are in the repository, as they are now. */
class GeneratedManifestTest {

  private static final String INPUT = "input.";

  @Test
  void theBindingsWereGeneratedFromTheUmbrellaHeadersAndTheTableOfCallsAsTheyAre()
      throws Exception {
    Properties manifest = new Properties();
    try (Reader reader =
        Files.newBufferedReader(Path.of("bindings/generated/GENERATED.properties"))) {
      manifest.load(reader);
    }
    List<String> inputs =
        manifest.stringPropertyNames().stream().filter(key -> key.startsWith(INPUT)).toList();

    assertThat(inputs).hasSize(2 * UapiHeaders.PACKAGES.size() + 1);
    for (String input : inputs) {
      assertThat(manifest.getProperty(input))
          .as("sha256 of %s: run scripts/generate-bindings after a change", input)
          .isEqualTo(sha256(Path.of(input.substring(INPUT.length()))));
    }
    assertThat(manifest.getProperty("jextract.version")).isNotBlank();
    assertThat(manifest.getProperty("headers.version")).startsWith("7.3.");
  }

  private static String sha256(Path file) throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
  }
}
