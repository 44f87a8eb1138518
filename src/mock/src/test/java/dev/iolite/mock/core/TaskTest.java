package dev.iolite.mock.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the calls of a process share: memory to work in, its mappings, and names of dma-bufs. */
class TaskTest {
  private final HostKernel host = new HostKernel();
  private final Task task = new Task(host, new HostUserMemory(host));

  @BeforeEach
  void enter() {
    task.enter();
  }

  @AfterEach
  void leave() {
    task.leave();
  }

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(Refused.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void whatACallTakesIsItsOwnAndZero() {
    List<MemorySegment> all = new ArrayList<>();
    for (int bytes : new int[] {1, 40_000, 8, 40_000, 100_000, 16}) {
      MemorySegment taken = task.scratch(bytes);
      assertThat(taken.address() % Long.BYTES).isZero();
      assertThat(taken.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(new byte[bytes]);
      all.add(taken.fill((byte) 1));
    }
    assertThat(all)
        .allSatisfy(
            taken -> assertThat(taken.toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 1));
  }

  /** mm/vma.c:do_vmi_munmap: a range without a mapping is no error. */
  @Test
  void whatLiesBeforeAnUnmappedRangeStays() {
    AddressSpace memory = task.memory();
    int protection = Libc.PROT_READ() | Libc.PROT_WRITE();
    int flags = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS();
    long first = memory.map(0, 2 * Page.BYTES, protection, flags, Optional.empty(), 0);
    memory.unmap(first + Page.BYTES, Page.BYTES);
    memory.unmap(first + Page.BYTES, Page.BYTES);
    task.user().write(first, MemorySegment.ofArray(new byte[] {1}));
    memory.unmap(first, Page.BYTES);
  }

  /** drivers/dma-buf/dma-buf.c:dma_buf_set_name: DMA_BUF_NAME_LEN counts the zero. */
  @Test
  void aDmaBufsNameHasUpTo31Characters() {
    DmaBufFile buffer =
        new DmaBufFile(task) {
          @Override
          public long bytes() {
            return Page.BYTES;
          }
        };
    int rename = (int) DmaBuf.DMA_BUF_SET_NAME_B();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocateFrom("x".repeat(31));
      assertThat(buffer.ioctl(rename, name.address())).isZero();
      assertThat(buffer.name()).isEqualTo("/dmabuf:" + "x".repeat(31));
      refused(
          Errno.EINVAL, () -> buffer.ioctl(rename, arena.allocateFrom("y".repeat(32)).address()));
      assertThat(buffer.name()).isEqualTo("/dmabuf:" + "x".repeat(31));
      name.set(ValueLayout.JAVA_BYTE, 0, (byte) 0);
      assertThat(buffer.ioctl(rename, name.address())).isZero();
      assertThat(buffer.name()).isEqualTo("/dmabuf:");
    }
  }
}
