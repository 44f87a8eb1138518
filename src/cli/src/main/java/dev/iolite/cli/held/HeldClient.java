package dev.iolite.cli.held;

import dev.iolite.cli.RunDirectory;
import dev.iolite.cli.TdiFiles;
import dev.iolite.ipc.LocalSocket;
import dev.iolite.ipc.Message;
import dev.iolite.ipc.SocketErrnoException;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.ScenarioException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** Sends commands to a process that holds a device. */
public final class HeldClient {
  private final PrivateDirectory directory;

  HeldClient(PrivateDirectory directory) {
    this.directory = directory;
  }

  /** Whether a process listens at a socket. */
  public static boolean isAlive(Path socket) {
    try {
      return LocalSocket.isListening(socket);
    } catch (IOException e) {
      throw TdiFiles.failed("find out whether a process listens at " + socket, e);
    }
  }

  /**
   * The only device that is held.
   *
   * @throws PreconditionException if there is none, or more than one
   */
  PciAddress only() {
    List<PciAddress> all =
        directory.names().stream()
            .filter(directory::hasSocket)
            .flatMap(name -> RunDirectory.device(name).stream())
            .toList();
    List<PciAddress> alive = all.stream().filter(a -> isAlive(socket(a))).toList();
    if (alive.size() > 1) {
      throw new PreconditionException(
          "look for the device that is held",
          alive.stream().map(PciAddress::toString).collect(Collectors.joining(", ")) + " are held",
          "several processes hold one each",
          "name one of them");
    }
    if (alive.isEmpty() && !all.isEmpty()) {
      throw dead(all.getFirst());
    }
    return alive.stream()
        .findFirst()
        .orElseThrow(() -> notHeld(directory.path(), Optional.empty()));
  }

  private Path socket(PciAddress address) {
    return directory.reach(RunDirectory.socket(address));
  }

  private Path named(PciAddress address) {
    return directory.path().resolve(RunDirectory.socket(address));
  }

  /** The failure that no process holds the device, or any device. */
  static PreconditionException notHeld(Path directory, Optional<PciAddress> address) {
    String device = address.map(PciAddress::toString).orElse("a device");
    return new PreconditionException(
        address.isPresent()
            ? "speak to the process that holds " + device
            : "look for the device that is held",
        "there is no socket in " + directory,
        "no process of this user holds "
            + device
            + ": an assignment lasts as long as the process that made it",
        address
            .map(known -> "iolite tdi assign " + known + " --hold, in another terminal")
            .orElse("iolite tdi assign --hold, in another terminal"));
  }

  private PreconditionException dead(PciAddress address) {
    return new PreconditionException(
        "speak to the process that holds " + address,
        "nobody listens at " + named(address),
        "that process was killed",
        "iolite tdi recover " + address);
  }

  /**
   * Runs a command in that process, and waits for the answer.
   *
   * @param stop whether to stop waiting
   * @throws PreconditionException if no process holds the device, or it ends before it answers
   */
  Map<String, String> ask(PciAddress address, Map<String, String> request, BooleanSupplier stop) {
    if (!directory.hasSocket(RunDirectory.socket(address))) {
      throw notHeld(directory.path(), Optional.of(address));
    }
    try (LocalSocket holder = connect(address, stop)) {
      holder.send(new Message(request));
      return holder
          .receive(Message.LONGEST_ANSWER, LocalSocket.FOREVER, stop)
          .orElseThrow(() -> new EOFException("the connection was closed"))
          .members();
    } catch (IOException e) {
      if (stop.getAsBoolean() || Thread.currentThread().isInterrupted()) {
        throw new ScenarioException("stopped; the process that holds the device keeps running");
      }
      PreconditionException failure =
          new PreconditionException(
              "speak to the process that holds " + address,
              "it gave no answer at %s: %s".formatted(named(address), e.getMessage()),
              "it ended meanwhile",
              "look at that process; if it was killed, iolite tdi recover " + address);
      failure.initCause(e);
      throw failure;
    }
  }

  private LocalSocket connect(PciAddress address, BooleanSupplier stop) throws IOException {
    try {
      return LocalSocket.connect(socket(address), stop);
    } catch (SocketErrnoException e) {
      if (e.errno() != Errno.ECONNREFUSED) {
        throw TdiFiles.failed(
            "speak to the process that holds " + address + " at " + named(address), e);
      }
      PreconditionException failure = dead(address);
      failure.initCause(e);
      throw failure;
    }
  }
}
