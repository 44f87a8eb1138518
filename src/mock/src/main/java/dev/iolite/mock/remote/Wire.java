package dev.iolite.mock.remote;

import dev.iolite.ipc.LocalSocket;
import dev.iolite.ipc.MalformedMessageException;
import dev.iolite.ipc.Message;
import dev.iolite.ipc.Peer;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * A connection between a caller's thread and a host, with requests one way and answers the other. A
 * request has {@code call}, {@code numbers} with spaces between them, and {@code text}; an answer
 * has {@code result} and {@code extra}, also numbers.
 */
final class Wire implements Closeable {
  private static final String CALL = "call";
  private static final String TEXT = "text";
  private static final String NUMBERS = "numbers";
  private static final String RESULT = "result";
  private static final String EXTRA = "extra";

  private final LocalSocket socket;

  Wire(LocalSocket socket) {
    this.socket = socket;
  }

  /** The process at the other end. */
  Peer peer() {
    return socket.peer();
  }

  void send(Request request) throws IOException {
    String numbers = text(request.numbers());
    socket.send(
        new Message(
            request.text().isEmpty()
                ? Map.of(CALL, request.kind().name(), NUMBERS, numbers)
                : Map.of(CALL, request.kind().name(), NUMBERS, numbers, TEXT, request.text())));
  }

  /**
   * The next request.
   *
   * @param begins how long to wait for it
   * @throws IOException if the other side is gone, or does not speak so
   */
  Request request(Duration begins) throws IOException {
    Message message = receive(Message.LONGEST_REQUEST, begins, () -> false);
    CallKind kind =
        CallKind.of(message.text(CALL))
            .orElseThrow(
                () -> new MalformedMessageException("there is no call " + message.text(CALL)));
    List<Long> numbers = numbers(message.text(NUMBERS));
    if (numbers.size() != kind.numbers()) {
      throw new MalformedMessageException(kind + " with " + numbers.size() + " numbers");
    }
    return new Request(kind, message.text(TEXT), numbers);
  }

  void send(Answer answer) throws IOException {
    String result = Long.toString(answer.result());
    socket.send(
        new Message(
            answer.extra().isEmpty()
                ? Map.of(RESULT, result)
                : Map.of(RESULT, result, EXTRA, text(answer.extra()))));
  }

  /**
   * The answer to a request.
   *
   * @param begins how long to wait for it
   * @param stop whether to wait no longer
   */
  Answer answer(Duration begins, BooleanSupplier stop) throws IOException {
    Message message = receive(Message.LONGEST_ANSWER, begins, stop);
    List<Long> result = numbers(message.text(RESULT));
    if (result.size() != 1) {
      throw new MalformedMessageException("an answer has one result");
    }
    return new Answer(result.getFirst(), numbers(message.text(EXTRA)));
  }

  private Message receive(int longest, Duration begins, BooleanSupplier stop) throws IOException {
    return socket
        .receive(longest, begins, stop)
        .orElseThrow(() -> new EOFException("the connection was closed"));
  }

  private static String text(List<Long> numbers) {
    return numbers.stream().map(Object::toString).collect(Collectors.joining(" "));
  }

  private static List<Long> numbers(String text) throws IOException {
    try {
      return text.isEmpty()
          ? List.of()
          : Arrays.stream(text.split(" ", -1)).map(Long::valueOf).toList();
    } catch (NumberFormatException e) {
      throw new MalformedMessageException("a number is missing");
    }
  }

  @Override
  public void close() {
    socket.close();
  }
}
