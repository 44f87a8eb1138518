package dev.iolite.tdi.evidence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which messages may stand before an answer, and that it answers what was asked. */
class TranscriptTest {
  private static final byte[] NONE = {};
  private static final byte[] CONTEXT = TranscriptBytes.filled(8, 7);

  private static byte[] context(int version) {
    return version >= 0x13 ? CONTEXT : NONE;
  }

  /** An answer with these blocks, unsigned. */
  private static byte[] answer(int version, int... indices) {
    MessageBytes answer = new MessageBytes(version);
    for (int index : indices) {
      answer.block(index, 1, (byte) index);
    }
    return answer.end(3).after(context(version)).toArray();
  }

  private static TranscriptBytes asked(int version, int operation, int... indices) {
    return new TranscriptBytes(version)
        .request(0, operation, NONE, 0, CONTEXT)
        .add(answer(version, indices));
  }

  @ParameterizedTest
  @ValueSource(ints = {0x11, 0x12, 0x13})
  void anAnswerAfterItsRequestIsRead(int version) {
    byte[] nonce = TranscriptBytes.filled(32, 9);
    Evidence evidence =
        new TranscriptBytes(version)
            .request(TranscriptBytes.SIGNED, TranscriptBytes.ALL, nonce, 0, CONTEXT)
            .add(answer(version, 1, 2, 0xfd))
            .add(new byte[96])
            .parse();
    MeasurementsRequest request = evidence.requests().getFirst();
    assertThat(request.signed()).isTrue();
    assertThat(request.nonce().orElseThrow().mismatch(MemorySegment.ofArray(nonce))).isEqualTo(-1);
    assertThat(request.context().isPresent()).isEqualTo(version == 0x13);
    assertThat(evidence.measurements().blocks())
        .extracting(Measurement::index)
        .containsExactly(1, 2, 0xfd);
    assertThat(evidence.measurements().signature()).isPresent();
    assertThat(evidence.negotiation()).isEmpty();
    assertThat(evidence.messages()).isEqualTo("GET_MEASUREMENTS, MEASUREMENTS");
  }

  @ParameterizedTest
  @ValueSource(ints = {0x11, 0x12, 0x13})
  void whatWasAgreedOnMayStandBeforeIt(int version) {
    TranscriptBytes negotiated = new TranscriptBytes(version).negotiated(1 << 7, 1 << 1);
    int bytes = negotiated.toArray().length;
    Evidence evidence = negotiated.add(answer(version, 1)).parse();
    Negotiation agreed = evidence.negotiation().orElseThrow();
    assertThat(agreed.version().number()).isEqualTo(version);
    assertThat(agreed.signing()).contains(SigningAlgorithm.ECDSA_P384);
    assertThat(agreed.hash()).contains(HashAlgorithm.SHA_384);
    assertThat(agreed.bytes()).isEqualTo(bytes);
    assertThat(evidence.messages()).isEqualTo("GET_VERSION to ALGORITHMS, MEASUREMENTS");
    assertThat(evidence.requests()).isEmpty();
  }

  /** From 1.3 on a device may list all its algorithms with its capabilities. */
  @Test
  void capabilitiesMayBeFollowedByAlgorithms() {
    byte[] plain = new TranscriptBytes(0x13).negotiated(1 << 4, 1).toArray();
    int capabilities = 4 + 10 + 20;
    byte[] block = new byte[36];
    block[2] = 36;
    byte[] first = Arrays.copyOf(plain, capabilities + 20);
    first[capabilities + 2] = 1;
    TranscriptBytes all =
        new TranscriptBytes(0x13)
            .add(first)
            .add(block)
            .add(Arrays.copyOfRange(plain, capabilities + 20, plain.length))
            .add(answer(0x13, 1));
    assertThat(all.parse().negotiation().orElseThrow().signing())
        .contains(SigningAlgorithm.ECDSA_P256);
    byte[] tooLong = all.toArray();
    tooLong[capabilities + 20 + 3] = 0x7f;
    assertThatThrownBy(() -> Evidence.parse(MemorySegment.ofArray(tooLong)))
        .hasMessageContaining(
            "CAPABILITIES message, byte 56: a block of algorithms of 32548 bytes");
  }

  /** GET_DIGESTS, GET_CERTIFICATE and their answers are no part of what is signed. */
  @ParameterizedTest
  @ValueSource(ints = {0x11, 0x12, 0x13, 0x14})
  void certificatesMayBeAskedForBeforeMeasurements(int version) {
    byte[] chain = new byte[700];
    Arrays.fill(chain, 300, 700, (byte) 4);
    TranscriptBytes negotiated = new TranscriptBytes(version).negotiated(1 << 7, 1 << 1);
    byte[] before = negotiated.toArray();
    Evidence evidence =
        negotiated
            .digests(48, version == 0x13)
            .certificate(0, 0, Arrays.copyOf(chain, 512), 188)
            .certificate(0, 512, Arrays.copyOfRange(chain, 512, 700), 0)
            .add(asked(version, 1, 1).toArray())
            .parse();
    assertThat(evidence.certificates().orElseThrow()).isEqualTo(chain);
    assertThat(evidence.negotiated()).isEqualTo(before);
    assertThat(evidence.exchanged()).isEqualTo(asked(version, 1, 1).toArray());
    assertThat(evidence.messages())
        .isEqualTo("GET_VERSION to ALGORITHMS, certificates, GET_MEASUREMENTS, MEASUREMENTS");
  }

  @Test
  void portionsOfCertificatesFollowOneAnother() {
    TranscriptBytes gap = new TranscriptBytes(0x12).certificate(0, 8, new byte[4], 0);
    assertThatThrownBy(() -> gap.add(asked(0x12, 1, 1).toArray()).parse())
        .hasMessage(
            "GET_CERTIFICATE message, byte 4: offset 8; 0 bytes of the chain in slot 0 are there");
    TranscriptBytes digests = new TranscriptBytes(0x12).digests(48, false);
    assertThatThrownBy(() -> digests.add(asked(0x12, 1, 1).toArray()).parse())
        .hasMessageContaining("2 digests of a length that is not known");
  }

  @Test
  void aPostQuantumAlgorithmOf14IsNamed() {
    TranscriptBytes negotiated = new TranscriptBytes(0x14).negotiated(0, 1 << 1);
    byte[] bytes = negotiated.add(answer(0x14, 1)).add(new byte[3309]).toArray();
    // ALGORITHMS is the last of what was agreed on, and has 40 bytes.
    bytes[4 + 10 + 20 + 20 + 36 + 20] = 2;
    Evidence evidence = Evidence.parse(MemorySegment.ofArray(bytes));
    assertThat(evidence.negotiation().orElseThrow().signing()).contains(SigningAlgorithm.ML_DSA_65);
    assertThat(evidence.measurements().signature().orElseThrow().byteSize()).isEqualTo(3309);
    assertThat(evidence.measurements().version()).hasToString("1.4");
    assertThat(evidence.newerVersion()).isEmpty();
    assertThatThrownBy(
            () -> Vector.ALL.getFirst().trust().verify(evidence, Optional.of(new byte[32])))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("ML_DSA_65, which the JDK does not have");
  }

  @Test
  void aNewerVersionIsNamedAndReadAsTheNewestThatIsKnown() {
    Evidence evidence = asked(0x15, 1, 1).parse();
    assertThat(evidence.newerVersion()).contains("1.5");
    assertThat(evidence.measurements().version()).isEqualTo(SpdmVersion.V1_4);
    assertThat(evidence.measurements().blocks()).hasSize(1);
    Evidence signed =
        new TranscriptBytes(0x15)
            .negotiated(1 << 7, 2)
            .add(answer(0x15, 1))
            .add(new byte[96])
            .parse();
    assertThatThrownBy(
            () -> Vector.ALL.getFirst().trust().verify(signed, Optional.of(new byte[32])))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("the messages are of SPDM 1.5")
        .hasMessageContaining("nothing was verified");
  }

  @Test
  void measurementsMayBeAskedForOneByOne() {
    Evidence evidence =
        asked(0x12, 0).add(asked(0x12, 1, 1).toArray()).add(asked(0x12, 2, 2).toArray()).parse();
    assertThat(evidence.measurements().blocks())
        .extracting(Measurement::index)
        .containsExactly(1, 2);
    assertThat(evidence.messages()).isEqualTo("GET_MEASUREMENTS, MEASUREMENTS; 3 of each");
  }

  @Test
  void allMessagesAreOfOneVersion() {
    byte[] other = asked(0x11, 2, 2).toArray();
    assertThatThrownBy(() -> asked(0x12, 1, 1).add(other).parse())
        .hasMessageContaining("byte 54: version 0x11; the messages before it are of SPDM 1.2");
    TranscriptBytes answered =
        new TranscriptBytes(0x12).request(0, 1, NONE, 0, NONE).add(answer(0x11, 1));
    assertThatThrownBy(answered::parse)
        .hasMessageContaining("byte 4: SPDM 1.1; the messages before it are of SPDM 1.2");
  }

  @Test
  void anAnswerWithoutBlocksIsRefusedWhereAllWereAsked() {
    assertThatThrownBy(asked(0x12, TranscriptBytes.ALL)::parse)
        .isInstanceOf(MalformedMeasurementsException.class)
        .hasMessage("MEASUREMENTS message, byte 8: 0 blocks; all measurements were asked for");
  }

  @Test
  void aNumberAloneIsNoMeasurement() {
    assertThatThrownBy(asked(0x12, 0)::parse)
        .isInstanceOf(MalformedMeasurementsException.class)
        .hasMessageContaining("no measurement before the end");
  }

  @Test
  void anAnswerIsToWhatWasAsked() {
    assertThatThrownBy(asked(0x12, 0, 1)::parse)
        .hasMessageContaining("byte 8: 1 blocks; only their number was asked for");
    assertThatThrownBy(asked(0x12, 2, 1)::parse)
        .hasMessageContaining("1 blocks; the one with index 2 was asked for");
    assertThatThrownBy(asked(0x12, 2, 2, 3)::parse)
        .hasMessageContaining("2 blocks; the one with index 2 was asked for");
  }

  @Test
  void aSignatureThatWasAskedForIsThere() {
    TranscriptBytes bytes =
        new TranscriptBytes(0x12)
            .request(TranscriptBytes.SIGNED, TranscriptBytes.ALL, new byte[32], 0, NONE)
            .add(answer(0x12, 1));
    assertThatThrownBy(bytes::parse)
        .hasMessageContaining("0 bytes at the end; the signature that was asked for is here");
  }

  @Test
  void afterAnAnswerWithoutSignatureThereIsAnotherRequestOrNothing() {
    assertThatThrownBy(() -> asked(0x12, 1, 1).add(new byte[96]).parse())
        .hasMessageContaining("GET_MEASUREMENTS message, byte 55: code 0x00");
    assertThatThrownBy(() -> asked(0x12, 1, 1).add(new byte[] {0x12, (byte) 0x81, 0, 0}).parse())
        .hasMessageContaining("code 0x81; a GET_MEASUREMENTS message has 0xe0");
  }

  @Test
  void slotAndContextOfAnAnswerAreTheRequests() {
    TranscriptBytes slot =
        new TranscriptBytes(0x12)
            .request(TranscriptBytes.SIGNED, TranscriptBytes.ALL, new byte[32], 3, NONE)
            .add(answer(0x12, 1))
            .add(new byte[96]);
    assertThatThrownBy(slot::parse)
        .hasMessage(
            "MEASUREMENTS message, byte 40: slot 0; the signature was asked for from slot 3");
    TranscriptBytes context =
        new TranscriptBytes(0x13)
            .request(0, TranscriptBytes.ALL, NONE, 0, new byte[8])
            .add(answer(0x13, 1));
    assertThatThrownBy(context::parse)
        .hasMessageContaining("another context than the request's; the answer repeats");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0   | 0x12 | GET_VERSION message, byte 0: version 0x12; this message is always of SPDM"
            + " 1.0",
        "5   | 0x05 | VERSION message, byte 5: code 0x05; a VERSION message has 0x04",
        "9   | 0xff | VERSION message, byte 10: the message ends at byte 184; a list of versions",
        "14  | 0x20 | GET_CAPABILITIES message, byte 14: version 0x20",
        "34  | 0x13 | CAPABILITIES message, byte 34: SPDM 1.3; the messages before it are of SPDM"
            + " 1.2",
        "58  | 0x01 | NEGOTIATE_ALGORITHMS message, byte 58: a length of 1; it is 32 at least",
        "94  | 0xff | ALGORITHMS message, byte 94: a length of 255; it is 36 at least, and 94"
            + " bytes",
        "130 | 0x11 | byte 130: version 0x11; the messages before it are of SPDM 1.2"
      })
  void aWrongByteOfWhatWasAgreedOnIsFound(int at, String value, String said) {
    byte[] bytes =
        new TranscriptBytes(0x12).negotiated(1 << 7, 2).add(asked(0x12, 1, 1).toArray()).toArray();
    bytes[at] = (byte) (int) Integer.decode(value);
    assertThatThrownBy(() -> Evidence.parse(MemorySegment.ofArray(bytes)))
        .isInstanceOf(MalformedMeasurementsException.class)
        .hasMessageContaining(said);
  }

  @Test
  void messagesThatEndEarlyAreNoneWhereverTheyEnd() {
    byte[] bytes =
        new TranscriptBytes(0x13)
            .negotiated(1 << 7, 2)
            .request(TranscriptBytes.SIGNED, 1, new byte[32], 0, CONTEXT)
            .add(answer(0x13, 1))
            .add(new byte[96])
            .toArray();
    for (int length = 0; length < bytes.length; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(bytes, length));
      // The start of this signature is as long as another one.
      if (length != bytes.length - 96 + 64) {
        assertThatThrownBy(() -> Evidence.parse(cut))
            .as("%d bytes", length)
            .isInstanceOf(MalformedMeasurementsException.class);
      }
    }
  }
}
