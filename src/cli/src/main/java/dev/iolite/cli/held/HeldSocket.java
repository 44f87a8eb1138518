package dev.iolite.cli.held;

import dev.iolite.cli.RunDirectory;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Where a process that holds a device listens for commands of other processes of the same user: one
 * request and one answer for each connection, as {@link HeldMessage} has them.
 */
public final class HeldSocket implements AutoCloseable {
  private static final long LAST_ANSWERS_SECONDS = 2;

  private final PrivateDirectory directory;
  private final String name;
  private final ServerSocketChannel server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Set<SocketChannel> clients = ConcurrentHashMap.newKeySet();

  private HeldSocket(PrivateDirectory directory, String name, ServerSocketChannel server) {
    this.directory = directory;
    this.name = name;
    this.server = server;
  }

  /**
   * Listens; who connects waits until {@link #serve}. A socket that a dead process has left is
   * replaced.
   *
   * @throws PreconditionException if another process listens there, or the file can't be made
   */
  public static HeldSocket open(PrivateDirectory directory, PciAddress address) {
    String name = RunDirectory.socket(address);
    Path file = directory.path().resolve(name);
    if (HeldClient.isAlive(directory.reach(name))) {
      throw new PreconditionException(
          "hold " + address,
          "another process listens at " + file,
          "another process has " + address + " assigned",
          "iolite tdi show " + address + "; to rehearse a second one, --run-dir DIR");
    }
    if (directory.hasSocket(name)) {
      directory.delete(name);
    }
    try {
      ServerSocketChannel server = bind(directory.reach(name));
      HeldSocket socket = new HeldSocket(directory, name, server);
      try {
        Files.setPosixFilePermissions(
            directory.reach(name), PosixFilePermissions.fromString("rw-------"));
      } catch (IOException | RuntimeException e) {
        socket.close();
        throw e;
      }
      return socket;
    } catch (IOException e) {
      throw failed(file, e);
    }
  }

  private static ServerSocketChannel bind(Path path) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      return server.bind(UnixDomainSocketAddress.of(path));
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private static PreconditionException failed(Path file, IOException e) {
    PreconditionException failure =
        new PreconditionException(
            "listen for commands at " + file,
            e.getClass().getSimpleName() + ": " + e.getMessage(),
            "another file has that name, or the file system is full or takes no sockets",
            "ls -l shows what it is; delete it, or name another directory: --run-dir DIR");
    failure.initCause(e);
    return failure;
  }

  /** Answers, from now on, each request in a thread of its own. */
  public void serve(UnaryOperator<Map<String, String>> answers) {
    Thread.ofVirtual()
        .name("socket")
        .start(() -> {
          while (server.isOpen()) {
            try {
              SocketChannel client = server.accept();
              clients.add(client);
              threads.execute(() -> answer(client, answers));
            } catch (IOException | RejectedExecutionException _) {
              // It is closed, or the client has gone.
            }
          }
        });
  }

  private void answer(SocketChannel client, UnaryOperator<Map<String, String>> answers) {
    try (client) {
      HeldMessage.write(client, answers.apply(HeldMessage.readLine(client)));
    } catch (IOException _) {
      // The client has gone, or what it sent is no request: there is nobody to tell.
    } finally {
      clients.remove(client);
    }
  }

  /** Answers that are on their way still go out; then the file is deleted. */
  @Override
  public void close() {
    threads.shutdown();
    try {
      server.close();
      if (!threads.awaitTermination(LAST_ANSWERS_SECONDS, TimeUnit.SECONDS)) {
        for (SocketChannel client : clients) {
          client.close();
        }
      }
      if (directory.hasSocket(name)) {
        directory.delete(name);
      }
    } catch (IOException e) {
      throw failed(directory.path().resolve(name), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
