package dev.iolite.kernel;

import static java.lang.foreign.MemoryLayout.PathElement.groupElement;

import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Set;

/**
 * Checks an ioctl's argument against the table of calls. The kernel reads and writes the whole
 * struct of the command, however much the caller allocated, so the sizes are compared before the
 * call.
 *
 * <p>Addresses inside a struct are not followed: what they point to is the caller's responsibility.
 */
final class Argument {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  /** The members of KVM's structs that count the elements of the array at the end. */
  private static final Set<String> COUNTS = Set.of("nent", "nmsrs", "n", "nr", "len", "nevents");

  /** The first field of this struct is not its size. */
  private static final Optional<String> NESTED_STATE = Optional.of("kvm_nested_state");

  private Argument() {}

  /**
   * Refuses memory beyond whose end the command would read or write, or that cannot be passed to
   * it.
   *
   * @throws IllegalArgumentException if the command takes no struct, the segment is too small for
   *     the struct or for what the struct says follows it, is not aligned for the struct, or is
   *     read-only although the kernel writes it
   */
  static void require(Ioctl command, MemorySegment argument) {
    MemoryLayout layout =
        command
            .argument()
            .orElseThrow(() ->
                new IllegalArgumentException(
                    command.name() + " takes no struct; give it a plain value"));
    if (argument.byteSize() < layout.byteSize()) {
      throw tooSmall(command, argument, layout.byteSize());
    }
    if ((argument.address() & (layout.byteAlignment() - 1)) != 0) {
      throw new IllegalArgumentException(
          "%s takes memory aligned to %d bytes; 0x%x is not"
              .formatted(command.name(), layout.byteAlignment(), argument.address()));
    }
    if (argument.isReadOnly() && command.direction() != Call.Direction.IN) {
      throw new IllegalArgumentException(
          "the kernel writes the struct of " + command.name() + ", and the segment is read-only");
    }
    if (layout instanceof GroupLayout struct) {
      long said = said(command, struct, argument);
      if (Long.compareUnsigned(said, argument.byteSize()) > 0) {
        throw tooSmall(command, argument, said);
      }
    }
  }

  private static IllegalArgumentException tooSmall(
      Ioctl command, MemorySegment argument, long bytes) {
    return new IllegalArgumentException(
        "the kernel reaches %s bytes at the argument of %s; the segment has %d"
            .formatted(Long.toUnsignedString(bytes), command.name(), argument.byteSize()));
  }

  /** The size in bytes that a struct declares; at most this many bytes are read and written. */
  private static long said(Ioctl command, GroupLayout struct, MemorySegment argument) {
    String first = struct.memberLayouts().getFirst().name().orElse("");
    if (first.equals("argsz") || (first.equals("size") && command.on() == FdKind.IOMMUFD)) {
      return Integer.toUnsignedLong(argument.get(INT, 0));
    }
    if (struct.memberLayouts().getLast() instanceof GroupLayout last
        && last.memberLayouts().getLast() instanceof SequenceLayout array
        && array.elementCount() == 0) {
      return counted(struct, array, argument);
    }
    return struct.name().equals(NESTED_STATE)
        ? Integer.toUnsignedLong(argument.get(INT, struct.byteOffset(groupElement("size"))))
        : 0;
  }

  /** KVM's structs that end in an array of any length, with a member that counts its elements. */
  private static long counted(GroupLayout struct, SequenceLayout array, MemorySegment argument) {
    long offset = 0;
    for (MemoryLayout member : struct.memberLayouts()) {
      if (member.name().filter(COUNTS::contains).isPresent()) {
        long count =
            member.byteSize() == Long.BYTES
                ? argument.get(LONG, offset)
                : Integer.toUnsignedLong(argument.get(INT, offset));
        long most = (Long.MAX_VALUE - struct.byteSize()) / array.elementLayout().byteSize();
        return Long.compareUnsigned(count, most) > 0
            ? Long.MAX_VALUE
            : struct.byteSize() + count * array.elementLayout().byteSize();
      }
      offset += member.byteSize();
    }
    return 0;
  }
}
