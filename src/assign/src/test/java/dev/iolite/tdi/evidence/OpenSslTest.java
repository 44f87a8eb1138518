package dev.iolite.tdi.evidence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Signatures that OpenSSL makes now, with keys that are new. */
class OpenSslTest {
  @TempDir private Path directory;

  @BeforeAll
  static void requireOpenSsl() {
    String missing = OpenSsl.missing();
    assumeTrue(missing.isEmpty(), missing);
  }

  /** RSA with 4096 bits takes long to make a key for. */
  static Stream<Vector> vectors() {
    return Vector.ALL.stream().filter(vector -> !vector.name().contains("4096"));
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void whatItSignsIsVerified(Vector vector) throws Exception {
    vector.make(directory);
    byte[] bytes = Files.readAllBytes(directory.resolve(vector.name() + ".bin"));
    Trust trust = Trust.of(Files.readAllBytes(directory.resolve(vector.name() + ".pem")), "new");
    Evidence good = Evidence.parse(MemorySegment.ofArray(bytes));
    assertThat(trust.verify(good, Optional.of(Vector.NONCE)).signing()).isEqualTo(vector.signing());
    bytes[bytes.length - vector.signing().signatureBytes() - 20] ^= 1;
    Evidence changed = Evidence.parse(MemorySegment.ofArray(bytes.clone()));
    assertThatThrownBy(() -> trust.verify(changed, Optional.of(Vector.NONCE)))
        .isInstanceOf(UntrustedEvidenceException.class);
  }
}
