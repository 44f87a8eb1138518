package dev.iolite.tdi.evidence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Roots that vouch for a device, and others that do not. OpenSSL made the certificates. */
class CertificateChainTest {
  private static Trust root() {
    return Trust.of(Vector.resource("root.pem"), "root.pem");
  }

  private static Evidence evidence() {
    return Evidence.parse(MemorySegment.ofArray(Vector.resource("v12-ecdsa-p384.bin")));
  }

  private static byte[] der(String name) {
    String text = new String(Vector.resource(name), StandardCharsets.US_ASCII);
    return Base64.getMimeDecoder().decode(text.replaceAll("-----[A-Z ]+-----", "").strip());
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** SPDM's form: the length, two reserved bytes, the digest of the root, DER. */
  private static byte[] spdm(String hash, String root, byte[]... certificates) throws Exception {
    byte[] digest = MessageDigest.getInstance(hash).digest(der(root));
    byte[] rest = joined(digest, joined(certificates));
    return joined(
        ByteBuffer.allocate(4)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putShort((short) (rest.length + 4))
            .array(),
        rest);
  }

  private static Verified verify(byte[] chain) {
    return root().withChain(chain, "chain").verify(evidence(), Optional.empty());
  }

  @Test
  void aDevicesOwnCertificateCanBeTrusted() {
    Trust own = Trust.of(Vector.resource("device.pem"), "device.pem");
    assertThat(own.verify(evidence(), Optional.empty()).key()).isEqualTo("the key of CN=device");
    assertThat(Trust.of(der("device.pem"), "device.der").verify(evidence(), Optional.empty()).key())
        .isEqualTo("the key of CN=device");
  }

  @ParameterizedTest
  @ValueSource(strings = {"SHA-256", "SHA-384", "SHA-512", "SHA3-384"})
  void aChainInSpdmsFormLeadsToTheRoot(String hash) throws Exception {
    byte[] with = spdm(hash, "root.pem", der("root.pem"), der("between.pem"), der("device.pem"));
    assertThat(verify(with).key()).isEqualTo("the key of CN=device");
    byte[] without = spdm(hash, "root.pem", der("between.pem"), der("device.pem"));
    assertThat(verify(without).key()).isEqualTo("the key of CN=device");
  }

  @Test
  void aChainInDerOrPemOfEitherOrderDoes() {
    assertThat(verify(joined(der("between.pem"), der("device.pem"))).key()).contains("CN=device");
    byte[] leafFirst = joined(Vector.resource("device.pem"), Vector.resource("between.pem"));
    assertThat(verify(leafFirst).key()).contains("CN=device");
    byte[] rootFirst =
        joined(
            Vector.resource("root.pem"),
            Vector.resource("between.pem"),
            Vector.resource("device.pem"));
    assertThat(verify(rootFirst).key()).contains("CN=device");
  }

  @Test
  void anotherRootHasNotVouchedForIt() throws Exception {
    Trust other = Trust.of(Vector.resource("other-root.pem"), "other-root.pem");
    byte[] plain = joined(der("between.pem"), der("device.pem"));
    assertThatThrownBy(() -> other.withChain(plain, "chain").verify(evidence(), Optional.empty()))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("the certificates of chain do not lead to CN=other root");
    byte[] spdm = spdm("SHA-384", "root.pem", der("between.pem"), der("device.pem"));
    assertThatThrownBy(() -> other.withChain(spdm, "chain").verify(evidence(), Optional.empty()))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("the digest of the root in chain is not that of CN=other root");
  }

  @Test
  void oneBelowTheRootCanBeTrusted() throws Exception {
    Trust between = Trust.of(Vector.resource("between.pem"), "between.pem");
    byte[] all =
        spdm("SHA-384", "root.pem", der("root.pem"), der("between.pem"), der("device.pem"));
    assertThat(between.withChain(all, "chain").verify(evidence(), Optional.empty()).key())
        .isEqualTo("the key of CN=device");
    byte[] wrongDigest =
        spdm("SHA-384", "other-root.pem", der("root.pem"), der("between.pem"), der("device.pem"));
    assertThatThrownBy(
            () -> between.withChain(wrongDigest, "chain").verify(evidence(), Optional.empty()))
        .hasMessageContaining("the digest of the root in chain is not that of");
  }

  @Test
  void aCertificateThatWasChangedDoesNotLeadThere() {
    byte[] device = der("device.pem");
    device[device.length - 1] ^= 1;
    assertThatThrownBy(() -> verify(joined(der("between.pem"), device)))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("do not lead to CN=root");
  }

  @Test
  void aCertificateThatHasExpiredIsNotTrusted() {
    assertThatThrownBy(() -> verify(joined(der("between.pem"), der("expired.pem"))))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("validity check failed");
  }

  @Test
  void aChainOfAnotherDeviceDoesNotVerify() {
    assertThatThrownBy(() -> verify(joined(der("between.pem"))))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("it is not one by the key of CN=between");
  }

  @Test
  void aRootWithoutAChainIsToldOfIt() {
    assertThatThrownBy(() -> root().verify(evidence(), Optional.empty()))
        .isInstanceOf(UntrustedEvidenceException.class)
        .hasMessageContaining("the chain has the device's own");
  }

  @Test
  void whatIsTrustedIsOneCertificate() {
    byte[] two = joined(Vector.resource("root.pem"), Vector.resource("device.pem"));
    assertThatThrownBy(() -> Trust.of(two, "two.pem"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("two.pem: there are 2 certificates and keys in it");
    Trust key = Trust.of(Vector.resource("v12-ecdsa-p384.pem"), "key.pem");
    assertThatThrownBy(() -> key.withChain(two, "two.pem"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("a bare key is trusted, not a certificate");
    assertThatThrownBy(() -> root().withChain(Vector.resource("v12-ecdsa-p384.pem"), "key.pem"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("key.pem: there is no certificate in it");
  }
}
