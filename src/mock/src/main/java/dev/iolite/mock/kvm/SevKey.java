package dev.iolite.mock.kvm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/**
 * The key of a guest's memory. Memory is encrypted in place, and the same again decrypts it. The
 * model's cipher depends on the place in the page; AMD's also depends on the page.
 */
final class SevKey {
  private static final int PAD_BYTES = 4096;

  private final byte[] pad;

  SevKey(byte[] secret) {
    pad = SevTransport.stream(secret, new byte[0], PAD_BYTES);
  }

  static SevKey ofGuest(int handle) {
    return new SevKey(ByteBuffer.allocate(Integer.BYTES).putInt(handle).array());
  }

  /** Encrypts or decrypts memory that is at an address, or at the same place in another page. */
  void crypt(long address, MemorySegment memory) {
    for (long i = 0; i < memory.byteSize(); i++) {
      byte plain = memory.get(ValueLayout.JAVA_BYTE, i);
      memory.set(ValueLayout.JAVA_BYTE, i, (byte) (plain ^ pad[(int) (address + i) & 0xfff]));
    }
  }

  /** An encrypted copy of memory that is to be written to an address. */
  MemorySegment crypted(long address, MemorySegment memory) {
    MemorySegment copy = MemorySegment.ofArray(memory.toArray(ValueLayout.JAVA_BYTE));
    crypt(address, copy);
    return copy;
  }
}
