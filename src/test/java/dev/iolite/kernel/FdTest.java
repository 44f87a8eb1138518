package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FdTest {
  private static final Ioctl ANY = Ioctl.plain(FdKind.EVENTFD, "ANY", 0x3b00);

  private final Kernel host = new HostKernel();

  @Test
  void isClosedOnceAndNeverUsedAgain() {
    int[] closes = {0};
    Kernel counting =
        new ForwardingKernel(host) {
          @Override
          public int close(int fd) {
            closes[0]++;
            return super.close(fd);
          }
        };
    Fd fd = Fd.open(counting, FdKind.FILE, "/dev/null", Libc.O_RDWR());
    fd.close();
    fd.close();
    assertThat(closes[0]).isEqualTo(1);
    assertThatThrownBy(fd::number)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("/dev/null")
        .hasMessageContaining("is closed");
  }

  @Test
  void aBorrowedDescriptorStaysOpen() {
    try (Fd fd = Fd.open(host, FdKind.FILE, "/dev/null", Libc.O_RDWR())) {
      Fd.borrowed(host, FdKind.FILE, fd.number(), "borrowed").close();
      try (Arena arena = Arena.ofConfined()) {
        assertThat(fd.write(arena.allocate(4))).isEqualTo(4);
      }
    }
  }

  @Test
  void aFailedCloseIsReported() {
    Fd fd = Fd.owned(host, FdKind.FILE, Integer.MAX_VALUE, "not open");
    assertThatThrownBy(fd::close)
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
  }

  @Test
  void anInterruptedCloseHasClosed() {
    Kernel interrupted =
        new ForwardingKernel(host) {
          @Override
          public int close(int fd) {
            super.close(fd);
            return Errno.EINTR.negated();
          }
        };
    Fd fd = Fd.open(interrupted, FdKind.FILE, "/dev/null", Libc.O_RDWR());
    fd.close();
    assertThat(fd.isClosed()).isTrue();
  }

  @Test
  void anInterruptedIoctlIsRepeatedOnlyWhereThatIsHarmless() {
    int[] calls = {0};
    Kernel interrupting =
        new ForwardingKernel(host) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            return ++calls[0] % 3 == 0 ? 7 : Errno.EINTR.negated();
          }
        };
    try (EventFd event = EventFd.create(interrupting)) {
      assertThat(event.fd().tryIoctl(ANY, 0)).isEqualTo(7);
      assertThat(calls[0]).isEqualTo(3);
      assertThat(event.fd().tryIoctl(ANY.reportingInterrupts(), 0))
          .isEqualTo(Errno.EINTR.negated());
      assertThat(calls[0]).isEqualTo(4);
    }
  }

  @Test
  void interruptedReadsAndWritesAreRepeated() {
    int[] interrupts = {0};
    Kernel interrupting =
        new ForwardingKernel(host) {
          @Override
          public long read(int fd, long address, long bytes) {
            return interrupts[0]++ % 2 == 0
                ? Errno.EINTR.negated()
                : super.read(fd, address, bytes);
          }

          @Override
          public long write(int fd, long address, long bytes) {
            return interrupts[0]++ % 2 == 0
                ? Errno.EINTR.negated()
                : super.write(fd, address, bytes);
          }
        };
    try (EventFd event = EventFd.create(interrupting)) {
      event.signal(5);
      assertThat(event.await(Duration.ofSeconds(5))).isEqualTo(5);
      assertThat(interrupts[0]).isEqualTo(4);
    }
  }

  @Test
  void aCommandOfAnotherKindOfDescriptorIsNeverSent() {
    Kernel unreachable =
        new ForwardingKernel(host) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            throw new AssertionError("sent");
          }
        };
    try (Fd fd = Fd.open(unreachable, FdKind.FILE, "/dev/null", Libc.O_RDWR())) {
      assertThatThrownBy(() -> fd.ioctl(ANY, 0))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("ANY is a command of a eventfd");
    }
  }

  @Test
  void theMessageSaysWhatWasTriedOnWhatAndWhatToDo() {
    assertThatThrownBy(() -> Fd.open(host, FdKind.IOMMUFD, "/dev/no-such", Libc.O_RDWR()))
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              assertThat(e.call()).isEqualTo("open");
              assertThat(e.subject()).isEqualTo("/dev/no-such");
              assertThat(e.errno()).isEqualTo(Errno.ENOENT);
              assertThat(e)
                  .hasMessageStartingWith("open on /dev/no-such: ENOENT. Usual cause: ")
                  .hasMessageContaining("Next: ");
            });
  }

  @Test
  void aFailedIoctlShowsItsDecodedArgument() {
    var layout =
        MemoryLayout.structLayout(
            ValueLayout.JAVA_INT.withName("size"), ValueLayout.JAVA_INT.withName("flags"));
    Ioctl command = Ioctl.of(FdKind.FILE, "SOME_COMMAND", 0x3b99, layout);
    try (Fd fd = Fd.open(host, FdKind.FILE, "/dev/null", Libc.O_RDWR());
        Arena arena = Arena.ofConfined()) {
      MemorySegment argument = arena.allocateFrom(ValueLayout.JAVA_INT, 8, 0x30);
      assertThatThrownBy(() -> fd.ioctl(command, argument))
          .hasMessageStartingWith(
              "SOME_COMMAND on " + fd + " with {size=8, flags=0x30}: ENOTTY. Usual cause: ");
    }
  }

  @Test
  void memoryThatTheKernelCanNotReachIsRefused() {
    MemorySegment gone;
    try (Arena freed = Arena.ofShared()) {
      gone = freed.allocate(8);
    }
    try (Fd fd = Fd.open(host, FdKind.FILE, "/dev/zero", Libc.O_RDWR())) {
      assertThatThrownBy(() -> fd.read(MemorySegment.ofArray(new byte[8])))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("heap");
      assertThatThrownBy(() -> fd.read(gone)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> fd.tryIoctl(ANY, gone)).isInstanceOf(IllegalStateException.class);
    }
  }
}
