package dev.iolite.mock.remote;

import dev.iolite.ipc.LocalSocket;
import dev.iolite.ipc.Message;
import dev.iolite.ipc.Peer;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** A connection between a caller's thread and a host: requests go one way, answers the other. */
final class Wire implements Closeable {
  private final LocalSocket socket;

  Wire(LocalSocket socket) {
    this.socket = socket;
  }

  /** The process at the other end. */
  Peer peer() {
    return socket.peer();
  }

  void send(Request request) throws IOException {
    socket.send(request.message());
  }

  /**
   * Reads the next request.
   *
   * @param begins how long to wait for it
   * @throws IOException if the other side is gone, or does not follow the protocol
   */
  Request request(Duration begins) throws IOException {
    return Request.of(receive(Message.LONGEST_REQUEST, begins, () -> false));
  }

  void send(Answer answer) throws IOException {
    socket.send(answer.message());
  }

  /**
   * Reads the answer to a request.
   *
   * @param begins how long to wait for it
   * @param stop whether to stop waiting
   */
  Answer answer(Duration begins, BooleanSupplier stop) throws IOException {
    return Answer.of(receive(Message.LONGEST_ANSWER, begins, stop));
  }

  private Message receive(int longest, Duration begins, BooleanSupplier stop) throws IOException {
    return socket
        .receive(longest, begins, stop)
        .orElseThrow(() -> new EOFException("the connection was closed"));
  }

  @Override
  public void close() {
    socket.close();
  }
}
