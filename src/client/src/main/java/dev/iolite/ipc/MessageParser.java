package dev.iolite.ipc;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the JSON of a {@link Message} (RFC 8259). A message has one level, so nothing here is
 * recursive, and the memory allocated is bounded by the text.
 */
final class MessageParser {
  private static final int MOST_MEMBERS = 32;
  private static final int PRINTABLE = 0x20;
  private static final int HEXADECIMAL = 16;
  private static final int ESCAPED_DIGITS = 4;
  private static final String ESCAPES = "\"\\/bfnrt";
  private static final String ESCAPED = "\"\\/\b\f\n\r\t";
  private static final int END = -1;

  private final String text;
  private int at;

  MessageParser(byte[] line) throws MalformedMessageException {
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
    } catch (CharacterCodingException _) {
      throw new MalformedMessageException("a message is UTF-8");
    }
  }

  Message message() throws MalformedMessageException {
    Map<String, String> members = new LinkedHashMap<>();
    require('{');
    if (next() == '}') {
      at++;
    } else {
      do {
        member(members);
      } while (isMore());
    }
    if (next() != END) {
      throw wrong("the end");
    }
    return new Message(members);
  }

  private void member(Map<String, String> members) throws MalformedMessageException {
    String name = string();
    require(':');
    if (members.putIfAbsent(name, string()) != null) {
      throw new MalformedMessageException("a message has each name once");
    }
    if (members.size() > MOST_MEMBERS) {
      throw new MalformedMessageException("a message has at most %d texts".formatted(MOST_MEMBERS));
    }
  }

  private boolean isMore() throws MalformedMessageException {
    int next = next();
    at++;
    if (next != ',' && next != '}') {
      throw wrong("a comma or a closing brace");
    }
    return next == ',';
  }

  private String string() throws MalformedMessageException {
    require('"');
    StringBuilder value = new StringBuilder();
    while (true) {
      char c = one();
      if (c == '"') {
        return value.toString();
      }
      if (c < PRINTABLE) {
        throw wrong("a string");
      }
      value.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() throws MalformedMessageException {
    char c = one();
    if (c == 'u') {
      int code = 0;
      for (int i = 0; i < ESCAPED_DIGITS; i++) {
        int digit = Character.digit(one(), HEXADECIMAL);
        if (digit < 0) {
          throw wrong("a hexadecimal digit");
        }
        code = code * HEXADECIMAL + digit;
      }
      return (char) code;
    }
    int known = ESCAPES.indexOf(c);
    if (known < 0) {
      throw wrong("an escape sequence of JSON");
    }
    return ESCAPED.charAt(known);
  }

  private char one() throws MalformedMessageException {
    if (at == text.length()) {
      throw wrong("a string");
    }
    return text.charAt(at++);
  }

  private void require(char wanted) throws MalformedMessageException {
    if (next() != wanted) {
      throw wrong(wanted == '"' ? "a string" : "'" + wanted + "'");
    }
    at++;
  }

  /**
   * Returns the next character that is not white space, without consuming it; {@link #END} at the
   * end.
   */
  private int next() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    return at < text.length() ? text.charAt(at) : END;
  }

  private MalformedMessageException wrong(String expected) {
    return new MalformedMessageException(
        "a message is an object of strings: %s is missing at character %d".formatted(expected, at));
  }
}
