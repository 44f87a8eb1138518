package dev.iolite.tdi.evidence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.TestDevice;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Signatures that OpenSSL made, and what changes them; the resources' README says how. */
class TrustTest {
  private static final Vector P384 =
      Vector.ALL.stream().filter(v -> v.name().equals("v12-ecdsa-p384")).findAny().orElseThrow();

  static Stream<Vector> vectors() {
    return Stream.concat(Vector.ALL.stream(), Stream.of(Vector.ED448));
  }

  private static Evidence evidence(byte[]... parts) {
    TranscriptBytes all = new TranscriptBytes(0);
    for (byte[] part : parts) {
      all.add(part);
    }
    return all.parse();
  }

  private static Evidence changed(byte[] bytes, int at) {
    byte[] changed = bytes.clone();
    changed[at] ^= 1;
    return evidence(changed);
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void aSignatureIsVerified(Vector vector) {
    Verified verified = vector.trust().verify(vector.evidence(), Optional.of(Vector.NONCE));
    assertThat(verified.signing()).isEqualTo(vector.signing());
    assertThat(verified.hash()).isEqualTo(vector.hash());
    assertThat(verified.guessed()).isFalse();
    assertThat(verified)
        .hasToString(
            "%s with %s, by the key of %s.pem; made for the nonce that was asked with"
                .formatted(vector.signing(), vector.hash(), vector.name()));
  }

  /** The root's certificate is enough if the device was asked for its own. */
  @ParameterizedTest
  @CsvSource({"root.pem, device.pem, true", "other-root.pem, device.pem, false"})
  void certificatesAmongTheMessagesLeadToTheRoot(String root, String own, boolean leads)
      throws Exception {
    byte[] all = P384.bytes();
    int agreed = (int) P384.evidence().negotiation().orElseThrow().bytes();
    int slot = P384.evidence().measurements().slot();
    byte[] chain = spdmChain("root.pem", "between.pem", own);
    byte[] certificates =
        new TranscriptBytes(0x12)
            .certificate(slot, 0, Arrays.copyOf(chain, 400), chain.length - 400)
            .certificate(slot, 400, Arrays.copyOfRange(chain, 400, chain.length), 0)
            .toArray();
    Evidence evidence =
        evidence(
            Arrays.copyOf(all, agreed), certificates, Arrays.copyOfRange(all, agreed, all.length));
    Trust trust = Trust.of(Files.readAllBytes(TestDevice.file(root)), root);
    if (leads) {
      assertThat(trust.verify(evidence, Optional.of(Vector.NONCE)).toString())
          .contains("ECDSA_P384 with SHA-384, by the key of CN=device");
      assertThat(P384.trust().verify(evidence, Optional.of(Vector.NONCE))).isNotNull();
    } else {
      assertThatThrownBy(() -> trust.verify(evidence, Optional.of(Vector.NONCE)))
          .isInstanceOf(UntrustedEvidenceException.class)
          .hasMessageContaining("the messages");
    }
  }

  /** Length, digest of the root, certificates from the root down. */
  private static byte[] spdmChain(String... names) throws Exception {
    var certificates = new ByteArrayOutputStream();
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    byte[] digest = new byte[0];
    for (String name : names) {
      try (InputStream in = Files.newInputStream(TestDevice.file(name))) {
        byte[] der = factory.generateCertificate(in).getEncoded();
        digest = digest.length == 0 ? MessageDigest.getInstance("SHA-384").digest(der) : digest;
        certificates.writeBytes(der);
      }
    }
    ByteBuffer head = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    head.putShort((short) (4 + digest.length + certificates.size()));
    return new TranscriptBytes(0)
        .add(head.array())
        .add(digest)
        .add(certificates.toByteArray())
        .toArray();
  }

  /** Whatever bit is changed: in blocks, nonces, context, signature, or what was agreed on. */
  @ParameterizedTest
  @ValueSource(strings = {"v12-ecdsa-p384", "v13-ecdsa-p384"})
  void aChangedBitIsFoundWhereverItIs(String name) {
    Vector vector = Vector.ALL.stream().filter(v -> v.name().equals(name)).findAny().orElseThrow();
    byte[] good = vector.bytes();
    for (int at = 0; at < good.length; at++) {
      int here = at;
      assertThatThrownBy(
              () -> vector.trust().verify(changed(good, here), Optional.of(Vector.NONCE)))
          .as("byte %d", at)
          .isInstanceOfAny(MalformedMeasurementsException.class, UntrustedEvidenceException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("vectors")
  void aChangedBlockOrSignatureIsNotVerified(Vector vector) {
    byte[] good = vector.bytes();
    int signature = good.length - vector.signing().signatureBytes();
    for (int at : List.of(signature - 20, signature, good.length - 1)) {
      assertThatThrownBy(() -> vector.trust().verify(changed(good, at), Optional.empty()))
          .isInstanceOf(UntrustedEvidenceException.class)
          .hasMessageContaining("it is not one by the key of " + vector)
          .hasMessageContaining("tried [%s with %s]".formatted(vector.signing(), vector.hash()))
          .hasMessageContaining("messages or signature were changed");
    }
  }

  @Test
  void anOldAnswerIsNotForTheNonce() {
    assertThatThrownBy(() -> P384.trust().verify(P384.evidence(), Optional.of(new byte[32])))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("another nonce than the one that was asked with")
        .hasMessageContaining("made for another request");
    assertThat(P384.trust().verify(P384.evidence(), Optional.empty()).toString())
        .endsWith("which request it was made for was not checked: nobody said with which nonce");
  }

  @Test
  void anUnsignedAnswerIsNotTrusted() {
    Evidence unsigned = evidence(new MessageBytes().block(1, 0).end(0).toArray());
    assertThatThrownBy(() -> P384.trust().verify(unsigned, Optional.empty()))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("there is none");
  }

  @Test
  void withoutWhatWasAgreedOnNothingIsVerifiedFrom12On() {
    Evidence exchange =
        evidence(Arrays.copyOfRange(P384.bytes(), negotiated(P384), P384.bytes().length));
    assertThatThrownBy(() -> P384.trust().verify(exchange, Optional.empty()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("the messages from GET_VERSION to ALGORITHMS are not there")
        .hasMessageContaining("nothing was verified");
  }

  private static int negotiated(Vector vector) {
    return vector.evidence().negotiated().length;
  }

  /** SPDM 1.1 does not sign what was agreed on, so nothing may name the algorithms. */
  @Test
  void algorithmsThatNothingNamesAreFoundByTrying() {
    for (Vector vector : Vector.ALL) {
      if (vector.version() == 0x11) {
        Evidence exchange =
            evidence(Arrays.copyOfRange(vector.bytes(), negotiated(vector), vector.bytes().length));
        Verified guessed = vector.trust().verify(exchange, Optional.empty());
        assertThat(guessed.guessed()).isTrue();
        assertThat(guessed.signing()).isEqualTo(vector.signing());
        assertThat(guessed.hash()).isEqualTo(vector.hash());
        assertThat(guessed.toString()).contains("(nothing names them; found by trying)");
        Trust told =
            vector
                .trust()
                .withAlgorithms(Optional.of(vector.signing()), Optional.of(vector.hash()));
        assertThat(told.verify(exchange, Optional.empty()).guessed()).isFalse();
        Trust other =
            vector.trust().withAlgorithms(Optional.empty(), Optional.of(HashAlgorithm.SHA_256));
        assertThatThrownBy(() -> other.verify(exchange, Optional.empty()))
            .isInstanceOf(UntrustedEvidenceException.class)
            .hasMessageContaining("with SHA-256")
            .hasMessageNotContaining("SHA-384");
      }
    }
  }

  @Test
  void anAlgorithmThatIsDemandedIsTheOneThatWasAgreedOn() {
    Trust other = P384.trust().withAlgorithms(Optional.empty(), Optional.of(HashAlgorithm.SHA_512));
    assertThatThrownBy(() -> other.verify(P384.evidence(), Optional.empty()))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("the messages name SHA-384, and SHA-512 is demanded");
  }

  /** A TSM that hands out the answer alone has made the request with a nonce that is known. */
  @ParameterizedTest
  @ValueSource(strings = {"v11-ecdsa-p384", "v12-ecdsa-p384", "v13-ecdsa-p384"})
  void theRequestIsRebuiltFromItsNonce(String name) {
    Vector vector = Vector.ALL.stream().filter(v -> v.name().equals(name)).findAny().orElseThrow();
    byte[] all = vector.bytes();
    int start = negotiated(vector);
    int request = vector.evidence().requests().getFirst().bytes();
    Evidence withoutRequest =
        evidence(Arrays.copyOf(all, start), Arrays.copyOfRange(all, start + request, all.length));
    assertThat(withoutRequest.requests()).isEmpty();
    assertThat(vector.trust().verify(withoutRequest, Optional.of(Vector.NONCE)).toString())
        .endsWith("(the request is not there, and was rebuilt)");
    assertThatThrownBy(() -> vector.trust().verify(withoutRequest, Optional.of(new byte[32])))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("the answer was made for another nonce");
    assertThatThrownBy(() -> vector.trust().verify(withoutRequest, Optional.empty()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("the request is not there, and it is signed too");
  }

  @ParameterizedTest
  @ValueSource(strings = {"v11-ecdsa-p384", "v11-rsassa-3072"})
  void beforeSpdm12NumbersMayHaveTheLowestByteFirst(String name) {
    Vector vector = Vector.ALL.stream().filter(v -> v.name().equals(name)).findAny().orElseThrow();
    byte[] bytes = vector.bytes();
    int signature = bytes.length - vector.signing().signatureBytes();
    int number = vector.name().contains("ecdsa") ? 48 : 384;
    byte[] swapped = bytes.clone();
    for (int start = signature; start < bytes.length; start += number) {
      for (int i = 0; i < number; i++) {
        swapped[start + i] = bytes[start + number - 1 - i];
      }
    }
    vector.trust().verify(evidence(swapped), Optional.empty());
    byte[] newer = P384.bytes();
    int from = newer.length - 96;
    for (int i = 0; i < 96; i++) {
      newer[from + i] = P384.bytes()[from + i / 48 * 48 + 47 - i % 48];
    }
    assertThatThrownBy(() -> P384.trust().verify(evidence(newer), Optional.empty()))
        .as("since 1.2 it may not")
        .isInstanceOf(UntrustedEvidenceException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "v12-ecdsa-p384 | v12-ecdsa-p256  | made with ECDSA_P384, and the key of v12-ecdsa-p256.pem"
            + " can be used for [ECDSA_P256] only",
        "v12-ecdsa-p384 | v13-ecdsa-p384  | it is not one by the key of v13-ecdsa-p384.pem",
        "v12-rsapss-2048 | v12-rsassa-2048 | it is not one by the key of v12-rsassa-2048.pem",
        "v12-ed25519 | v12-rsassa-4096 | made with ED25519"
      })
  void anotherKeyIsNotTheDevices(String device, String trusted, String said) {
    Trust other = Trust.of(Vector.resource(trusted + ".pem"), trusted + ".pem");
    Evidence evidence = Evidence.parse(MemorySegment.ofArray(Vector.resource(device + ".bin")));
    assertThatThrownBy(() -> other.verify(evidence, Optional.empty()))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining(said)
        .hasMessageContaining("another device");
  }

  @ParameterizedTest
  @CsvSource({"512, 2, SM2_P256", "128, 64, SM3"})
  void anAlgorithmThatTheJdkLacksIsNamed(int signing, int hash, String name) {
    byte[] bytes =
        new TranscriptBytes(0x12)
            .negotiated(signing, hash)
            .request(TranscriptBytes.SIGNED, TranscriptBytes.ALL, new byte[32], 0, new byte[0])
            .add(new MessageBytes().block(1, 0).end(0).toArray())
            .add(new byte[64])
            .toArray();
    assertThatThrownBy(() -> P384.trust().verify(evidence(bytes), Optional.empty()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("it is made with %s, which the JDK does not have".formatted(name));
  }

  @Test
  void aKeyThatSpdmHasNoAlgorithmForIsNamed() {
    Trust small = Trust.of(Vector.resource("rsa1024.pem"), "rsa1024.pem");
    assertThatThrownBy(() -> small.verify(P384.evidence(), Optional.empty()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining(
            "the key of rsa1024.pem is an RSA key that SPDM has no algorithm for");
  }

  @Test
  void aSignatureThatIsShorterThanTheKeysIsAnotherDevices() {
    byte[] bytes =
        new TranscriptBytes(0x12)
            .negotiated(1 << 7, 2)
            .request(TranscriptBytes.SIGNED, TranscriptBytes.ALL, new byte[32], 0, new byte[0])
            .add(new MessageBytes().block(1, 0).end(0).toArray())
            .add(new byte[64])
            .toArray();
    assertThatThrownBy(() -> P384.trust().verify(evidence(bytes), Optional.empty()))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("it has 64 bytes, and one by the key of v12-ecdsa-p384.pem has 96");
  }
}
