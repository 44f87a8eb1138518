package dev.iolite.mock.recording;

import dev.iolite.mock.device.ConfigImage;
import java.util.HexFormat;

/**
 * A configuration space as text: a line for each 16 bytes that are not all zeros, with its offset
 * in front, as in {@code 0x040: 05 50 80 00 00 00 00 00 00 00 00 00 00 00 00 00}.
 */
final class ConfigText {
  private static final int PER_LINE = 16;
  private static final HexFormat BYTES = HexFormat.ofDelimiter(" ");

  private ConfigText() {}

  static String of(ConfigImage image) {
    byte[] bytes = image.bytes();
    StringBuilder text = new StringBuilder();
    for (int at = 0; at < bytes.length; at += PER_LINE) {
      if (!isZero(bytes, at)) {
        text.append("0x%03x: ".formatted(at))
            .append(BYTES.formatHex(bytes, at, at + PER_LINE))
            .append('\n');
      }
    }
    return text.toString();
  }

  private static boolean isZero(byte[] bytes, int from) {
    for (int i = 0; i < PER_LINE; i++) {
      if (bytes[from + i] != 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Reads the text.
   *
   * @param size how many bytes the configuration space has
   * @throws IllegalArgumentException if it has a line of another form, or one outside the space
   */
  static ConfigImage parse(String text, int size) {
    byte[] bytes = new byte[size];
    int line = 0;
    for (String each : text.lines().toList()) {
      line++;
      int colon = each.indexOf(": ");
      if (!each.startsWith("0x") || colon < 3 || colon > 5) {
        throw malformed(line, each);
      }
      byte[] part;
      int at;
      try {
        at = HexFormat.fromHexDigits(each, 2, colon);
        part = BYTES.parseHex(each.substring(colon + 2));
      } catch (IllegalArgumentException _) {
        throw malformed(line, each);
      }
      if (at > size - part.length) {
        throw new IllegalArgumentException(
            "line %d of the configuration space is outside its %d bytes".formatted(line, size));
      }
      System.arraycopy(part, 0, bytes, at, part.length);
    }
    return new ConfigImage(bytes);
  }

  private static IllegalArgumentException malformed(int line, String text) {
    return new IllegalArgumentException(
        "line %d of the configuration space is not like '0x040: 05 50 80 00', but '%s'"
            .formatted(line, text));
  }
}
