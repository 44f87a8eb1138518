package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** Runs on any Linux: the calls that need no device. */
class HostKernelTest {
  private static final int THREADS = 8;
  private static final int CALLS = 20_000;

  private final Kernel kernel = new HostKernel();

  @Test
  void aFailedCallReturnsTheNegatedErrno() {
    assertThat(kernel.open("/nonexistent/path", Libc.O_RDONLY())).isEqualTo(-Libc.ENOENT());
    assertThat(kernel.close(-1)).isEqualTo(-Libc.EBADF());
    assertThat(kernel.ioctl(-1, 0, 0)).isEqualTo(-Libc.EBADF());
    assertThat(kernel.read(-1, 0, 0)).isEqualTo(-Libc.EBADF());
    HostKernel host = new HostKernel();
    assertThat(host.fsync(-1)).isEqualTo(-Libc.EBADF());
    assertThat(host.lock(-1)).isEqualTo(-Libc.EBADF());
    assertThat(host.isLocked(-1)).isEqualTo(-Libc.EBADF());
    assertThat(kernel.mmap(0, 0, 0, Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(), -1, 0))
        .isEqualTo(-Libc.EINVAL());
    assertThat(kernel.readlink("/", 0, 16)).isEqualTo(-Libc.EINVAL());
  }

  @Test
  void aBadAddressIsEfaultAndNoCrash() {
    int fd = kernel.memfdCreate("efault", 0);
    try {
      assertThat(kernel.write(fd, 1, 16)).isEqualTo(-Libc.EFAULT());
      assertThat(kernel.poll(1, 1, 0)).isEqualTo(-Libc.EFAULT());
    } finally {
      assertThat(kernel.close(fd)).isZero();
    }
  }

  @Test
  void eachThreadSeesTheErrnoOfItsOwnCall() throws Exception {
    CyclicBarrier start = new CyclicBarrier(THREADS);
    List<Callable<Integer>> loops = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      boolean even = i % 2 == 0;
      loops.add(() -> {
        start.await();
        int wrong = 0;
        for (int call = 0; call < CALLS; call++) {
          int expected = even ? -Libc.EBADF() : -Libc.EINVAL();
          int returned = even ? kernel.close(-1) : kernel.eventfd(0, -1);
          wrong += returned == expected ? 0 : 1;
        }
        return wrong;
      });
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      for (Future<Integer> wrong : threads.invokeAll(loops)) {
        assertThat(wrong.get()).isZero();
      }
    }
  }

  @Test
  void filesOffsetsAndSizesGoThroughUnchanged() {
    int fd = kernel.memfdCreate("data", 0);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_LONG, 1, 2, 3);
      long far = 1L << 33;
      assertThat(kernel.pwrite(fd, data.address(), 24, far)).isEqualTo(24);
      assertThat(kernel.lseek(fd, 0, Libc.SEEK_END())).isEqualTo(far + 24);
      MemorySegment back = arena.allocate(24);
      assertThat(kernel.pread(fd, back.address(), 24, far)).isEqualTo(24);
      assertThat(back.mismatch(data)).isEqualTo(-1);
      assertThat(kernel.ftruncate(fd, 8)).isZero();
      assertThat(kernel.lseek(fd, 0, Libc.SEEK_END())).isEqualTo(8);
    } finally {
      assertThat(kernel.close(fd)).isZero();
    }
  }

  @Test
  void anInterruptTakesAThreadOutOfItsWaitAndHarmsNoOther() throws Exception {
    CompletableFuture<Integer> tid = new CompletableFuture<>();
    FutureTask<Integer> waiting =
        new FutureTask<>(() -> {
          tid.complete(kernel.interruptible());
          return kernel.poll(0, 0, -1);
        });
    Thread.ofPlatform().daemon().start(waiting);
    assertThat(tid.get()).isPositive();
    // One that comes before the wait is no reason not to wait; a thread that has no processor for
    // a while has too many waiting for it.
    while (!waiting.isDone()) {
      assertThat(kernel.interrupt(tid.get())).isIn(0, -Libc.ESRCH(), -Libc.EAGAIN());
    }
    assertThat(waiting.get()).isEqualTo(-Libc.EINTR());

    assertThat(kernel.interrupt(kernel.interruptible())).isZero();
    assertThat(kernel.interrupt(Integer.MAX_VALUE)).isEqualTo(-Libc.ESRCH());
  }
}
