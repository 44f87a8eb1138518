package dev.iolite.vfio;

import dev.iolite.uapi.vfio.vfio_info_cap_header;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Walks the capability chain in the reply of an info ioctl.
 *
 * <p>Offsets count from the start of the reply; 0 ends the chain. The kernel puts each capability
 * behind the struct, at a multiple of 8 (drivers/vfio/vfio_main.c:vfio_info_cap_add), so a chain
 * that returns to a capability, leaves the reply or is not aligned is malformed.
 */
final class CapabilityChain {
  private static final long ALIGNMENT = Long.BYTES;

  private CapabilityChain() {}

  /**
   * A capability as it stands in the reply.
   *
   * @param call the ioctl, for messages
   * @param id its number
   * @param version its version
   * @param bytes header and content, up to the next capability or the end of the reply
   */
  record Raw(String call, int id, int version, MemorySegment bytes) {
    /**
     * The capability's bytes, of which there must be at least this many.
     *
     * @throws MalformedReplyException if the reply ends earlier
     */
    MemorySegment atLeast(long needed) {
      if (bytes.byteSize() < needed) {
        throw new MalformedReplyException(
            call,
            "capability "
                + id
                + " has "
                + bytes.byteSize()
                + " bytes, not the "
                + needed
                + " it needs");
      }
      return bytes;
    }

    /** What follows the header, in hexadecimal. */
    String hex() {
      return HexFormat.of()
          .formatHex(bytes.asSlice(vfio_info_cap_header.sizeof()).toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /**
   * Decodes the chain.
   *
   * @param call the ioctl, for messages
   * @param reply everything that the kernel filled in
   * @param fixed the size of the struct that the chain follows, in bytes
   * @param first the offset of the first capability, unsigned; 0 if there is none
   * @param decoder decodes a capability from its bytes, also one that it does not know
   * @throws MalformedReplyException if the chain breaks the rules
   */
  static <T> List<T> decode(
      String call, MemorySegment reply, long fixed, int first, Function<Raw, T> decoder) {
    List<T> capabilities = new ArrayList<>();
    Set<Long> seen = new HashSet<>();
    long offset = checked(call, reply, fixed, first);
    while (offset != 0) {
      if (!seen.add(offset)) {
        throw new MalformedReplyException(
            call, "the capability chain comes back to offset " + offset);
      }
      MemorySegment header = reply.asSlice(offset, vfio_info_cap_header.sizeof());
      long next = checked(call, reply, fixed, vfio_info_cap_header.next(header));
      long limit = next > offset ? next : reply.byteSize();
      Raw raw =
          new Raw(
              call,
              Short.toUnsignedInt(vfio_info_cap_header.id(header)),
              Short.toUnsignedInt(vfio_info_cap_header.version(header)),
              reply.asSlice(offset, limit - offset));
      capabilities.add(decoder.apply(raw));
      offset = next;
    }
    return capabilities;
  }

  /** An offset, unsigned, at which there is a whole header or which is 0. */
  private static long checked(String call, MemorySegment reply, long fixed, int value) {
    long offset = Integer.toUnsignedLong(value);
    if (offset == 0) {
      return 0;
    }
    String where = "a capability at offset " + offset;
    if (offset % ALIGNMENT != 0) {
      throw new MalformedReplyException(call, where + ", which is no multiple of " + ALIGNMENT);
    }
    if (offset < fixed) {
      throw new MalformedReplyException(
          call, where + ", which is inside the struct of " + fixed + " bytes");
    }
    if (offset + vfio_info_cap_header.sizeof() > reply.byteSize()) {
      throw new MalformedReplyException(
          call, where + ", which is beyond the reply of " + reply.byteSize() + " bytes");
    }
    return offset;
  }
}
