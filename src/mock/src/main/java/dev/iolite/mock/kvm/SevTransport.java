package dev.iolite.mock.kvm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;

/**
 * The keys with which a guest's memory travels to another machine. The sizes are those of AMD's SEV
 * API (publication 55766): a session of 128 bytes and a packet header of 52. The model has no
 * certificates, so all its processors agree on one key to wrap those of a session.
 */
final class SevTransport {
  static final int SESSION_BYTES = 128;
  static final int HEADER_BYTES = 52;

  private static final int NONCE_BYTES = 16;
  private static final int KEY_BYTES = 16;
  private static final int MAC_BYTES = 32;
  private static final byte[] WRAPPING =
      "the processors of iolite's model".getBytes(StandardCharsets.US_ASCII);

  private final byte[] encryption;
  private final byte[] integrity;
  private int packets;

  private SevTransport(byte[] keys) {
    encryption = Arrays.copyOf(keys, KEY_BYTES);
    integrity = Arrays.copyOfRange(keys, KEY_BYTES, 2 * KEY_BYTES);
  }

  /** New keys. */
  static SevTransport of(int handle, int sessions) {
    byte[] seed = ByteBuffer.allocate(2 * Integer.BYTES).putInt(handle).putInt(sessions).array();
    return new SevTransport(digest(WRAPPING, seed));
  }

  /**
   * The session that SEND_START writes: nonce, wrapped keys, their IV and MAC, the policy's MAC.
   */
  byte[] session(int policy) {
    byte[] iv = Arrays.copyOf(digest(integrity), NONCE_BYTES);
    byte[] keys = join(encryption, integrity);
    byte[] wrapped = exclusiveOr(keys, stream(WRAPPING, iv, keys.length));
    return join(
        new byte[NONCE_BYTES], wrapped, iv, digest(WRAPPING, wrapped, iv), mac(policy(policy)));
  }

  /** The keys of a session; empty if it was changed, or is not of a guest with this policy. */
  static Optional<SevTransport> open(byte[] session, int policy) {
    ByteBuffer from = ByteBuffer.wrap(session).position(NONCE_BYTES);
    byte[] wrapped = take(from, 2 * KEY_BYTES);
    byte[] iv = take(from, NONCE_BYTES);
    byte[] wrappingMac = take(from, MAC_BYTES);
    byte[] policyMac = take(from, MAC_BYTES);
    SevTransport keys =
        new SevTransport(exclusiveOr(wrapped, stream(WRAPPING, iv, wrapped.length)));
    boolean genuine =
        Arrays.equals(wrappingMac, digest(WRAPPING, wrapped, iv))
            && Arrays.equals(policyMac, keys.mac(policy(policy)));
    return genuine ? Optional.of(keys) : Optional.empty();
  }

  /**
   * Seals a packet.
   *
   * @param data encrypted in place
   * @return its header: flags, IV and MAC
   */
  byte[] seal(byte[] data) {
    byte[] iv = new byte[NONCE_BYTES];
    ByteBuffer.wrap(iv).putInt(packets++);
    System.arraycopy(
        exclusiveOr(data, stream(encryption, iv, data.length)), 0, data, 0, data.length);
    byte[] flags = new byte[Integer.BYTES];
    return join(flags, iv, mac(flags, iv, data));
  }

  /** Opens a packet; empty if it was changed. */
  Optional<byte[]> open(byte[] header, byte[] data) {
    ByteBuffer from = ByteBuffer.wrap(header);
    byte[] flags = take(from, Integer.BYTES);
    byte[] iv = take(from, NONCE_BYTES);
    byte[] mac = take(from, MAC_BYTES);
    return Arrays.equals(mac, mac(flags, iv, data))
        ? Optional.of(exclusiveOr(data, stream(encryption, iv, data.length)))
        : Optional.empty();
  }

  private byte[] mac(byte[]... parts) {
    return digest(integrity, join(parts));
  }

  /** Bytes that only the key's owner can make. */
  static byte[] stream(byte[] key, byte[] iv, int bytes) {
    ByteBuffer stream = ByteBuffer.allocate(bytes + MAC_BYTES);
    for (int block = 0; stream.position() < bytes; block++) {
      stream.put(digest(key, iv, ByteBuffer.allocate(Integer.BYTES).putInt(block).array()));
    }
    return Arrays.copyOf(stream.array(), bytes);
  }

  static byte[] digest(byte[]... parts) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(join(parts));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  static byte[] policy(int policy) {
    return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(policy).array();
  }

  static byte[] join(byte[]... parts) {
    ByteBuffer whole = ByteBuffer.allocate(Arrays.stream(parts).mapToInt(p -> p.length).sum());
    for (byte[] part : parts) {
      whole.put(part);
    }
    return whole.array();
  }

  private static byte[] take(ByteBuffer from, int bytes) {
    byte[] taken = new byte[bytes];
    from.get(taken);
    return taken;
  }

  private static byte[] exclusiveOr(byte[] one, byte[] other) {
    byte[] result = new byte[one.length];
    for (int i = 0; i < one.length; i++) {
      result[i] = (byte) (one[i] ^ other[i]);
    }
    return result;
  }
}
