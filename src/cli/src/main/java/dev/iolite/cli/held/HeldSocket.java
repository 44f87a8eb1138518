package dev.iolite.cli.held;

import dev.iolite.cli.ExitCode;
import dev.iolite.cli.RunDirectory;
import dev.iolite.ipc.LocalListener;
import dev.iolite.ipc.LocalSocket;
import dev.iolite.ipc.MalformedMessageException;
import dev.iolite.ipc.Message;
import dev.iolite.ipc.OccupiedException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The socket on which a process that holds a device listens for commands from other processes of
 * the same user: one request and one answer for each connection. A request has {@code command},
 * {@code format} (table or json) and what {@link dev.iolite.cli.Terminal#description} says about
 * where the answer is printed; an answer has {@code code} (an exit code), {@code out} and {@code
 * err}.
 */
public final class HeldSocket implements AutoCloseable {
  private static final long LAST_ANSWERS_MILLIS = 2000;
  private static final int MOST_CLIENTS = 64;

  private final Path file;
  private final LocalListener listener;

  private HeldSocket(Path file, LocalListener listener) {
    this.file = file;
    this.listener = listener;
  }

  /**
   * Listens; clients that connect wait until {@link #serve}. A socket that a dead process has left
   * is replaced.
   *
   * @throws PreconditionException if another process listens there, or the file can't be made
   */
  public static HeldSocket open(PrivateDirectory directory, PciAddress address) {
    String name = RunDirectory.socket(address);
    Path file = directory.path().resolve(name);
    try {
      return new HeldSocket(file, LocalListener.open(directory.reach(name)));
    } catch (OccupiedException e) {
      throw occupied(file, address, e);
    } catch (IOException e) {
      throw failed(file, e);
    }
  }

  private static PreconditionException occupied(
      Path file, PciAddress address, OccupiedException e) {
    PreconditionException failure =
        e.isAlive()
            ? new PreconditionException(
                "hold " + address,
                "another process listens at " + file,
                "another process has " + address + " assigned",
                "iolite tdi show " + address + "; to rehearse a second one, --run-dir DIR")
            : new PreconditionException(
                "listen for commands at " + file,
                String.valueOf(e.getMessage()),
                "another program or another user has made it",
                "look at it with ls -l and remove it, or name another directory: --run-dir DIR");
    failure.initCause(e);
    return failure;
  }

  private static PreconditionException failed(Path file, IOException e) {
    PreconditionException failure =
        new PreconditionException(
            "listen for commands at " + file,
            e.getClass().getSimpleName() + ": " + e.getMessage(),
            "the file system is full, or has no sockets or no hard links",
            "name another directory: --run-dir DIR");
    failure.initCause(e);
    return failure;
  }

  /**
   * Answers each request, from now on, in its own thread.
   *
   * @param troubles told when, for some time, no request can be accepted, and why
   */
  public void serve(UnaryOperator<Map<String, String>> answers, Consumer<String> troubles) {
    listener.serve("socket", MOST_CLIENTS, new Answers(answers), troubles);
  }

  private record Answers(UnaryOperator<Map<String, String>> answers)
      implements LocalListener.Service {
    @Override
    public void serve(LocalSocket client) throws IOException {
      client.send(new Message(answer(client)));
    }

    private Map<String, String> answer(LocalSocket client) throws IOException {
      Optional<Message> request;
      try {
        request = client.receive(Message.LONGEST_REQUEST, LocalSocket.LONGEST_MESSAGE, () -> false);
      } catch (MalformedMessageException e) {
        return failure(ExitCode.USAGE, "this is no request: " + e.getMessage());
      }
      return request
          .filter(known -> known.members().containsKey("command"))
          .map(known -> answers.apply(known.members()))
          .orElseGet(() -> failure(ExitCode.USAGE, "this is no request: it has no command"));
    }

    @Override
    public void refuse(LocalSocket client) throws IOException {
      client.send(
          new Message(
              failure(
                  ExitCode.PRECONDITION,
                  "the process that holds the device answers %d others already; try again"
                      .formatted(MOST_CLIENTS))));
    }

    private static Map<String, String> failure(int code, String message) {
      return Map.of("code", Integer.toString(code), "out", "", "err", "iolite: " + message);
    }
  }

  /** Stops listening, lets answers that are on their way go out, and deletes the file. */
  @Override
  public void close() {
    try (listener) {
      listener.stop();
      listener.await(LAST_ANSWERS_MILLIS);
    } catch (IOException e) {
      throw failed(file, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
