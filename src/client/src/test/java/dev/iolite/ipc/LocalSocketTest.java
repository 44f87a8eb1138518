package dev.iolite.ipc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Connections between processes of one user, of which this one is both. */
@Timeout(120)
class LocalSocketTest {
  private static final Message HELLO = new Message(Map.of("a", "b"));

  @TempDir private Path directory;

  /** Sends back what it gets. */
  private static final class Echo implements LocalListener.Service {
    private final Duration begins;
    private final BlockingQueue<Peer> peers = new LinkedBlockingQueue<>();
    private final BlockingQueue<IOException> failures = new LinkedBlockingQueue<>();

    Echo(Duration begins) {
      this.begins = begins;
    }

    Echo() {
      this(LocalSocket.FOREVER);
    }

    @Override
    public void serve(LocalSocket client) throws IOException {
      peers.add(client.peer());
      try {
        for (var next = receive(client); next.isPresent(); next = receive(client)) {
          client.send(next.get());
        }
      } catch (IOException e) {
        failures.add(e);
        throw e;
      }
    }

    private Optional<Message> receive(LocalSocket client) throws IOException {
      return client.receive(Message.LONGEST_ANSWER, begins, () -> false);
    }

    @Override
    public void refuse(LocalSocket client) throws IOException {
      client.send(new Message(Map.of("refused", "")));
    }
  }

  private Path path() {
    return directory.resolve("socket");
  }

  private LocalListener listener(int most, LocalListener.Service service) throws IOException {
    LocalListener listener = LocalListener.open(path());
    listener.serve("test", most, service, _ -> {});
    return listener;
  }

  private LocalSocket connect() throws IOException {
    return LocalSocket.connect(path(), () -> false);
  }

  private static Message received(LocalSocket socket) throws IOException {
    return socket.receive(Message.LONGEST_ANSWER, LocalSocket.FOREVER, () -> false).orElseThrow();
  }

  @Test
  void messagesOfAnySizeGoBothWaysAndTheKernelSaysWhoIsThere() throws Exception {
    Echo echo = new Echo();
    Message large = new Message(Map.of("a", "x".repeat(3_000_000)));
    try (LocalListener _ = listener(1, echo);
        LocalSocket client = connect()) {
      for (Message message : List.of(HELLO, large, HELLO)) {
        client.send(message);
        assertThat(received(client)).isEqualTo(message);
      }
      assertThat(client.peer().pid()).isEqualTo(ProcessHandle.current().pid());
      assertThat(echo.peers.take()).isEqualTo(client.peer());
      assertThat(client.peer().user())
          .isEqualTo(((Integer) Files.getAttribute(directory, "unix:uid")).longValue());
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aSocketIsBoundWhereNothingIs() throws Exception {
    HostKernel host = new HostKernel();
    try (SocketFd first = SocketFd.create(host);
        SocketFd second = SocketFd.create(host)) {
      first.bind(path());
      assertThatThrownBy(() -> second.bind(path()))
          .isInstanceOf(SocketErrnoException.class)
          .hasMessageContaining("bind")
          .hasMessageContaining("EADDRINUSE");
    }
  }

  @Test
  void severalMessagesMayArriveTogether() throws Exception {
    try (LocalListener _ = listener(1, new Echo());
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path()))) {
      channel.write(ByteBuffer.wrap("{\"a\":\"1\"}\n{\"a\":\"2\"}\n{\"a\":".getBytes(UTF_8)));
      channel.write(ByteBuffer.wrap("\"3\"}\n".getBytes(UTF_8)));
      channel.shutdownOutput();
      String all = new String(Channels.newInputStream(channel).readAllBytes(), UTF_8);
      assertThat(all).isEqualTo("{\"a\":\"1\"}\n{\"a\":\"2\"}\n{\"a\":\"3\"}\n");
    }
  }

  @Test
  void aMessageThatIsTooLongOrHasNoEndIsMalformed() throws Exception {
    try (LocalListener _ = listener(1, new Echo());
        LocalSocket client = connect()) {
      client.send(HELLO);
      assertThatThrownBy(() -> client.receive(8, LocalSocket.FOREVER, () -> false))
          .isInstanceOf(MalformedMessageException.class)
          .hasMessageContaining("at most 8 bytes");
    }
    Echo echo = new Echo();
    try (LocalListener _ = listener(1, echo)) {
      try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path()))) {
        channel.write(ByteBuffer.wrap("{".getBytes(UTF_8)));
      }
      assertThat(echo.failures.take()).isInstanceOf(MalformedMessageException.class);
    }
  }

  @Test
  void whoSaysNothingOrDripsIsCutOff() throws Exception {
    Echo echo = new Echo(Duration.ofMillis(1));
    try (LocalListener _ = listener(1, echo);
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path()))) {
      assertThat(channel.read(ByteBuffer.allocate(1))).isNegative();
      assertThat(echo.failures.take())
          .isInstanceOf(InterruptedIOException.class)
          .hasMessageContaining("the other side took more than");
    }
    Echo patient = new Echo();
    try (LocalListener _ = listener(1, patient);
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path()))) {
      channel.write(ByteBuffer.wrap("{".getBytes(UTF_8)));
      assertThat(channel.read(ByteBuffer.allocate(1))).isNegative();
      assertThat(patient.failures.take()).hasMessageContaining("took more than 10 s");
    }
  }

  /** Whoever does not read what is sent to it. */
  @Test
  void whoIsDeafIsCutOff() throws Exception {
    CompletableFuture<Throwable> failure = new CompletableFuture<>();
    LocalListener.Service talker =
        new LocalListener.Service() {
          @Override
          public void serve(LocalSocket client) throws IOException {
            try {
              client.send(new Message(Map.of("a", "x".repeat(4 << 20))));
            } catch (IOException e) {
              failure.complete(e);
              throw e;
            }
          }

          @Override
          public void refuse(LocalSocket client) {
            client.close();
          }
        };
    try (LocalListener _ = listener(1, talker);
        LocalSocket _ = connect()) {
      assertThat(failure.get()).isInstanceOf(InterruptedIOException.class);
    }
  }

  @Test
  void moreThanTheMostAreRefusedUntilOneHasGone() throws Exception {
    Echo echo = new Echo();
    try (LocalListener listener = listener(2, echo)) {
      LocalSocket first = connect();
      try (LocalSocket second = connect();
          LocalSocket third = connect()) {
        second.send(HELLO);
        assertThat(received(second)).isEqualTo(HELLO);
        assertThat(received(third).members()).containsKey("refused");
        first.close();
      }
      assertThat(listener.await(60_000)).isTrue();
      try (LocalSocket fourth = connect()) {
        fourth.send(HELLO);
        assertThat(received(fourth)).isEqualTo(HELLO);
      }
    }
  }

  @Test
  void waitsEndWhenTheyAreStoppedInterruptedOrClosed() throws Exception {
    try (LocalListener _ = listener(3, new Echo());
        LocalSocket client = connect()) {
      LocalSocket closed = connect();
      assertThatThrownBy(() -> client.receive(9, LocalSocket.FOREVER, () -> true))
          .isInstanceOf(InterruptedIOException.class)
          .hasMessageContaining("stopped");
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> received(client)).hasMessageContaining("interrupted");
      assertThat(Thread.interrupted()).isTrue();
      CompletableFuture<Boolean> ends =
          CompletableFuture.supplyAsync(() -> {
            try {
              return closed.receive(9, LocalSocket.FOREVER, () -> false).isEmpty();
            } catch (SocketErrnoException e) {
              return e.errno() == Errno.EBADF;
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
      closed.close();
      assertThat(ends.join()).isTrue();
      assertThatThrownBy(() -> closed.send(HELLO)).isInstanceOf(SocketErrnoException.class);
    }
  }

  @Test
  void whereNobodyListensNobodyIsConnected() throws Exception {
    assertThat(LocalSocket.isListening(path())).isFalse();
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(path()));
      assertThat(LocalSocket.isListening(path())).isTrue();
    }
    assertThat(LocalSocket.isListening(path())).isFalse();
    assertThatThrownBy(this::connect)
        .isInstanceOfSatisfying(
            SocketErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ECONNREFUSED));
  }

  @Test
  void thePathMayBeLongButNotTheName() throws Exception {
    Path deep =
        Files.createDirectories(directory.resolve("d".repeat(200)).resolve("e".repeat(200)));
    try (LocalListener listener = LocalListener.open(deep.resolve("socket"))) {
      listener.serve("test", 1, new Echo(), _ -> {});
      try (LocalSocket client = LocalSocket.connect(deep.resolve("socket"), () -> false)) {
        client.send(HELLO);
        assertThat(received(client)).isEqualTo(HELLO);
      }
    }
  }

  /** Two that see the same stale socket: only one of them has the place afterwards. */
  @Test
  void manyListenersAtOnePlaceBecomeOne() throws Exception {
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(path()));
    }
    List<CompletableFuture<Stream<LocalListener>>> all =
        IntStream.range(0, 16)
            .mapToObj(_ ->
                CompletableFuture.supplyAsync(() -> {
                  try {
                    return Stream.of(LocalListener.open(path()));
                  } catch (OccupiedException _) {
                    return Stream.<LocalListener>empty();
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                }))
            .toList();
    List<LocalListener> winners = all.stream().flatMap(CompletableFuture::join).toList();
    assertThat(winners).hasSize(1);
    assertThat(LocalSocket.isListening(path())).isTrue();
    winners.getFirst().close();
    assertThat(directory).isEmptyDirectory();
  }

  /** A process without a descriptor left, until it is told: started by the test below. */
  static final class Exhausted {
    public static void main(String[] arguments) throws IOException, InterruptedException {
      List<FileInputStream> all = new ArrayList<>();
      Path path = Path.of(arguments[0]);
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
      try (LocalListener listener = LocalListener.open(path)) {
        listener.serve("test", 2, new Echo(), System.out::println);
        // The classes of a connection are loaded while there are descriptors to load them with.
        try (LocalSocket first = LocalSocket.connect(path, () -> false)) {
          first.send(HELLO);
          System.out.println(received(first) + " " + Errno.EMFILE);
        }
        // The descriptor of its other end is closed by then, too.
        if (!listener.await(60_000)) {
          throw new IllegalStateException("the first client is still there");
        }
        fill(all);
        System.out.println("exhausted");
        in.readLine();
        for (FileInputStream one : all) {
          one.close();
        }
        in.readLine();
      }
    }

    private static void fill(List<FileInputStream> all) throws IOException {
      try {
        while (true) {
          all.add(new FileInputStream("/dev/null"));
        }
      } catch (FileNotFoundException _) {
        // There are no more.
      }
    }
  }

  @Test
  void aListenerWithoutDescriptorsSaysSoOnceAndWaitsForSome() throws Exception {
    Process exhausted =
        new ProcessBuilder(
                "bash",
                "-c",
                "ulimit -n 200; exec \"$@\"",
                "bash",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Exhausted.class.getName(),
                path().toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader said =
            new BufferedReader(new InputStreamReader(exhausted.getInputStream(), UTF_8));
        var told = exhausted.outputWriter(UTF_8)) {
      assertThat(said.readLine()).contains("EMFILE");
      assertThat(said.readLine()).isEqualTo("exhausted");
      try (LocalSocket client = connect()) {
        client.send(HELLO);
        assertThat(said.readLine())
            .contains("accept a connection at " + path(), "EMFILE: no descriptors are left");
        told.write("go on\n");
        told.flush();
        assertThat(received(client)).isEqualTo(HELLO);
      }
      told.write("end\n");
      told.flush();
      assertThat(said.readLine()).as("it was said once").isNull();
    } finally {
      exhausted.destroyForcibly();
    }
  }
}
