package dev.iolite.cli.held;

import dev.iolite.cli.Terminal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/**
 * The messages on the socket of a held device: lines of JSON. A request has {@code command}, {@code
 * format} (table or json) and what {@link Terminal#description} says about where the answer is
 * printed; an answer has {@code code} (an exit code), {@code out} and {@code err}.
 */
final class HeldMessage {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int LONGEST_REQUEST = 64 << 10;

  private HeldMessage() {}

  static void write(SocketChannel to, Map<String, String> message) throws IOException {
    byte[] line = (JSON.writeValueAsString(message) + "\n").getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.wrap(line);
    while (bytes.hasRemaining()) {
      to.write(bytes);
    }
  }

  /** A request, of which nobody has to wait for the end of the stream. */
  static Map<String, String> readLine(SocketChannel from) throws IOException {
    InputStream in = Channels.newInputStream(from);
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int next = in.read();
    while (next >= 0 && next != '\n') {
      line.write(next);
      if (line.size() > LONGEST_REQUEST) {
        throw new IOException("the request is too long");
      }
      next = in.read();
    }
    return parse(line.toByteArray());
  }

  /** An answer, up to the end of the stream. */
  static Map<String, String> readAll(SocketChannel from) throws IOException {
    return parse(Channels.newInputStream(from).readAllBytes());
  }

  private static Map<String, String> parse(byte[] json) throws IOException {
    try {
      return JSON.readValue(json, new TypeReference<Map<String, String>>() {});
    } catch (JacksonException e) {
      throw new IOException("this is not a message from iolite", e);
    }
  }
}
