package dev.iolite.ipc;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A message on a {@link LocalSocket}: named texts. On the wire it is one line with a JSON object
 * whose values are strings, and nothing else.
 *
 * @param members the texts by name
 */
public record Message(Map<String, String> members) {
  /** How many bytes a request may have. */
  public static final int LONGEST_REQUEST = 64 << 10;

  /** How many bytes an answer may have. */
  public static final int LONGEST_ANSWER = 16 << 20;

  private static final int PRINTABLE = 0x20;

  /** Copies the texts. */
  public Message {
    members = Collections.unmodifiableMap(new LinkedHashMap<>(members));
  }

  /** The text with a name; empty if there is none. */
  public String text(String name) {
    return members.getOrDefault(name, "");
  }

  /**
   * Reads a line, without the line feed at its end.
   *
   * @throws MalformedMessageException if it is not a message
   */
  public static Message parse(byte[] line) throws MalformedMessageException {
    return new MessageParser(line).message();
  }

  /** The line, with a line feed at its end. */
  public byte[] line() {
    StringBuilder text = new StringBuilder("{");
    members.forEach((name, value) -> {
      text.append(text.length() > 1 ? "," : "");
      quote(text, name);
      text.append(':');
      quote(text, value);
    });
    return text.append("}\n").toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void quote(StringBuilder to, String text) {
    to.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        to.append('\\').append(c);
      } else if (c < PRINTABLE || Character.isSurrogate(c)) {
        to.append("\\u%04x".formatted((int) c));
      } else {
        to.append(c);
      }
    }
    to.append('"');
  }
}
