package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.kvm.GuestScript;
import dev.iolite.mock.remote.MockHost;
import dev.iolite.mock.remote.RemoteKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.TsmState;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tsm.Profile;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How a command ends that meets an Error, or a signal while it waits. */
@Timeout(120)
class EndTest {
  private static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");

  private static final PciAddress EDU = PciAddress.parse("0000:00:02.0");

  /** Less than what a command gets that has something to undo. */
  private static final int SOON_SECONDS = 40;

  @TempDir private Path directory;

  /** At an ioctl early in the preparation, and at one of the bind. */
  @ParameterizedTest
  @ValueSource(ints = {3, 12, 40})
  void anErrorEndsWithTheUndosAndExitCode70(int nth) {
    try (MockKernel model = Rehearsal.of(Platform.TDX, Profile.SEED_2025).kernel()) {
      AtomicInteger calls = new AtomicInteger();
      ForwardingKernel failing =
          new ForwardingKernel(model) {
            @Override
            public int ioctl(int fd, long request, long argument) {
              if (calls.incrementAndGet() == nth) {
                throw new OutOfMemoryError("Java heap space");
              }
              return super.ioctl(fd, request, argument);
            }
          };
      Cli cli =
          Cli.runOn(
              failing, "tdi", "assign", "00:07.0", "--vm=tdx", "--run-dir", directory.toString());
      assertThat(cli.code()).as(cli.err()).isEqualTo(ExitCode.INTERNAL);
      assertThat(cli.err()).contains("internal error: java.lang.OutOfMemoryError: Java heap space");
      PciDevice device = new Pci(model).device(ENDPOINT);
      assertThat(device.driver()).isEmpty();
      assertThat(device.driverOverride()).isEmpty();
      assertThat(device.tsm().flatMap(TsmState::connect)).isEmpty();
      assertThat(directory).isEmptyDirectory();
    }
  }

  @Test
  void aFileOfManyBytesIsNotReadWhole() throws IOException {
    Path sparse = directory.resolve("layout.yaml");
    try (RandomAccessFile file = new RandomAccessFile(sparse.toFile(), "rw")) {
      file.setLength(20L << 30);
    }
    Cli cli = Cli.run("--kernel", "mock:tdx", "tdi", "assign", "--layout", sparse.toString());
    assertThat(cli.code()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(cli.err()).contains("it has more than 16777216 bytes");
  }

  @Test
  void aSignalEndsACommandThatWaitsForAFifo() throws Exception {
    Path fifo = directory.resolve("fifo");
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
    Process waiting = start("--kernel", "mock:tdx", "tdi", "assign", "--layout", fifo.toString());
    // The open returns when the other side has opened it too, and waits for bytes.
    try (OutputStream _ = Files.newOutputStream(fifo)) {
      endsSoon(waiting);
    }
  }

  @Test
  void aSignalEndsACommandThatWaitsForADeafHost() throws Exception {
    Path socket = directory.resolve("host");
    try (ServerSocketChannel deaf = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      deaf.bind(UnixDomainSocketAddress.of(socket));
      Process waiting = start("--kernel", "mock@" + socket, "pci", "list");
      try (SocketChannel _ = deaf.accept()) {
        endsSoon(waiting);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("commandsWithGuests")
  void aSignalEndsAGuestThatRunsForeverAndTheDeviceIsGivenBack(List<String> command)
      throws Exception {
    CountDownLatch runs = new CountDownLatch(1);
    GuestScript forever =
        GuestScript.builder().readShared(0, 8, _ -> runs.countDown()).goTo(1).build();
    try (MockHost host = host(forever)) {
      Process waiting = start(host, command);
      runs.await();
      String out = outOf(waiting, "-INT", 128 + 2);
      assertThat(out).contains("the guest was stopped before it was done, as requested");
      try (RemoteKernel afterwards = RemoteKernel.connect(host.socket())) {
        assertThat(new Pci(afterwards).device(EDU).driver()).isEmpty();
      }
    }
    assertThat(directory).isDirectoryNotContaining("glob:**.journal");
  }

  @ParameterizedTest
  @MethodSource("commandsWithGuests")
  void aSignalEndsAnAssignmentWhoseHostHasGoneDeaf(List<String> command) throws Exception {
    CountDownLatch runs = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    GuestScript deafening =
        GuestScript.builder()
            .readShared(
                0,
                8,
                _ -> {
                  // Under the model's lock: no other call is answered either.
                  runs.countDown();
                  awaitUninterruptibly(ended);
                })
            .build();
    try (MockHost host = host(deafening)) {
      Process waiting = start(host, command);
      runs.await();
      String out = outOf(waiting, "-TERM", 128 + 15);
      assertThat(out).contains("make a call at the mock host at " + host.socket());
      ended.countDown();
    } finally {
      ended.countDown();
    }
  }

  private MockHost host(GuestScript script) {
    return MockHost.start(
        directory.resolve("host"), MockKernel.builder().guests((_, _) -> Optional.of(script)));
  }

  private static List<List<String>> commandsWithGuests() {
    return List.of(
        List.of("passthrough", "00:02.0"), List.of("tdi", "assign", "00:02.0", "--vm=default"));
  }

  private Process start(MockHost host, List<String> command) throws IOException {
    Stream<String> own =
        command.getFirst().equals("tdi")
            ? Stream.of("--run-dir", directory.toString())
            : Stream.of();
    return start(
        Stream.of(Stream.of("--kernel", "mock@" + host.socket()), command.stream(), own)
            .flatMap(words -> words)
            .toArray(String[]::new));
  }

  /** What a process printed that a signal has ended before anything else did. */
  private static String outOf(Process process, String signal, int code) throws Exception {
    try {
      Process kill = new ProcessBuilder("kill", signal, Long.toString(process.pid())).start();
      assertThat(kill.waitFor()).isZero();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(out).isEqualTo(code);
      assertThat(out).doesNotContain("the command did not end");
      return out;
    } finally {
      process.destroyForcibly();
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean wasInterrupted = false;
    while (latch.getCount() != 0) {
      try {
        latch.await();
      } catch (InterruptedException _) {
        wasInterrupted = true;
      }
    }
    if (wasInterrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void endsSoon(Process process) throws InterruptedException {
    try {
      process.destroy();
      assertThat(process.waitFor(SOON_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(128 + 15);
    } finally {
      process.destroyForcibly();
    }
  }

  private static Process start(String... arguments) throws IOException {
    // What a shell starts in the background ignores SIGINT, and so do all processes from there on.
    List<String> java =
        List.of(
            "env",
            "--default-signal=INT",
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName());
    return new ProcessBuilder(Stream.concat(java.stream(), Stream.of(arguments)).toList())
        .redirectErrorStream(true)
        .start();
  }
}
