package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HugePage;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DmaPoolTest {
  private static final long PAGE = 4096;

  private final MockKernel kernel = MockKernel.plain();
  private final VfioUser user = new VfioUser(kernel, "0000:00:02.0");
  private final DmaPool pool = DmaPool.of(kernel, user.ioas(), 16 * PAGE);

  @AfterEach
  void close() {
    pool.close();
    user.close();
    kernel.close();
  }

  @Test
  void aDeviceReachesItsBuffers() {
    DmaBuffer from = pool.take(8, 64).orElseThrow();
    DmaBuffer to = pool.take(8, 64).orElseThrow();
    assertThat(pool.range().contains(IovaRange.of(to.iova(), to.bytes()))).isTrue();
    from.memory().set(ValueLayout.JAVA_LONG, 0, 42);
    copy(from.iova(), 0x40000, 0);
    copy(0x40000, to.iova(), 2);
    assertThat(to.memory().get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);
  }

  /** Has edu move 8 bytes. */
  private void copy(long from, long to, long direction) {
    Region bar = user.device().region(PciRegion.BAR0);
    bar.write64(0x80, from);
    bar.write64(0x88, to);
    bar.write64(0x90, 8);
    bar.write64(0x98, 1 | direction);
    while ((bar.read64(0x98) & 1) != 0) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aBufferIsAlignedAndZeroed() {
    DmaBuffer odd = pool.take(3, 1).orElseThrow();
    DmaBuffer page = pool.take(PAGE, PAGE).orElseThrow();
    assertThat(page.iova() % PAGE).isZero();
    page.memory().fill((byte) -1);
    page.close();
    assertThat(pool.take(PAGE, PAGE).orElseThrow().memory().get(ValueLayout.JAVA_LONG, 0)).isZero();
    assertThat(odd).hasToString("3 bytes at IOVA 0x" + Long.toHexString(odd.iova()));
  }

  @Test
  void freeRangesJoinAgain() {
    List<DmaBuffer> taken = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      taken.add(pool.take(PAGE, PAGE).orElseThrow());
    }
    assertThat(pool.take(1, 1)).isEmpty();
    taken.get(3).close();
    taken.get(5).close();
    assertThat(pool.freeBytes()).isEqualTo(2 * PAGE);
    assertThat(pool.take(2 * PAGE, 1)).isEmpty();
    taken.get(4).close();
    taken.get(4).close();
    assertThat(pool.take(3 * PAGE, 1)).isPresent();
    assertThat(pool.freeBytes()).isZero();
  }

  @Test
  void buffersNeverOverlap() {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    List<DmaBuffer> held = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      if (random.nextBoolean() || held.isEmpty()) {
        pool.take(1 + random.nextLong(2 * PAGE), 1L << random.nextInt(13)).ifPresent(held::add);
      } else {
        held.remove(random.nextInt(held.size())).close();
      }
      long used = held.stream().mapToLong(DmaBuffer::bytes).sum();
      assertThat(pool.freeBytes()).isEqualTo(16 * PAGE - used);
    }
    held.sort((a, b) -> Long.compare(a.iova(), b.iova()));
    for (int i = 1; i < held.size(); i++) {
      assertThat(held.get(i).iova())
          .isGreaterThanOrEqualTo(held.get(i - 1).iova() + held.get(i - 1).bytes());
    }
    held.forEach(DmaBuffer::close);
    assertThat(pool.take(16 * PAGE, PAGE)).isPresent();
  }

  @Test
  void aClosedPoolGivesNothing() {
    DmaBuffer buffer = pool.take(8, 8).orElseThrow();
    pool.close();
    buffer.close();
    assertThatThrownBy(() -> pool.take(8, 8)).hasMessage("the pool is closed");
    assertThatThrownBy(() -> buffer.memory().get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void noSizeAndNoAlignmentIsRefused() {
    assertThatThrownBy(() -> pool.take(0, 8)).hasMessage("a buffer of 0 bytes, aligned to 8");
    assertThatThrownBy(() -> pool.take(8, 3)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aHostWithoutHugePagesGivesNone() {
    assertThatThrownBy(
            () -> DmaPool.of(kernel, user.ioas(), HugePage.MIB_2.bytes(), HugePage.MIB_2))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM))
        .hasMessageContaining("pages of MIB_2")
        .hasMessageContaining("vm.nr_hugepages");
  }
}
