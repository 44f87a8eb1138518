package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.evidence.Trust;
import dev.iolite.tdi.evidence.UntrustedEvidenceException;
import dev.iolite.tdi.guest.Check;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Signatures of the lab's kernel seed-2025, verified by the JDK. */
@Tag("seed")
class SignedEvidenceSeedLabTest {
  private final TsmSim tsm = new TsmSim(SeedLife.IVSHMEM);
  private final SeedLife life = new SeedLife();
  private final List<Check> checks = new ArrayList<>();
  private final KeyPair device = keyPair();

  private static KeyPair keyPair() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterEach
  void nothingIsSignedAnyMore() {
    tsm.close();
  }

  private TdiAssignment trusting(PublicKey key) {
    String pem =
        "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
            .formatted(Base64.getMimeEncoder().encodeToString(key.getEncoded()));
    Trust trust = Trust.of(pem.getBytes(StandardCharsets.US_ASCII), "device.pem");
    return new TdiAssignment(life.options(life.kernel()).withTrust(trust));
  }

  private List<Check> signatures() {
    return checks.stream()
        .filter(check -> check.what().startsWith("the trusted device signed the measurements"))
        .toList();
  }

  @Test
  void theSignatureIsVerifiedForGuestAndHost() {
    tsm.signBy((RSAPrivateCrtKey) device.getPrivate());
    try (TdiAssignment assignment = trusting(device.getPublic())) {
      new Walkthrough(assignment, life.guest(assignment), checks::add).run();
    }
    assertThat(signatures())
        .hasSize(2)
        .allMatch(Check::isSo)
        .allMatch(check -> check.seen().contains("by the key of device.pem; made for the nonce"));
  }

  @Test
  void theSignatureOfAnotherDeviceFailsTheWalk() {
    tsm.signBy((RSAPrivateCrtKey) keyPair().getPrivate());
    assertWalkFails("it is not one by");
  }

  @Test
  void aDeviceWithoutAKeySignsNothing() {
    assertWalkFails("there is none");
  }

  private void assertWalkFails(String said) {
    try (TdiAssignment assignment = trusting(device.getPublic())) {
      Walkthrough walk = new Walkthrough(assignment, life.guest(assignment), checks::add);
      assertThatThrownBy(walk::run)
          .isInstanceOf(ScenarioException.class)
          .hasMessageContaining("the trusted device signed the measurements for the guest")
          .hasMessageContaining(said);
    }
    assertThat(signatures()).hasSize(2).noneMatch(Check::isSo);
  }

  @Test
  void anAnswerIsNotForTheNextNonce() {
    tsm.signBy((RSAPrivateCrtKey) device.getPrivate());
    try (TdiAssignment assignment = trusting(device.getPublic())) {
      assignment.assign();
      assignment.bind();
      byte[] nonce = Measurements.freshNonce();
      Evidence evidence = Evidence.parse(MemorySegment.ofArray(assignment.measurements(nonce)));
      Trust trust = assignment.trust().orElseThrow();
      trust.verify(evidence, Optional.of(nonce));
      assertThatThrownBy(() -> trust.verify(evidence, Optional.of(Measurements.freshNonce())))
          .isInstanceOf(UntrustedEvidenceException.class)
          .hasMessageContaining("made for another request");
    }
  }
}
