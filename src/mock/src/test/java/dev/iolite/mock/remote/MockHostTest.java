package dev.iolite.mock.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.ipc.LocalSocket;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.uapi.libc.Libc;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A model's host that other processes use. Where no process dies, they are this one. */
@Timeout(120)
class MockHostTest {
  private static final String EDU = "0000:00:02.0";

  @TempDir private Path directory;
  private MockHost host;

  @BeforeEach
  void start() {
    host = MockHost.start(directory.resolve("host"), MockKernel.builder());
  }

  @AfterEach
  void stop() {
    host.close();
  }

  private RemoteKernel process() {
    return RemoteKernel.connect(host.socket());
  }

  private static List<String> openFiles(Kernel kernel) {
    SysFs files = new SysFs(kernel);
    return files.list("/proc/self/fd").stream()
        .map(number -> files.linkName("/proc/self/fd/" + number).orElse(""))
        .filter(name -> name.matches("iommu|vfio\\d+|kvm|anon_inode:.*|dmabuf:.*|memfd:.*"))
        .toList();
  }

  private static Optional<String> driver(Kernel kernel) {
    return new Pci(kernel).device(PciAddress.parse(EDU)).driver();
  }

  @Test
  void badAddressesAreFaults() {
    try (RemoteKernel kernel = process();
        Arena arena = Arena.ofConfined()) {
      int memfd = kernel.memfdCreate("x", 0);
      assertThat(kernel.ftruncate(memfd, 4096)).isZero();
      assertThat(kernel.pwrite(memfd, 8, 4, 0)).isEqualTo(Errno.EFAULT.negated());
      assertThat(kernel.pread(memfd, -8, 4, 0)).isEqualTo(Errno.EFAULT.negated());
      MemorySegment good = arena.allocateFrom("abc");
      assertThat(kernel.pwrite(memfd, good.address(), 4, 0)).isEqualTo(4);
      long at = kernel.mmap(0, 4096, Libc.PROT_READ(), Libc.MAP_SHARED(), memfd, 0);
      assertThat(MemorySegment.ofAddress(at).reinterpret(4).getString(0)).isEqualTo("abc");
      assertThat(kernel.munmap(at, 4096)).isZero();
      assertThat(kernel.mmap(0, 0, 1, Libc.MAP_SHARED(), memfd, 0))
          .isEqualTo(Errno.EINVAL.negated());
      assertThat(kernel.close(memfd)).isZero();
      assertThat(kernel.mmap(0, 4096, 1, Libc.MAP_SHARED(), memfd, 0))
          .isEqualTo(Errno.EBADF.negated());
    }
  }

  /** Linux gives memory of no file without a descriptor; so many do not depend on a limit of it. */
  @Test
  void mappedMemoryTakesNoDescriptorsOfTheHost() throws IOException {
    long others = memory();
    try (RemoteKernel kernel = process()) {
      List<Long> mapped = new ArrayList<>();
      long before = 0;
      for (int i = 0; i < 200; i++) {
        long at =
            kernel.mmap(
                0,
                4096,
                Libc.PROT_READ() | Libc.PROT_WRITE(),
                Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(),
                -1,
                0);
        MemorySegment page = MemorySegment.ofAddress(at).reinterpret(4096);
        assertThat(page.get(ValueLayout.JAVA_INT, 0)).isZero();
        page.set(ValueLayout.JAVA_INT, 0, i);
        mapped.add(at);
        before = i == 0 ? ownDescriptors() : before;
      }
      assertThat(ownDescriptors()).isEqualTo(before);
      for (int i = 0; i < mapped.size(); i++) {
        MemorySegment page = MemorySegment.ofAddress(mapped.get(i)).reinterpret(4096);
        assertThat(page.get(ValueLayout.JAVA_INT, 0)).isEqualTo(i);
        assertThat(kernel.munmap(mapped.get(i), 4096)).isZero();
      }
      assertThat(memory()).as("the file goes with the last of it").isEqualTo(others);
    }
  }

  private static long ownDescriptors() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }

  /** The descriptors of memory of no file. */
  private static long memory() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.filter(fd ->
              new SysFs(new HostKernel())
                  .linkName(fd.toString())
                  .orElse("")
                  .contains("iolite-mock-anonymous"))
          .count();
    }
  }

  @Test
  void oneProcessAtATimeUsesIt() {
    try (RemoteKernel kernel = process()) {
      assertThat(kernel.eventfd(0, 0)).isPositive();
      assertThatThrownBy(this::process)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("another process uses it");
    }
  }

  @Test
  void nobodyListensAtAPathWithoutHostAndOneHostListensAtAPath() {
    assertThatThrownBy(() -> RemoteKernel.connect(directory.resolve("none")))
        .isInstanceOfSatisfying(
            PreconditionException.class,
            e -> assertThat(e.advice().remedy()).isEqualTo(Remedy.SERVE_MODEL));
    assertThatThrownBy(() -> MockHost.start(host.socket(), MockKernel.builder()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("another mock host");
  }

  /** A connection that speaks the protocol by itself. */
  private Wire wire() throws IOException {
    return new Wire(LocalSocket.connect(host.socket(), () -> false));
  }

  private static long said(Wire wire, CallKind kind, long number) throws IOException {
    wire.send(Request.of(kind, number));
    return wire.answer(Duration.ofSeconds(60), () -> false).result();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 0, -1, 1L << 32, Long.MAX_VALUE})
  void whoClaimsToBeAnotherProcessIsRefused(long other) throws IOException {
    try (Wire wire = wire()) {
      assertThat(said(wire, CallKind.PROCESS, other)).isEqualTo(Errno.ESRCH.negated());
    }
    process().close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\n",
        "null\n",
        "{}\n",
        "{\"call\":null}\n",
        "{\"call\":\"PROCESS\"}\n",
        "{\"call\":\"PROCESS\",\"numbers\":\"1 2\"}\n",
        "{\"call\":\"PROCESS\",\"numbers\":\"x\"}\n",
        "{\"call\":\"OPEN\",\"numbers\":\"0\"}\n",
        "{\"call\":\"THREAD\",\"numbers\":\"99\"}\n"
      })
  void whoDoesNotSpeakTheProtocolIsCutOff(String garbage) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(host.socket()))) {
      channel.write(ByteBuffer.wrap(garbage.getBytes(StandardCharsets.UTF_8)));
      assertThat(channel.read(ByteBuffer.allocate(1))).isNegative();
    }
    process().close();
  }

  @Test
  void aProcessThatIsKilledOrIdleHoldsNothingUp() throws IOException {
    try (SocketChannel deaf = SocketChannel.open(UnixDomainSocketAddress.of(host.socket()));
        RemoteKernel kernel = process()) {
      assertThat(deaf.isConnected()).isTrue();
      assertThat(kernel.eventfd(0, 0)).isPositive();
    }
  }

  private Path other(String name) {
    return directory.resolve(name);
  }

  private void assertStays(Path path) {
    assertThatThrownBy(() -> MockHost.start(path, MockKernel.builder()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("start a mock host at " + path)
        .hasMessageContaining("something is there that is no socket");
    assertThat(path).exists();
  }

  @Test
  void whatIsNoSocketIsNotDeleted() throws Exception {
    assertStays(Files.createDirectory(other("directory")));
    assertStays(Files.createFile(other("file")));
    assertStays(Files.createSymbolicLink(other("link"), host.socket()));
    Path fifo = other("fifo");
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
    assertStays(fifo);
    Path device = other("device");
    if (new ProcessBuilder("mknod", device.toString(), "c", "1", "3").start().waitFor() == 0) {
      assertStays(device);
    }
  }

  @Test
  void aStaleSocketIsReplacedAndALiveOneIsNot() throws IOException {
    Path stale = other("stale");
    try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      dead.bind(UnixDomainSocketAddress.of(stale));
      assertThatThrownBy(() -> MockHost.start(stale, MockKernel.builder()))
          .hasMessageContaining("a process listens there");
    }
    try (MockHost next = MockHost.start(stale, MockKernel.builder())) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(next.socket())))
          .isEqualTo("rw-------");
      RemoteKernel.connect(stale).close();
    }
    assertThat(stale).doesNotExist();
    assertThat(directory).isDirectoryNotContaining(file -> !file.equals(host.socket()));
  }

  /** A host's end takes its own socket, not one that has come to that place since. */
  @Test
  void theSocketOfAnotherHostIsLeftAlone() throws IOException {
    Path place = other("place");
    MockHost first = MockHost.start(place, MockKernel.builder());
    Files.delete(place);
    try (MockHost _ = MockHost.start(place, MockKernel.builder())) {
      first.close();
      RemoteKernel.connect(place).close();
    }
  }

  @Test
  void callsOfAThreadBlockWhileAnotherThreadsCallsGoOn() {
    try (RemoteKernel kernel = process();
        Arena arena = Arena.ofShared()) {
      MemorySegment count = arena.allocate(8, 8);
      MemorySegment one = arena.allocate(8, 8);
      one.set(ValueLayout.JAVA_LONG, 0, 1);
      int event = kernel.eventfd(0, 0);
      CompletableFuture<Long> read =
          CompletableFuture.supplyAsync(() -> kernel.read(event, count.address(), 8));
      assertThat(kernel.write(event, one.address(), 8)).isEqualTo(8);
      assertThat(read.join()).isEqualTo(8);
      assertThat(kernel.close(event)).isZero();
    }
  }

  /** What a process does that is killed: started by the test below. */
  static final class Victim {
    public static void main(String[] arguments) throws InterruptedException {
      RemoteKernel kernel = RemoteKernel.connect(Path.of(arguments[0]));
      VfioUser user = new VfioUser(kernel, EDU);
      user.memory(0x100000, 1 << 20);
      int event = kernel.eventfd(0, 0);
      Thread.ofPlatform().daemon().start(() -> blockedRead(kernel, event));
      System.out.println(openFiles(kernel).size() + " files open");
      Thread.currentThread().join();
    }

    private static void blockedRead(Kernel kernel, int event) {
      MemorySegment count = Arena.ofAuto().allocate(8, 8);
      kernel.read(event, count.address(), 8);
    }
  }

  @Test
  void aKilledProcessLeavesTheHostAsAKilledProcessDoes() throws IOException, InterruptedException {
    Process victim =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Victim.class.getName(),
                host.socket().toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader said =
        new BufferedReader(
            new InputStreamReader(victim.getInputStream(), StandardCharsets.UTF_8))) {
      assertThat(said.readLine()).matches("[1-9]\\d* files open");
    } finally {
      victim.destroyForcibly();
    }
    assertThat(victim.waitFor(30, TimeUnit.SECONDS)).isTrue();

    try (RemoteKernel next = process()) {
      assertThat(openFiles(next)).isEmpty();
      assertThat(driver(next)).as("no process ends that").contains("vfio-pci");
      try (VfioUser user = new VfioUser(next, EDU)) {
        assertThat(user.device().config().vendor()).isEqualTo(0x1234);
      }
    }
  }
}
