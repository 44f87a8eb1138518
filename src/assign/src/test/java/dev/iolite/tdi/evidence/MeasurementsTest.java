package dev.iolite.tdi.evidence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a MEASUREMENTS message says, and where a wrong one is wrong. */
class MeasurementsTest {
  /** Blocks at 8 and 18, the nonce at 29, the length at 61, what follows at 63. */
  private static MessageBytes good() {
    return new MessageBytes()
        .block(1, 0x01, (byte) 0xab, (byte) 0, (byte) 0xff)
        .block(254, 0x86, (byte) 'v', (byte) '1', (byte) '.', (byte) '2');
  }

  private static Measurement measurement(
      int index, MeasurementType type, boolean digest, int... value) {
    byte[] bytes = new byte[value.length];
    for (int i = 0; i < value.length; i++) {
      bytes[i] = (byte) value[i];
    }
    return new Measurement(index, type, digest, MemorySegment.ofArray(bytes));
  }

  @Test
  void allOfItIsRead() {
    Measurements read = good().end(0x5a, (byte) 1, (byte) 2).after(new byte[96]).parse();
    assertThat(read.blocks())
        .containsExactly(
            measurement(1, MeasurementType.FIRMWARE, true, 0xab, 0, 0xff),
            measurement(254, MeasurementType.FIRMWARE_VERSION, false, 'v', '1', '.', '2'));
    byte[] nonce = new byte[32];
    Arrays.fill(nonce, (byte) 0x5a);
    assertThat(read.nonce().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(nonce);
    assertThat(read.opaque().toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2);
    assertThat(read.signature().orElseThrow().byteSize()).isEqualTo(96);
  }

  @Test
  void thereMayBeNothingButABlockInIt() {
    Measurements read = new MessageBytes().block(7, 0).end(0).parse();
    assertThat(read.blocks()).containsExactly(measurement(7, MeasurementType.ROM, true));
    assertThat(read.opaque().byteSize()).isZero();
    assertThat(read.signature()).isEmpty();
    assertThat(read.context()).isEmpty();
    assertThat(read.slot()).isZero();
    assertThat(read.change()).isEqualTo(ContentChange.NOT_SAID);
  }

  @Test
  void anAnswerWithANumberAndNoBlocksIsNone() {
    assertThatThrownBy(() -> new MessageBytes().parameters(7, 0).end(0).parse())
        .isInstanceOf(MalformedMeasurementsException.class)
        .hasMessage(
            "MEASUREMENTS message, byte 42: no measurement before the end; an answer without blocks"
                + " only says how many there are");
  }

  @ParameterizedTest
  @CsvSource({
    "0x11, 0x31, 1, NOT_SAID",
    "0x12, 0x31, 1, RESERVED",
    "0x12, 0x2f, 15, UNCHANGED",
    "0x12, 0x10, 0, CHANGED",
    "0x12, 0x00, 0, NOT_SAID"
  })
  void slotAndChangeAreRead(String version, String parameter, int slot, ContentChange change) {
    Measurements read =
        new MessageBytes(Integer.decode(version))
            .parameters(0, Integer.decode(parameter))
            .block(1, 0)
            .end(0)
            .parse();
    assertThat(read.slot()).isEqualTo(slot);
    assertThat(read.change()).isEqualTo(change);
  }

  @Test
  void from13OnTheContextStandsBeforeTheSignature() {
    MessageBytes bytes = new MessageBytes(0x13).block(1, 0x08).block(2, 0x89).block(3, 0x8a);
    byte[] context = {1, 2, 3, 4, 5, 6, 7, 8};
    Measurements read = bytes.end(0).after(context).after(new byte[96]).parse();
    assertThat(read.version()).isEqualTo(SpdmVersion.V1_3);
    assertThat(read.context().orElseThrow().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(context);
    assertThat(read.signature().orElseThrow().byteSize()).isEqualTo(96);
    assertThat(read.blocks())
        .containsExactly(
            measurement(1, MeasurementType.EXTENDED, true),
            measurement(2, MeasurementType.INFORMATIONAL, false),
            measurement(3, MeasurementType.STRUCTURED_MANIFEST, false));
    assertThatThrownBy(() -> new MessageBytes(0x13).block(1, 0).end(0).after(new byte[7]).parse())
        .hasMessageContaining("the request's context is here");
    assertThatThrownBy(() -> new MessageBytes(0x13).block(1, 11).end(0).after(context).parse())
        .hasMessageContaining("type 0x0b; SPDM 1.3 has the types 0 to 10");
  }

  @Test
  void aRawBlockOf16KibAndASignatureOf512Bytes() {
    Measurements read =
        new MessageBytes().block(1, 0x83, new byte[16384]).end(0).after(new byte[512]).parse();
    assertThat(read.blocks().getFirst().value().byteSize()).isEqualTo(16384);
    assertThat(read.signature().orElseThrow().byteSize()).isEqualTo(512);
  }

  @Test
  void whatItIsReadFromMayChangeAfterwards() {
    byte[] bytes = good().end(0).toArray();
    Measurements read = Evidence.parse(MemorySegment.ofArray(bytes)).measurements();
    Measurements before = good().end(0).parse();
    Arrays.fill(bytes, (byte) -1);
    assertThat(read.blocks()).isEqualTo(before.blocks());
    assertThat(read.blocks().getFirst().value().isReadOnly()).isTrue();
  }

  @Test
  void equalIsWhatSaysTheSame() {
    Measurement one = measurement(1, MeasurementType.ROM, true, 1, 2);
    assertThat(one)
        .isEqualTo(measurement(1, MeasurementType.ROM, true, 1, 2))
        .hasSameHashCodeAs(measurement(1, MeasurementType.ROM, true, 1, 2))
        .isNotEqualTo(measurement(2, MeasurementType.ROM, true, 1, 2))
        .isNotEqualTo(measurement(1, MeasurementType.MANIFEST, true, 1, 2))
        .isNotEqualTo(measurement(1, MeasurementType.ROM, false, 1, 2))
        .isNotEqualTo(measurement(1, MeasurementType.ROM, true, 1, 3))
        .isNotEqualTo(measurement(1, MeasurementType.ROM, true, 1, 2, 3));
  }

  @Test
  void onlyRawTextIsShownAsText() {
    assertThat(measurement(3, MeasurementType.FIRMWARE_VERSION, false, 'v', ' ', '1'))
        .hasToString("3 mutable firmware's version \"v 1\"");
    assertThat(measurement(1, MeasurementType.ROM, true, 'a', 'b'))
        .hasToString("1 immutable ROM digest 6162");
    assertThat(measurement(1, MeasurementType.DEVICE_MODE, false, 'a', 0x1b).text())
        .isEqualTo("611b");
    assertThat(measurement(1, MeasurementType.DEVICE_MODE, false).text()).isEmpty();
  }

  /** A byte of a good message is another. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0  | 0x10 | 0  | version 0x10; only SPDM 1.1 to 1.4 are understood",
        "0  | 0x20 | 0  | version 0x20",
        "1  | 0x61 | 1  | code 0x61; a MEASUREMENTS message has 0x60",
        "4  | 1    | 18 | 11 bytes after the last of 1 blocks",
        "4  | 3    | 29 | 0 bytes for a block; a block has 7 at least",
        "5  | 20   | 23 | a value of 4 bytes; 3 bytes of blocks follow",
        "5  | 22   | 29 | 1 bytes after the last of 2 blocks",
        "6  | 1    | 5  | 277 bytes of blocks; the message has 55 bytes after its head",
        "7  | 0xff | 5  | 16711701 bytes of blocks",
        "8  | 0    | 8  | index 0; measurements have the indices 1 to 254",
        "8  | 0xff | 8  | index 255",
        "8  | 0xfe | 18 | index 254 once more; each index is there once",
        "9  | 2    | 9  | specification 0x02; only DMTF's, 0x01, is known",
        "10 | 7    | 10 | a block of 7 bytes; its value has 3, and 3 come before it",
        "12 | 0x08 | 12 | type 0x08; SPDM 1.2 has the types 0 to 7",
        "12 | 0xff | 12 | type 0xff",
        "13 | 0xff | 13 | a value of 255 bytes; 14 bytes of blocks follow",
        "61 | 1    | 61 | 1 bytes of the device's own; there are 1024 at most, and 0 follow",
        "62 | 0xff | 61 | 65280 bytes of the device's own"
      })
  void aWrongByteIsFound(int at, String value, long where, String said) {
    byte[] bytes = good().end(0).toArray();
    bytes[at] = (byte) (int) Integer.decode(value);
    assertThatThrownBy(() -> Evidence.parse(MemorySegment.ofArray(bytes)))
        .isInstanceOfSatisfying(
            MalformedMeasurementsException.class, e -> assertThat(e.at()).isEqualTo(where))
        .hasMessageStartingWith("MEASUREMENTS message, byte %d: %s".formatted(where, said));
  }

  @Test
  void aMessageThatEndsEarlyIsNoneWhereverItEnds() {
    byte[] bytes = good().end(0, (byte) 1).toArray();
    for (int length = 0; length < bytes.length; length++) {
      MemorySegment cut = MemorySegment.ofArray(Arrays.copyOf(bytes, length));
      assertThatThrownBy(() -> Evidence.parse(cut))
          .as("%d bytes", length)
          .isInstanceOf(MalformedMeasurementsException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 96, 114, 132, 256, 384, 512})
  void aSignatureHasALengthThatSomeAlgorithmHas(int bytes) {
    assertThat(good().end(0).after(new byte[bytes]).parse().signature()).isPresent();
    assertThatThrownBy(() -> good().end(0).after(new byte[bytes - 1]).parse())
        .isInstanceOf(MalformedMeasurementsException.class)
        .hasMessageContaining("byte 63: %d bytes at the end", bytes - 1);
  }

  @Test
  void theMostThatCanBe() {
    MessageBytes most = new MessageBytes();
    for (int index = 1; index < 255; index++) {
      most.block(index, 0x84, new byte[65_532]);
    }
    Measurements read = most.end(0, new byte[1024]).parse();
    assertThat(read.blocks()).hasSize(254);
    assertThatThrownBy(() -> good().end(0, new byte[1025]).parse())
        .hasMessageContaining("1025 bytes of the device's own; there are 1024 at most");
  }

  @Test
  void noncesAreNotTheSameTwice() {
    assertThat(Collections.nCopies(100, 0).stream().map(_ -> hash()).distinct()).hasSize(100);
  }

  private static String hash() {
    return Arrays.toString(Measurements.freshNonce());
  }
}
