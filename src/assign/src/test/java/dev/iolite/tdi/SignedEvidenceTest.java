package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.evidence.Evidence;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.evidence.UntrustedEvidenceException;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.guest.SilentGuest;
import dev.iolite.tsm.Profile;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A device that signs its measurements, and a host that trusts it, or does not. */
class SignedEvidenceTest {
  private final List<Check> checks = new ArrayList<>();

  private static Life life(Platform platform, Profile profile, DeviceMeasurements measured) {
    return new Life(platform, profile, TdispEndpoint.measuring(measured));
  }

  private static TdiAssignment trusting(Life life, String certificate) {
    return new TdiAssignment(life.options(life.kernel).withTrust(TestDevice.trust(certificate)));
  }

  private List<Check> signatures() {
    return checks.stream()
        .filter(check -> check.what().startsWith("the trusted device signed the measurements"))
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,SEED_2025", "TDX,ARM_V5", "SEV,CCA_V7"})
  void theSignatureIsVerifiedForGuestAndHost(Platform platform, Profile profile) {
    Life life = life(platform, profile, TestDevice.signed());
    try (TdiAssignment assignment = trusting(life, "device.pem")) {
      new Walkthrough(assignment, life.guest(assignment), checks::add).run();
    }
    assertThat(signatures()).hasSize(2).allMatch(Check::isSo);
    assertThat(signatures())
        .allMatch(check -> check.seen().contains("by the key of CN=device; made for the nonce"));
    life.kernel.close();
  }

  @Test
  void whereNobodyIsTrustedItIsSaidThatNothingWasVerified() {
    Life life = life(Platform.TDX, Profile.SEED_2025, TestDevice.signed());
    try (TdiAssignment assignment = life.assignment()) {
      new Walkthrough(assignment, life.guest(assignment), checks::add).run();
    }
    assertThat(signatures()).isEmpty();
    assertThat(life.remarks).anyMatch(text -> text.contains("so none was verified"));
    life.kernel.close();
  }

  @ParameterizedTest
  @CsvSource({"true, v13-ecdsa-p384.pem, it is not one by", "false, device.pem, there is none"})
  void anotherDeviceOrNoSignatureFailsTheWalk(boolean signs, String trusted, String said) {
    Life life =
        life(
            Platform.TDX,
            Profile.SEED_2025,
            signs ? TestDevice.signed() : DeviceMeasurements.usual());
    try (TdiAssignment assignment = trusting(life, trusted)) {
      Walkthrough walk = new Walkthrough(assignment, life.guest(assignment), checks::add);
      assertThatThrownBy(walk::run)
          .isInstanceOf(ScenarioException.class)
          .hasMessageContaining("the trusted device signed the measurements for the guest")
          .hasMessageContaining(said);
    }
    assertThat(signatures()).hasSize(2).noneMatch(Check::isSo);
    life.kernel.close();
  }

  @Test
  void theHostVerifiesForAGuestThatDoesNotAsk() {
    Life life = life(Platform.TDX, Profile.SEED_2025, TestDevice.signed());
    try (TdiAssignment assignment = trusting(life, "device.pem")) {
      new Walkthrough(assignment, new SilentGuest(assignment), checks::add).run();
    }
    assertThat(signatures()).hasSize(1).allMatch(Check::isSo);
    life.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"V6", "INTEL_RFC_2025"})
  void trustWhereNothingCanBeReadFailsTheWalk(Profile profile) {
    Life life = life(Platform.TDX, profile, TestDevice.signed());
    try (TdiAssignment assignment = trusting(life, "device.pem")) {
      Walkthrough walk = new Walkthrough(assignment, life.guest(assignment), checks::add);
      assertThatThrownBy(walk::run)
          .isInstanceOf(ScenarioException.class)
          .hasMessageContaining("can be read, to verify their signature")
          .hasMessageContaining("the kernel has no call for it (UAPI profile " + profile + ")");
    }
    life.kernel.close();
  }

  @Test
  void anAnswerIsNotForTheNextNonce() {
    Life life = life(Platform.TDX, Profile.SEED_2025, TestDevice.signed());
    try (TdiAssignment assignment = trusting(life, "device.pem")) {
      assignment.assign();
      assignment.bind();
      byte[] nonce = Measurements.freshNonce();
      Evidence evidence = Evidence.parse(MemorySegment.ofArray(assignment.measurements(nonce)));
      assignment.trust().orElseThrow().verify(evidence, Optional.of(nonce));
      assertThatThrownBy(() ->
              assignment
                  .trust()
                  .orElseThrow()
                  .verify(evidence, Optional.of(Measurements.freshNonce())))
          .isInstanceOf(UntrustedEvidenceException.class)
          .hasMessageContaining("made for another request");
    }
    life.kernel.close();
  }
}
