package dev.iolite.kvm;

/**
 * A piece of a guest's memory on its way to another machine, or a secret on its way to a guest:
 * encrypted by a key that only the secure processors, or the guest's owner, have.
 *
 * <p>Immutable, and safe for use by several threads.
 */
public final class SevPacket {
  private final byte[] header;
  private final byte[] data;

  /**
   * Makes a packet; the arrays are copied.
   *
   * @param header flags, initialization vector and MAC
   * @param data the encrypted content
   */
  public SevPacket(byte[] header, byte[] data) {
    this.header = header.clone();
    this.data = data.clone();
  }

  /** Flags, initialization vector and MAC; a copy. */
  public byte[] header() {
    return header.clone();
  }

  /** The encrypted content; a copy. */
  public byte[] data() {
    return data.clone();
  }
}
