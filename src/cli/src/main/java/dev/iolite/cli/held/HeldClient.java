package dev.iolite.cli.held;

import dev.iolite.cli.RunDirectory;
import dev.iolite.cli.TdiFiles;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.ScenarioException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** Sends commands to a process that holds a device. */
public final class HeldClient {
  private static final long LOOK_MILLIS = 100;

  private final PrivateDirectory directory;

  HeldClient(PrivateDirectory directory) {
    this.directory = directory;
  }

  /** Whether a process listens at a socket. */
  public static boolean isAlive(Path socket) {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return channel.isConnected();
    } catch (IOException _) {
      return false;
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

  /** No process holds the device, or any. */
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
   * Has a command run there, and waits for the answer.
   *
   * @param stop whether to wait no longer
   * @throws PreconditionException if no process holds the device, or it ends before it answers
   */
  Map<String, String> ask(PciAddress address, Map<String, String> request, BooleanSupplier stop) {
    if (!directory.hasSocket(RunDirectory.socket(address))) {
      throw notHeld(directory.path(), Optional.of(address));
    }
    try (SocketChannel channel = connect(address)) {
      CompletableFuture<Map<String, String>> answer = new CompletableFuture<>();
      Thread.ofVirtual()
          .start(() -> {
            try {
              HeldMessage.write(channel, request);
              answer.complete(HeldMessage.readAll(channel));
            } catch (IOException e) {
              answer.completeExceptionally(e);
            }
          });
      return await(answer, stop);
    } catch (IOException | CompletionException | ExecutionException e) {
      PreconditionException failure =
          new PreconditionException(
              "speak to the process that holds " + address,
              "it gave no answer at " + named(address),
              "it ended meanwhile",
              "look at that process; if it was killed, iolite tdi recover " + address);
      failure.initCause(e);
      throw failure;
    }
  }

  private static Map<String, String> await(
      CompletableFuture<Map<String, String>> answer, BooleanSupplier stop)
      throws ExecutionException {
    while (true) {
      try {
        return answer.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException _) {
        if (stop.getAsBoolean()) {
          throw new ScenarioException("stopped; the process that holds the device keeps running");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new ScenarioException("stopped; the process that holds the device keeps running");
      }
    }
  }

  private SocketChannel connect(PciAddress address) {
    try {
      return SocketChannel.open(UnixDomainSocketAddress.of(socket(address)));
    } catch (ConnectException e) {
      PreconditionException failure = dead(address);
      failure.initCause(e);
      throw failure;
    } catch (IOException e) {
      throw TdiFiles.failed(
          "speak to the process that holds " + address + " at " + named(address), e);
    }
  }
}
