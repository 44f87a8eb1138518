package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelLog;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** {@code /dev/kmsg}, as kernel/printk/printk.c has it. */
class KernelLogTest {
  private static final String BUSY = "0000:00:07.0: busy";

  private final MockKernel kernel = MockKernel.plain();

  @Test
  void aReadIsOneRecordAndAnEmptyLogIsEagain() {
    int fd = kernel.open("/dev/kmsg", Libc.O_RDONLY() | Libc.O_NONBLOCK());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate(100);
      assertThat(kernel.read(fd, room.address(), 100)).isEqualTo(Errno.EAGAIN.negated());
      kernel.log(BUSY);
      kernel.log("other");
      assertThat(kernel.read(fd, room.address(), 4)).isEqualTo(Errno.EINVAL.negated());
      assertThat(kernel.lseek(fd, 0, Libc.SEEK_SET())).isZero();
      long bytes = kernel.read(fd, room.address(), 100);
      assertThat(
              new String(
                  room.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8))
          .matches("4,0,\\d+,-;" + BUSY + "\n");
      assertThat(kernel.lseek(fd, 0, Libc.SEEK_END())).isZero();
      assertThat(kernel.read(fd, room.address(), 100)).isEqualTo(Errno.EAGAIN.negated());
      assertThat(kernel.lseek(fd, 1, Libc.SEEK_SET())).isEqualTo(Errno.ESPIPE.negated());
      assertThat(kernel.lseek(fd, 0, Libc.SEEK_CUR())).isEqualTo(Errno.EINVAL.negated());
    }
    kernel.close(fd);
  }

  /** kernel/printk/printk.c:devkmsg_read. */
  @Test
  void aRecordNeedsRoomForAllOfItAndNoMore() {
    int fd = kernel.open("/dev/kmsg", Libc.O_RDONLY() | Libc.O_NONBLOCK());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment room = arena.allocate(100);
      kernel.log(BUSY);
      long bytes = kernel.read(fd, room.address(), 100);
      assertThat(kernel.lseek(fd, 0, Libc.SEEK_SET())).isZero();
      assertThat(kernel.read(fd, room.address(), bytes - 1)).isEqualTo(Errno.EINVAL.negated());
      assertThat(kernel.lseek(fd, 0, Libc.SEEK_SET())).isZero();
      assertThat(kernel.read(fd, room.address(), bytes)).isEqualTo(bytes);
    }
    kernel.close(fd);
  }

  /** kernel/printk/printk.c:devkmsg_poll. */
  @Test
  void aReaderPollsForWhatItHasNotRead() {
    int fd = kernel.open("/dev/kmsg", Libc.O_RDONLY() | Libc.O_NONBLOCK());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment asked = pollfd.allocate(arena);
      pollfd.fd(asked, fd);
      pollfd.events(asked, (short) (Libc.POLLIN() | Libc.POLLRDNORM()));
      assertThat(kernel.poll(asked.address(), 1, 0)).isZero();
      kernel.log(BUSY);
      assertThat(kernel.poll(asked.address(), 1, 0)).isEqualTo(1);
      assertThat(pollfd.revents(asked)).isEqualTo(pollfd.events(asked));
      assertThat(kernel.read(fd, arena.allocate(100).address(), 100)).isPositive();
      assertThat(kernel.poll(asked.address(), 1, 0)).isZero();
    }
    kernel.close(fd);
  }

  @Test
  void aRecordSaysHowManyMicrosecondsTheHostHasRun() {
    long before = System.nanoTime();
    try (MockKernel young = MockKernel.plain();
        Arena arena = Arena.ofConfined()) {
      young.log("first");
      young.log("second");
      int fd = young.open("/dev/kmsg", Libc.O_RDONLY());
      long first = stamp(young, fd, arena.allocate(100));
      long second = stamp(young, fd, arena.allocate(100));
      assertThat(first).isBetween(0L, second);
      assertThat(second).isLessThanOrEqualTo((System.nanoTime() - before) / 1000);
    }
  }

  private static long stamp(MockKernel kernel, int fd, MemorySegment room) {
    long bytes = kernel.read(fd, room.address(), room.byteSize());
    String record =
        new String(room.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    return Long.parseLong(record.split(",", 4)[2]);
  }

  @Test
  void aReaderSeesWhatComesAfterItAndNamesItsDevice() {
    kernel.log(BUSY);
    try (KernelLog log = KernelLog.fromNow(kernel)) {
      assertThat(log.about("0000:00:07.0")).isEmpty();
      kernel.log("0000:00:07.0: first");
      kernel.log("0000:00:08.0: another's");
      kernel.log("0000:00:07.0: second");
      assertThat(log.about("0000:00:07.0"))
          .containsExactly("0000:00:07.0: first", "0000:00:07.0: second");
      assertThat(log.about("0000:00:07.0")).as("once").isEmpty();
    }
  }

  @Test
  void aReaderLeavesNoDescriptorOpen() {
    int before = kernel.open("/dev/kmsg", Libc.O_RDONLY());
    kernel.close(before);
    KernelLog.fromNow(kernel).close();
    int after = kernel.open("/dev/kmsg", Libc.O_RDONLY());
    assertThat(after).as("the lowest number that is free").isEqualTo(before);
    kernel.close(after);
  }

  @Test
  void aReaderLeavesOutWhatWasThereBeforeACallBegan() {
    try (KernelLog log = KernelLog.fromNow(kernel)) {
      kernel.log("0000:00:07.0: enabling device");
      log.skip();
      kernel.log(BUSY);
      assertThat(log.about("0000:00:07.0")).containsExactly(BUSY);
    }
  }

  @Test
  void whoMayNotReadItReadsNothing() {
    var refusing =
        new FaultyKernel(
            kernel,
            Ioctls.ofHeaders(),
            Faults.none()
                .fail(call -> call.path().equals("/dev/kmsg"), 1, Errno.EPERM, Faults.When.BEFORE));
    try (KernelLog log = KernelLog.fromNow(refusing)) {
      kernel.log(BUSY);
      assertThat(log.about("0000:00:07.0")).isEmpty();
    }
  }
}
