package dev.iolite.vmm;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * ACPI Machine Language: the few terms that describe this machine (ACPI 6.5, chapters 20.2 and
 * 6.4). Each method returns the bytes of a term.
 */
final class Aml {
  private static final int ZERO = 0x00;
  private static final int NAME = 0x08;
  private static final int BYTE = 0x0a;
  private static final int WORD = 0x0b;
  private static final int DWORD = 0x0c;
  private static final int STRING = 0x0d;
  private static final int SCOPE = 0x10;
  private static final int BUFFER = 0x11;
  private static final int PACKAGE = 0x12;
  private static final int EXTENDED = 0x5b;
  private static final int DEVICE = 0x82;

  private static final int WORD_SPACE = 0x88;
  private static final int DWORD_SPACE = 0x87;
  private static final int QWORD_SPACE = 0x8a;
  private static final int IO_RANGE = 0x47;
  private static final int END = 0x79;
  private static final int FIXED = 0x0c;
  private static final int MEMORY = 0;
  private static final int IO = 1;
  private static final int BUS = 2;

  /** Memory that is read and written; I/O ports of the whole range. */
  private static final int WRITABLE = 1;

  private static final int WHOLE_RANGE = 3;

  private static final int SHORT_LENGTH = 0x3f;
  private static final int NIBBLE = 0xf;

  private Aml() {}

  /** Terms, one after the other. */
  static byte[] all(byte[]... terms) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] term : terms) {
      out.writeBytes(term);
    }
    return out.toByteArray();
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  /** A name of four characters, with the root's backslash if it is there. */
  private static byte[] nameString(String name) {
    return name.getBytes(StandardCharsets.US_ASCII);
  }

  static byte[] scope(String name, byte[]... terms) {
    return all(bytes(SCOPE), packaged(all(nameString(name), all(terms))));
  }

  static byte[] device(String name, byte[]... terms) {
    return all(bytes(EXTENDED, DEVICE), packaged(all(nameString(name), all(terms))));
  }

  static byte[] name(String name, byte[] value) {
    return all(bytes(NAME), nameString(name), value);
  }

  static byte[] arrayOf(byte[]... elements) {
    return all(bytes(PACKAGE), packaged(all(bytes(elements.length), all(elements))));
  }

  static byte[] number(long value) {
    if (value == 0) {
      return bytes(ZERO);
    }
    if (value < 1 << Byte.SIZE) {
      return all(bytes(BYTE), little(value, Byte.BYTES));
    }
    if (value < 1 << Short.SIZE) {
      return all(bytes(WORD), little(value, Short.BYTES));
    }
    return all(bytes(DWORD), little(value, Integer.BYTES));
  }

  static byte[] text(String text) {
    return all(bytes(STRING), text.getBytes(StandardCharsets.US_ASCII), bytes(0));
  }

  /** A compressed EISA id, such as PNP0A03: three letters of five bits, four digits. */
  static byte[] eisaId(String id) {
    int letters = (id.charAt(0) - '@') << 10 | (id.charAt(1) - '@') << 5 | (id.charAt(2) - '@');
    int number = letters << Short.SIZE | Integer.parseInt(id.substring(3), 16);
    return number(Integer.toUnsignedLong(Integer.reverseBytes(number)));
  }

  /** A resource template: a buffer of descriptors. */
  static byte[] resources(byte[]... descriptors) {
    byte[] template = all(all(descriptors), bytes(END, 0));
    return all(bytes(BUFFER), packaged(all(number(template.length), template)));
  }

  static byte[] buses(int first, int last) {
    return space(WORD_SPACE, BUS, 0, first, last, Short.BYTES);
  }

  static byte[] ports(int first, int last) {
    return space(WORD_SPACE, IO, WHOLE_RANGE, first, last, Short.BYTES);
  }

  static byte[] memory32(long first, long last) {
    return space(DWORD_SPACE, MEMORY, WRITABLE, first, last, Integer.BYTES);
  }

  static byte[] memory64(long first, long last) {
    return space(QWORD_SPACE, MEMORY, WRITABLE, first, last, Long.BYTES);
  }

  /** Ports that belong to the device itself. */
  static byte[] ownPorts(int first, int count) {
    return all(
        bytes(IO_RANGE, 1),
        little(first, Short.BYTES),
        little(first, Short.BYTES),
        bytes(1, count));
  }

  /** An address space descriptor: granularity, first, last, translation and length. */
  private static byte[] space(int tag, int type, int flags, long first, long last, int width) {
    byte[] body =
        all(
            bytes(type, FIXED, flags),
            little(0, width),
            little(first, width),
            little(last, width),
            little(0, width),
            little(last - first + 1, width));
    return all(bytes(tag), little(body.length, Short.BYTES), body);
  }

  static byte[] little(long value, int width) {
    byte[] all =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    return Arrays.copyOf(all, width);
  }

  /** Puts a PkgLength in front, which counts itself: one byte up to 63, else up to four. */
  private static byte[] packaged(byte[] body) {
    if (body.length + 1 <= SHORT_LENGTH) {
      return all(bytes(body.length + 1), body);
    }
    int more = body.length + 2 < 1 << 12 ? 1 : body.length + 3 < 1 << 20 ? 2 : 3;
    int length = body.length + 1 + more;
    return all(bytes(more << 6 | (length & NIBBLE)), little((long) length >> 4, more), body);
  }
}
