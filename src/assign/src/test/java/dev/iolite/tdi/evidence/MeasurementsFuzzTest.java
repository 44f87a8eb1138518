package dev.iolite.tdi.evidence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;

/** Nothing that a device could send does harm: they are messages, or they are refused as none. */
class MeasurementsFuzzTest {
  private static final int[] VERSIONS = {0x11, 0x12, 0x13};
  private static final int[] CODES = {0x60, 0xe0, 0x84};

  /** Whether they are messages. What else is thrown fails the test. */
  private static boolean isEvidence(byte[] bytes) {
    Evidence evidence;
    try {
      evidence = Evidence.parse(MemorySegment.ofArray(bytes));
    } catch (MalformedMeasurementsException e) {
      assertThat(e.at()).isBetween(0L, (long) bytes.length);
      assertThat(e.getMessage()).contains("byte " + e.at() + ": ");
      return false;
    }
    Measurements read = evidence.measurements();
    long said = (long) evidence.negotiated().length + evidence.exchanged().length;
    said += read.signature().map(MemorySegment::byteSize).orElse(0L);
    assertThat(said).as("every byte has a meaning").isEqualTo(bytes.length);
    assertThat(read.blocks()).isNotEmpty();
    if (evidence.requests().size() < 2 && evidence.negotiation().isEmpty()) {
      said = 8 + 32 + 2 + read.opaque().byteSize();
      said += evidence.requests().stream().mapToLong(MeasurementsRequest::bytes).sum();
      said += read.context().map(MemorySegment::byteSize).orElse(0L);
      said += read.signature().map(MemorySegment::byteSize).orElse(0L);
      said += read.blocks().stream().mapToLong(block -> 7 + block.value().byteSize()).sum();
      assertThat(said).as("every byte is read").isEqualTo(bytes.length);
      assertThat(read.blocks()).extracting(Measurement::index).doesNotHaveDuplicates();
    }
    return true;
  }

  @Property(tries = 2000)
  void anyBytes(@ForAll @Size(max = 200) byte[] bytes, @ForAll long seed) {
    isEvidence(bytes);
    if (bytes.length > 1) {
      Random random = new Random(seed);
      bytes[0] = (byte) VERSIONS[random.nextInt(VERSIONS.length)];
      bytes[1] = (byte) CODES[random.nextInt(CODES.length)];
      isEvidence(bytes);
    }
  }

  private static byte[] good(Random random) {
    int version = VERSIONS[random.nextInt(VERSIONS.length)];
    MessageBytes answer = new MessageBytes(version);
    int blocks = 1 + random.nextInt(4);
    for (int i = 1; i <= blocks; i++) {
      answer.block(i, random.nextInt(8) | random.nextInt(2) << 7, new byte[random.nextInt(50)]);
    }
    answer.end(random.nextInt(256), new byte[random.nextInt(20)]);
    byte[] context = new byte[8];
    if (version == 0x13) {
      answer.after(context);
    }
    int signed = random.nextInt(2);
    answer.after(new byte[96 * signed]);
    TranscriptBytes all = new TranscriptBytes(version);
    if (random.nextBoolean()) {
      all.negotiated(1 << random.nextInt(12), 1 << random.nextInt(7));
    }
    if (random.nextBoolean()) {
      if (random.nextBoolean()) {
        all.request(0, 0, new byte[0], 0, context);
        all.add(new MessageBytes(version).parameters(blocks, 0).end(0).toArray());
        all.add(version == 0x13 ? context : new byte[0]);
      }
      all.request(signed, TranscriptBytes.ALL, new byte[32], 0, context);
    }
    return all.add(answer.toArray()).toArray();
  }

  /** Of good messages some bytes are changed, or some are cut off or added. */
  @Property(tries = 5000)
  void almostGoodBytes(@ForAll long seed) {
    Random random = new Random(seed);
    byte[] bytes = good(random);
    assertThat(isEvidence(bytes)).isTrue();
    for (int i = random.nextInt(4); i > 0; i--) {
      int at = random.nextInt(bytes.length);
      bytes[at] = (byte) (random.nextBoolean() ? bytes[at] ^ (1 << random.nextInt(8)) : -1);
    }
    int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length + 8) : bytes.length;
    isEvidence(Arrays.copyOf(bytes, length));
  }

  /** Whatever becomes of signed messages, they are not taken for the device's. */
  @Property(tries = 2000)
  void changedMessagesAreNeverVerified(@ForAll long seed) {
    Random random = new Random(seed);
    Vector vector = Vector.ALL.get(random.nextInt(Vector.ALL.size()));
    byte[] good = vector.bytes();
    byte[] bytes =
        random.nextInt(4) == 0
            ? Arrays.copyOfRange(good, random.nextInt(good.length), good.length)
            : good.clone();
    int start = bytes.length == good.length ? signedFrom(vector) : 0;
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      bytes[start + random.nextInt(bytes.length - start)] ^= (byte) (1 + random.nextInt(255));
    }
    Optional<byte[]> nonce = random.nextBoolean() ? Optional.of(Vector.NONCE) : Optional.empty();
    if (Arrays.mismatch(bytes, good) >= 0) {
      assertThatThrownBy(
              () -> vector.trust().verify(Evidence.parse(MemorySegment.ofArray(bytes)), nonce))
          .isInstanceOfAny(
              MalformedMeasurementsException.class,
              UntrustedEvidenceException.class,
              PreconditionException.class);
    }
  }

  /** SPDM 1.1 does not sign what was agreed on. */
  private static int signedFrom(Vector vector) {
    return vector.version() == 0x11 ? vector.evidence().negotiated().length : 0;
  }

  /** Neither do files that are said to be certificates. */
  @Property(tries = 2000)
  void anyCertificates(@ForAll @Size(max = 100) byte[] bytes, @ForAll boolean isPem) {
    byte[] content =
        isPem
            ? "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
                .formatted(Base64.getEncoder().encodeToString(bytes))
                .getBytes(StandardCharsets.US_ASCII)
            : bytes;
    assertThatThrownBy(() -> Trust.of(content, "file"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("certificate");
    Trust trust = Trust.of(Vector.resource("root.pem"), "root.pem");
    byte[] chain = bytes.clone();
    if (chain.length > 40) {
      chain[0] = (byte) chain.length;
      chain[1] = 0;
      chain[36] = 0x30;
    }
    assertThatThrownBy(() -> trust.withChain(chain, "file"))
        .isInstanceOf(PreconditionException.class);
  }
}
