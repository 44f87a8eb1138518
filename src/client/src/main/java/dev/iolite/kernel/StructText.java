package dev.iolite.kernel;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.StringJoiner;

/**
 * A struct's content as text, {@code {argsz=24, flags=0x0, iommufd=12}}.
 *
 * <p>Safe for use by several threads.
 */
public final class StructText {
  private static final int MAX_ELEMENTS = 8;
  private static final int DECIMAL_LIMIT = 10;

  private StructText() {}

  /**
   * The fields of a struct with their values: descriptors and small ones in decimal, others in
   * hexadecimal. Unions show as their bytes, arrays by their first elements.
   *
   * @param layout the struct
   * @param memory its bytes; a shorter segment shows as its size only
   */
  public static String of(MemoryLayout layout, MemorySegment memory) {
    if (memory.byteSize() < layout.byteSize()) {
      return memory.byteSize() + " bytes";
    }
    return text(layout, memory.asSlice(0, layout.byteSize()));
  }

  private static String text(MemoryLayout layout, MemorySegment memory) {
    return switch (layout) {
      case StructLayout struct -> fields(struct, memory);
      case GroupLayout _ -> bytes(memory);
      case SequenceLayout sequence -> elements(sequence, memory);
      case ValueLayout value -> number(value, memory);
      case PaddingLayout _ -> "";
    };
  }

  private static String fields(StructLayout struct, MemorySegment memory) {
    StringJoiner text = new StringJoiner(", ", "{", "}");
    long offset = 0;
    for (MemoryLayout member : struct.memberLayouts()) {
      MemorySegment slice = memory.asSlice(offset, member.byteSize());
      offset += member.byteSize();
      if (!(member instanceof PaddingLayout) && member.byteSize() > 0) {
        text.add(member.name().map(name -> name + "=").orElse("") + text(member, slice));
      }
    }
    return text.toString();
  }

  private static String elements(SequenceLayout sequence, MemorySegment memory) {
    StringJoiner text = new StringJoiner(", ", "[", "]");
    long size = sequence.elementLayout().byteSize();
    for (long i = 0; i < Math.min(sequence.elementCount(), MAX_ELEMENTS); i++) {
      text.add(text(sequence.elementLayout(), memory.asSlice(i * size, size)));
    }
    if (sequence.elementCount() > MAX_ELEMENTS) {
      text.add("...");
    }
    return text.toString();
  }

  private static String bytes(MemorySegment memory) {
    return elements(MemoryLayout.sequenceLayout(memory.byteSize(), ValueLayout.JAVA_BYTE), memory);
  }

  private static String number(ValueLayout layout, MemorySegment memory) {
    long value =
        switch ((int) layout.byteSize()) {
          case 1 -> memory.get(ValueLayout.JAVA_BYTE, 0);
          case 2 -> memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0);
          case 4 -> memory.get(ValueLayout.JAVA_INT_UNALIGNED, 0);
          default -> memory.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
        };
    if (isDescriptor(layout) || (value >= -1 && value < DECIMAL_LIMIT)) {
      return Long.toString(value);
    }
    long mask = layout.byteSize() == 8 ? -1L : (1L << (layout.byteSize() * 8)) - 1;
    return "0x" + Long.toHexString(value & mask);
  }

  /** Decided by its name, which is all that a layout offers. */
  private static boolean isDescriptor(ValueLayout layout) {
    return layout.byteSize() == Integer.BYTES
        && layout.name().filter(name -> name.endsWith("fd")).isPresent();
  }
}
