package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.Mapping;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The model is safe for many threads, and a call that blocks wakes as the kernel's does. */
@Timeout(60)
class ManyThreadsTest {
  private static final int THREADS = 8;
  private static final int ROUNDS = 2000;
  private static final long PAGE = 4096;

  private final MockKernel kernel = MockKernel.plain();

  /** Runs them at the same time, and hands on what any of them throws. */
  private static void atOnce(List<Callable<Void>> bodies) throws Exception {
    try (ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      for (Future<Void> done : threads.invokeAll(bodies)) {
        done.get();
      }
    }
  }

  @Test
  void threadsMapAndUnmapInOneAddressSpaceWithoutHarm() throws Exception {
    try (Iommufd iommufd = Iommufd.open(kernel);
        Ioas ioas = iommufd.allocIoas();
        Mapping memory = Mapping.anonymous(kernel, PAGE)) {
      List<Callable<Void>> bodies = new ArrayList<>();
      for (int thread = 0; thread < THREADS; thread++) {
        long iova = (1L + thread) << 20;
        bodies.add(() -> {
          for (int round = 0; round < ROUNDS; round++) {
            IovaMapping mapping = ioas.map(iova, memory.segment(), IovaAccess.READ_WRITE);
            mapping.close();
          }
          return null;
        });
      }
      atOnce(bodies);
      assertThat(ioas.unmapAll()).isZero();
    }
  }

  @Test
  void descriptorsThatThreadsOpenAndCloseAreNeverTheSame() throws Exception {
    List<Callable<Void>> bodies = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      bodies.add(() -> {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
          for (int round = 1; round <= ROUNDS; round++) {
            int fd = kernel.eventfd(round, 0);
            assertThat(kernel.read(fd, count.address(), Long.BYTES)).isEqualTo(Long.BYTES);
            assertThat(count.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(round);
            assertThat(kernel.close(fd)).isZero();
          }
        }
        return null;
      });
    }
    atOnce(bodies);
  }

  @Test
  void aReadOfAnEmptyEventfdWaitsForTheWriteOfAnotherThread() throws Exception {
    int there = kernel.eventfd(0, 0);
    int back = kernel.eventfd(0, 0);
    atOnce(List.of(() -> pass(there, back), () -> answer(there, back)));
  }

  private Void pass(int there, int back) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
      for (long round = 1; round <= ROUNDS; round++) {
        count.set(ValueLayout.JAVA_LONG, 0, round);
        assertThat(kernel.write(there, count.address(), Long.BYTES)).isEqualTo(Long.BYTES);
        assertThat(kernel.read(back, count.address(), Long.BYTES)).isEqualTo(Long.BYTES);
        assertThat(count.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(round);
      }
    }
    return null;
  }

  private Void answer(int there, int back) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
      for (long round = 1; round <= ROUNDS; round++) {
        assertThat(kernel.read(there, count.address(), Long.BYTES)).isEqualTo(Long.BYTES);
        assertThat(kernel.write(back, count.address(), Long.BYTES)).isEqualTo(Long.BYTES);
      }
    }
    return null;
  }
}
