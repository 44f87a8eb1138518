package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceMeasurements;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.pci.Machine;
import dev.iolite.tdi.TestDevice;
import dev.iolite.tsm.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/** Measurements as the commands show and verify them, from files and from a held device. */
class TdiEvidenceTest {
  private static final String NONCE = "a5".repeat(32);

  @TempDir private Path directory;

  private static String resource(String name) {
    return TestDevice.file(name).toString();
  }

  private static Cli evidence(String... arguments) {
    List<String> all = new ArrayList<>(List.of("tdi", "evidence"));
    all.addAll(List.of(arguments));
    return Cli.run(all.toArray(String[]::new));
  }

  @Test
  void withoutTrustItIsShownAndSaidThatNothingWasVerified() {
    Cli cli = evidence(resource("v13-ecdsa-p384.bin"));
    assertThat(cli.code()).isZero();
    assertThat(cli.err()).isEmpty();
    assertThat(cli.out())
        .containsPattern("messages +SPDM 1.3: GET_VERSION to ALGORITHMS, GET_MEASUREMENTS, MEAS")
        .containsPattern("certificate slot +2")
        .containsPattern("content +unchanged")
        .containsPattern("device's nonce +(77){32}")
        .containsPattern("device-specific +00000000")
        .containsPattern("requester's context +0102030405060708")
        .containsPattern("signature +[0-9a-f]{192}\n")
        .containsPattern("verified +no: nobody is trusted \\(--trust\\)")
        .containsPattern("2 +mutable firmware's version +raw +\"v1\"")
        .containsPattern("3 +hash-extended measurement +digest +(33){48}");
  }

  @Test
  void withTrustTheSignatureIsVerified() {
    Cli cli =
        evidence(
            resource("v12-ecdsa-p384.bin"),
            "--trust",
            resource("root.pem"),
            "--chain",
            chain(),
            "--nonce",
            NONCE);
    assertThat(cli.err()).isEmpty();
    assertThat(cli.code()).isZero();
    assertThat(cli.out())
        .containsPattern(
            "verified +ECDSA_P384 with SHA-384, by the key of CN=device; made for the nonce that"
                + " was asked with");
  }

  private String chain() {
    try {
      Path chain = directory.resolve("chain.pem");
      Files.writeString(
          chain,
          Files.readString(TestDevice.file("between.pem"))
              + Files.readString(TestDevice.file("device.pem")));
      return chain.toString();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void asJson() {
    Cli cli =
        evidence("-o", "json", resource("v12-ecdsa-p384.bin"), "--trust", resource("device.pem"));
    assertThat(cli.code()).isZero();
    JsonNode json = JsonMapper.shared().readTree(cli.out());
    assertThat(json.get("verified").asBoolean()).isTrue();
    assertThat(json.get("verdict").asString()).startsWith("ECDSA_P384 with SHA-384, by the key of");
    JsonNode measured = json.get("measurements");
    assertThat(measured.get("version").asString()).isEqualTo("1.2");
    assertThat(measured.get("change").asString()).isEqualTo("unchanged");
    assertThat(measured.get("slot").asInt()).isEqualTo(2);
    assertThat(measured.get("blocks")).hasSize(2);
    assertThat(measured.get("nonce").asString()).isEqualTo("77".repeat(32));
    Cli wrong =
        evidence("-o", "json", resource("v12-ecdsa-p384.bin"), "--trust", resource("root.pem"));
    assertThat(wrong.code()).isEqualTo(1);
    json = JsonMapper.shared().readTree(wrong.out());
    assertThat(json.get("verified").asBoolean()).isFalse();
    assertThat(wrong.err()).contains(json.get("verdict").asString());
  }

  /** In a block, the nonce, the opaque bytes, the context, the signature. */
  @ParameterizedTest
  @CsvSource({"200", "-130", "-106", "-100", "-1"})
  void aFlippedBitFails(int at) throws IOException {
    byte[] bytes = Files.readAllBytes(TestDevice.file("v13-ecdsa-p384.bin"));
    bytes[at < 0 ? bytes.length + at : at] ^= 1;
    Path file = Files.write(directory.resolve("flipped"), bytes);
    Cli cli = evidence(file.toString(), "--trust", resource("v13-ecdsa-p384.pem"));
    assertThat(cli.code()).isEqualTo(1);
    if (at == -100) {
      assertThat(cli.err()).contains("another context than the request's; the answer repeats");
    } else {
      assertThat(cli.err())
          .startsWith("iolite: verify the signature of the measurements: it is not one by")
          .contains("tried [ECDSA_P384 with SHA-384]")
          .contains("That means: messages or signature were changed, or another device");
      assertThat(cli.out()).containsPattern("verified +no: that the trusted device made this");
    }
  }

  /** RMM keeps what was agreed on apart from one answer. */
  @Test
  void messagesMayBeInFilesOfTheirOwnAndTheRequestRebuilt() throws IOException {
    byte[] all = Files.readAllBytes(TestDevice.file("v12-ecdsa-p384.bin"));
    int agreed = 4 + 10 + 20 + 20 + 36 + 40;
    Path before = Files.write(directory.resolve("vca"), Arrays.copyOf(all, agreed));
    Path answer =
        Files.write(directory.resolve("answer"), Arrays.copyOfRange(all, agreed + 37, all.length));
    String key = resource("device.pem");
    Cli both = evidence(before.toString(), answer.toString(), "--trust", key, "--nonce", NONCE);
    assertThat(both.code()).isZero();
    assertThat(both.out()).contains("the request is not there, and was rebuilt");
    Cli withoutNonce = evidence(before.toString(), answer.toString(), "--trust", key);
    assertThat(withoutNonce.code()).isEqualTo(4);
    assertThat(withoutNonce.err()).contains("the request is not there, and it is signed too");
    Cli alone = evidence(answer.toString(), "--trust", key, "--nonce", NONCE);
    assertThat(alone.code()).isEqualTo(4);
    assertThat(alone.err())
        .contains("GET_VERSION to ALGORITHMS are not there", "nothing was verified");
    assertThat(alone.out()).contains("mutable firmware's version");
  }

  @Test
  void whatIsWrongIsSaidWithItsExitCode() throws IOException {
    String key = resource("device.pem");
    Path empty = Files.write(directory.resolve("empty"), new byte[0]);
    Cli noMessage = evidence(empty.toString());
    assertThat(noMessage.code()).isEqualTo(1);
    assertThat(noMessage.err())
        .contains("MEASUREMENTS message, byte 0: the message ends at byte 0");
    assertThat(evidence(directory.resolve("none").toString()).code()).isEqualTo(4);
    Cli noKey = evidence(resource("v12-ecdsa-p384.bin"), "--trust", empty.toString());
    assertThat(noKey.code()).isEqualTo(4);
    assertThat(noKey.err()).contains("read the certificates of " + empty);
    Cli noTrust = evidence(resource("v12-ecdsa-p384.bin"), "--chain", key);
    assertThat(noTrust.code()).isEqualTo(2);
    assertThat(noTrust.err()).contains("--chain, --signing and --hash go with --trust");
    Cli noNonce = evidence(resource("v12-ecdsa-p384.bin"), "--nonce", "00");
    assertThat(noNonce.code()).isEqualTo(2);
    assertThat(noNonce.err()).contains("a nonce is 64 hexadecimal digits, not 2");
    Cli old = evidence(resource("v12-ecdsa-p384.bin"), "--trust", key, "--nonce", "00".repeat(32));
    assertThat(old.code()).isEqualTo(1);
    assertThat(old.err()).contains("it was made for another request");
    Cli otherHash = evidence(resource("v12-ecdsa-p384.bin"), "--trust", key, "--hash", "sha-512");
    assertThat(otherHash.code()).isEqualTo(1);
    assertThat(otherHash.err()).contains("the messages name SHA-384, and SHA-512 is demanded");
  }

  private Cli hold(DeviceMeasurements measured, String trusted, String... more) {
    try (MockKernel kernel =
        MockKernel.builder()
            .platform(Platform.TDX)
            .profile(Profile.SEED_2025)
            .machine(new Machine().function("0000:00:07.0", TdispEndpoint.measuring(measured)))
            .build()) {
      List<String> words =
          new ArrayList<>(
              List.of(
                  "tdi",
                  "assign",
                  "00:07.0",
                  "--vm",
                  "tdx",
                  "--run-dir",
                  directory.resolve("run").toString(),
                  "--trust",
                  resource(trusted)));
      words.addAll(List.of(more));
      return Cli.runOnWith(
          kernel, "bind\nmeasurements " + NONCE + "\nquit\n", words.toArray(String[]::new));
    }
  }

  @Test
  void aHeldDevicesMeasurementsAreVerified() {
    Cli cli = hold(TestDevice.signed(), "device.pem", "--hold");
    assertThat(cli.err()).isEmpty();
    assertThat(cli.after("measurements " + NONCE))
        .containsPattern("nonce asked with +" + NONCE)
        .containsPattern("messages +SPDM 1.2: GET_VERSION to ALGORITHMS, GET_MEASUREMENTS, MEAS")
        .containsPattern("verified +ECDSA_P384 with SHA-384, by the key of CN=device; made for the")
        .contains("\"iolite 1.0\"");
    Cli root = hold(TestDevice.signed(), "root.pem", "--hold", "--chain", chain());
    assertThat(root.err()).isEmpty();
    assertThat(root.after("measurements " + NONCE)).contains("by the key of CN=device");
  }

  @Test
  void aHeldDeviceThatIsNotTheTrustedOneFails() {
    Cli unsigned = hold(DeviceMeasurements.usual(), "device.pem", "--hold");
    assertThat(unsigned.err()).contains("verify the signature of the measurements: there is none");
    assertThat(unsigned.after("measurements " + NONCE))
        .contains("no: that the trusted device made this", "\"iolite 1.0\"");
    Cli other = hold(TestDevice.signed(), "v13-ecdsa-p384.pem", "--hold", "-o", "json");
    ObjectReader reader = JsonMapper.shared().readerFor(JsonNode.class);
    JsonNode document =
        reader.<JsonNode>readValues(other.out()).readAll().stream()
            .filter(reply -> reply.get("command").asString().startsWith("measurements"))
            .findFirst()
            .orElseThrow();
    assertThat(document.get("code").asInt()).isEqualTo(1);
    assertThat(document.get("verified").asBoolean()).isFalse();
    assertThat(document.get("verdict").asString()).contains("it is not one by the key of");
    assertThat(document.get("error").asString()).contains("it is not one by the key of");
  }

  @Test
  void anAssignmentToWhichAnUntrustedDeviceAnswersFails() {
    Cli good = hold(TestDevice.signed(), "device.pem", "--all");
    assertThat(good.code()).isZero();
    assertThat(good.out())
        .contains("check  the trusted device signed the measurements for the host: ECDSA_P384");
    Cli bad = hold(DeviceMeasurements.usual(), "device.pem");
    assertThat(bad.code()).isEqualTo(1);
    assertThat(bad.out())
        .contains("WRONG  the trusted device signed the measurements for the host: verify the");
    assertThat(bad.err()).contains("1 check(s) failed; the first: the trusted device signed");
  }
}
