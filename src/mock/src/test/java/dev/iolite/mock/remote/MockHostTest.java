package dev.iolite.mock.remote;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

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
