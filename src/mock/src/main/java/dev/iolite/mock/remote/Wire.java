package dev.iolite.mock.remote;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A connection between a caller's thread and a host, with requests one way and answers the other.
 */
final class Wire implements Closeable {
  private static final int MOST_TEXT = 1 << 16;
  private static final int MOST_EXTRA = 1 << 16;

  private final SocketChannel channel;
  private final DataInputStream in;
  private final DataOutputStream out;

  Wire(SocketChannel channel) {
    this.channel = channel;
    in = new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel)));
    out = new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel)));
  }

  void send(Request request) throws IOException {
    out.writeByte(request.kind().number());
    byte[] text = request.text().getBytes(StandardCharsets.UTF_8);
    out.writeInt(text.length);
    out.write(text);
    send(request.numbers());
  }

  /**
   * The next request.
   *
   * @throws IOException if the other side is gone, or does not speak so
   */
  Request request() throws IOException {
    int number = in.readUnsignedByte();
    CallKind kind =
        CallKind.of(number).orElseThrow(() -> new IOException("there is no call " + number));
    byte[] text = new byte[length(MOST_TEXT)];
    in.readFully(text);
    List<Long> numbers = numbers();
    if (numbers.size() != kind.numbers()) {
      throw new IOException(kind + " with " + numbers.size() + " numbers");
    }
    return new Request(kind, new String(text, StandardCharsets.UTF_8), numbers);
  }

  void send(Answer answer) throws IOException {
    out.writeLong(answer.result());
    send(answer.extra());
  }

  Answer answer() throws IOException {
    return new Answer(in.readLong(), numbers());
  }

  private void send(List<Long> numbers) throws IOException {
    out.writeInt(numbers.size());
    for (long number : numbers) {
      out.writeLong(number);
    }
    out.flush();
  }

  private List<Long> numbers() throws IOException {
    int count = length(MOST_EXTRA);
    List<Long> numbers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      numbers.add(in.readLong());
    }
    return numbers;
  }

  private int length(int most) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > most) {
      throw new IOException("a length of " + length);
    }
    return length;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
