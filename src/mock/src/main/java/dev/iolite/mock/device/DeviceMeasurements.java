package dev.iolite.mock.device;

import dev.iolite.mock.core.TeeFunction;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Optional;

/**
 * A device's answer to SPDM's GET_MEASUREMENTS for all measurements of its firmware and
 * configuration (DSP0274 1.2).
 *
 * @param blocks at most 255, and together shorter than 16 MiB
 * @param opaque what follows, in the device's own format: at most 1024 bytes
 * @param signer signs the answer; empty if it is not signed
 */
public record DeviceMeasurements(
    List<DeviceMeasurement> blocks, MemorySegment opaque, Optional<DeviceSigner> signer) {
  private static final int SPDM_1_2 = 0x12;
  private static final int MEASUREMENTS = 0x60;
  private static final int HEAD_BYTES = 8;
  private static final int BLOCK_HEAD_BYTES = 4;
  private static final int DMTF = 1;
  private static final int MOST_BLOCKS = 255;
  private static final int MOST_RECORD_BYTES = (1 << 24) - 1;
  private static final int MOST_OPAQUE_BYTES = 1024;

  private static final DeviceMeasurements USUAL =
      of(
          new DeviceMeasurement(1, DeviceMeasurement.FIRMWARE, digest("SHA-384", "firmware")),
          new DeviceMeasurement(
              2, DeviceMeasurement.HARDWARE_CONFIGURATION, digest("SHA-384", "configuration")),
          new DeviceMeasurement(
              3, DeviceMeasurement.FIRMWARE_VERSION | DeviceMeasurement.RAW, text("iolite 1.0")));

  /** Checks that the message has room for everything. */
  public DeviceMeasurements {
    blocks = List.copyOf(blocks);
    opaque = opaque.asReadOnly();
    if (blocks.size() > MOST_BLOCKS
        || recordBytes(blocks) > MOST_RECORD_BYTES
        || opaque.byteSize() > MOST_OPAQUE_BYTES) {
      throw new IllegalArgumentException("a MEASUREMENTS message has no room for that");
    }
  }

  /** These measurements, without opaque data. */
  public static DeviceMeasurements of(DeviceMeasurement... blocks) {
    return new DeviceMeasurements(List.of(blocks), MemorySegment.NULL, Optional.empty());
  }

  /** The same measurements, signed. */
  public DeviceMeasurements signedBy(DeviceSigner key) {
    return new DeviceMeasurements(blocks, opaque, Optional.of(key));
  }

  /**
   * A digest of the firmware, a digest of the hardware's configuration, and the firmware's version.
   */
  public static DeviceMeasurements usual() {
    return USUAL;
  }

  private static MemorySegment text(String text) {
    return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static MemorySegment digest(String algorithm, String what) {
    return MemorySegment.ofArray(
        digest(algorithm, ("The model's " + what).getBytes(StandardCharsets.US_ASCII)));
  }

  private static byte[] digest(String algorithm, byte[] what) {
    try {
      return MessageDigest.getInstance(algorithm).digest(what);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has " + algorithm, e);
    }
  }

  private static long recordBytes(List<DeviceMeasurement> blocks) {
    return blocks.stream()
        .mapToLong(block ->
            BLOCK_HEAD_BYTES + DeviceMeasurement.DMTF_HEAD_BYTES + block.value().byteSize())
        .sum();
  }

  /**
   * The MEASUREMENTS message as the device sends it; if it is signed, preceded by all other
   * messages that the signature covers, as TSMs that keep those messages hand them out.
   *
   * <p>The nonce in the message is the device's own, which SPDM requires to be random; the
   * request's nonce goes into the signature, and so proves that the message was made for the
   * request. Here, where nothing is signed, the device's nonce is the SHA-256 of the request's: it
   * shows for which request a message was made, and each run of a program gives the same. No real
   * device does this; only a test may rely on it.
   *
   * @param nonce the request's nonce, 32 bytes
   */
  public byte[] message(byte[] nonce) {
    if (nonce.length != TeeFunction.NONCE_BYTES) {
      throw new IllegalArgumentException("a nonce has 32 bytes, not " + nonce.length);
    }
    int record = (int) recordBytes(blocks);
    ByteBuffer bytes =
        ByteBuffer.allocate(
                HEAD_BYTES
                    + record
                    + TeeFunction.NONCE_BYTES
                    + Short.BYTES
                    + (int) opaque.byteSize())
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.put((byte) SPDM_1_2).put((byte) MEASUREMENTS).putShort((short) 0);
    // The count has 8 bits; the length of the record has the 24 bits after them.
    bytes.putInt(record << Byte.SIZE | blocks.size());
    for (DeviceMeasurement block : blocks) {
      int length = (int) block.value().byteSize();
      bytes.put((byte) block.index()).put((byte) DMTF);
      bytes.putShort((short) (DeviceMeasurement.DMTF_HEAD_BYTES + length));
      bytes.put((byte) block.type()).putShort((short) length).put(block.value().asByteBuffer());
    }
    bytes.put(digest("SHA-256", nonce));
    bytes.putShort((short) opaque.byteSize()).put(opaque.asByteBuffer());
    return signer.map(key -> key.transcript(nonce, bytes.array())).orElseGet(bytes::array);
  }
}
