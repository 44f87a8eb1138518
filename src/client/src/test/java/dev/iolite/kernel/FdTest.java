package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FdTest {
  private static final Ioctl ANY = Ioctl.plain(FdKind.EVENTFD, "ANY", 0x3b00);
  private static final Ioctl ANY_STRUCT =
      Ioctl.of(
          FdKind.EVENTFD, "ANY", 0x3b00, MemoryLayout.sequenceLayout(8, ValueLayout.JAVA_BYTE));

  private final Kernel host = new HostKernel();

  @TempDir Path directory;

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
  void aProgramThatIsExecutedInheritsNone() throws IOException {
    try (Fd file = Fd.open(host, FdKind.FILE, "/dev/null", Libc.O_RDWR());
        EventFd event = EventFd.create(host);
        MemFd memory = MemFd.create(host, "none", Page.BYTES)) {
      for (Fd fd : List.of(file, event.fd(), memory.fd())) {
        assertThat(flags(fd) & Libc.O_CLOEXEC()).as(fd.toString()).isNotZero();
      }
    }
  }

  /** What open(2) was given, as the kernel shows it. */
  private static int flags(Fd fd) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd.number())).stream()
        .filter(line -> line.startsWith("flags:"))
        .mapToInt(line -> Integer.parseInt(line.substring("flags:".length()).strip(), 8))
        .findFirst()
        .orElseThrow();
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
      assertThat(event.fd().tryIoctl(ANY.answering("of them"), 0)).isEqualTo(7);
      assertThat(calls[0]).isEqualTo(3);
      assertThat(event.fd().tryIoctl(ANY.reportingInterrupts(), 0))
          .isEqualTo(Errno.EINTR.negated());
      assertThat(calls[0]).isEqualTo(4);
    }
  }

  private static Kernel answering(int result) {
    return new ForwardingKernel(new HostKernel()) {
      @Override
      public int ioctl(int fd, long request, long argument) {
        return result;
      }
    };
  }

  private static void assertNumber(ThrowingCallable call, long result, String said) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              assertThat(e.result()).isEqualTo(result);
              assertThat(e.errno()).isEqualTo(Errno.UNKNOWN);
              assertThat(e.said()).isEqualTo("the kernel said " + result + said);
              assertThat(e)
                  .hasMessageContaining(": " + e.said() + ". Usual cause: ")
                  .hasMessageContaining("Next: ");
              assertThat(e.advice()).isPresent();
            });
  }

  @Test
  void aNumberThatTheCommandDoesNotHaveIsNoSuccess() {
    try (EventFd event = EventFd.create(answering(3));
        Arena arena = Arena.ofConfined()) {
      Fd fd = event.fd();
      MemorySegment argument = arena.allocate(8);
      assertNumber(
          () -> fd.ioctl(ANY_STRUCT, argument, Errno.EINVAL), 3, ", which this call does not have");
      assertNumber(() -> fd.tryIoctl(ANY, 0), 3, ", which this call does not have");
      assertNumber(() -> fd.ioctl(ANY, 0), 3, ", which this call does not have");
      assertNumber(() -> fd.tryIoctl(ANY_STRUCT, argument), 3, ", which this call does not have");
      assertNumber(() -> fd.ioctl(ANY_STRUCT, argument), 3, ", which this call does not have");
      assertThatThrownBy(() -> fd.ioctl(ANY, 5))
          .hasMessageStartingWith("ANY on " + fd + " with 5: the kernel said 3, which")
          .hasMessageContaining("uname -r");
    }
  }

  @Test
  void onlyAnExpectedErrnoIsAnAnswer() {
    try (EventFd event = EventFd.create(answering(Errno.ENOTTY.negated()));
        Arena arena = Arena.ofConfined()) {
      Fd fd = event.fd();
      MemorySegment argument = arena.allocate(8);
      assertThat(fd.ioctl(ANY_STRUCT, argument, Errno.EINVAL, Errno.ENOTTY))
          .isEqualTo(Errno.ENOTTY.negated());
      assertThatThrownBy(() -> fd.ioctl(ANY_STRUCT, argument, Errno.EINVAL, Errno.EPERM))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOTTY));
    }
  }

  @Test
  void aNumberThatBelongsToTheAnswerIsReturned() {
    try (EventFd event = EventFd.create(answering(3))) {
      Fd fd = event.fd();
      assertThat(fd.ioctl(ANY.answering("of them"), 0)).isEqualTo(3);
      Fd made = fd.ioctlFd(ANY.returning(new Call.Result.Descriptor(FdKind.FILE)), 0, "made");
      assertThat(made.number()).isEqualTo(3);
    }
    try (EventFd event = EventFd.create(answering(0))) {
      Fd made =
          event.fd().ioctlFd(ANY.returning(new Call.Result.Descriptor(FdKind.FILE)), 0, "made");
      assertThat(made.number()).as("a descriptor like any other").isZero();
    }
  }

  @Test
  void aNumberThatSaysWhyACommandWasNotDoneIsAnErrorUnlessItIsAskedFor() {
    Ioctl command = ANY.returning(new Call.Result.NotDone("are to be had"));
    try (EventFd event = EventFd.create(answering(3))) {
      assertNumber(() -> event.fd().ioctl(command, 0), 3, ": are to be had");
      assertThat(event.fd().tryIoctl(command, 0)).isEqualTo(3);
    }
    try (EventFd event = EventFd.create(answering(0))) {
      assertThat(event.fd().ioctl(command, 0)).isZero();
    }
  }

  @Test
  void callsWhoseOnlySuccessIsZeroReturnNothingElse() {
    int[] unmaps = {0};
    Kernel ones =
        new ForwardingKernel(host) {
          @Override
          public int close(int fd) {
            return super.close(fd) + 1;
          }

          @Override
          public int ftruncate(int fd, long bytes) {
            return super.ftruncate(fd, bytes) + 1;
          }

          @Override
          public int munmap(long address, long bytes) {
            return unmaps[0]++ == 0 ? 1 : super.munmap(address, bytes);
          }
        };
    Fd fd = Fd.open(ones, FdKind.FILE, "/dev/null", Libc.O_RDWR());
    assertNumber(fd::close, 1, ", which this call does not have");
    assertThat(fd.isClosed()).isTrue();
    assertThatThrownBy(() -> MemFd.create(ones, "ram", 4096)).hasMessageContaining("ftruncate");
    Mapping mapping = Mapping.anonymous(ones, 4096);
    assertNumber(mapping::close, 1, ", which this call does not have");
    mapping.close();
    mapping.close();
    assertThat(unmaps[0]).as("until it was done").isEqualTo(2);
  }

  @Test
  void moreBytesThanWereAskedForAreNoSuccess() {
    Kernel generous =
        new ForwardingKernel(host) {
          @Override
          public long pread(int fd, long address, long bytes, long offset) {
            return bytes + 1;
          }
        };
    try (Fd fd = Fd.open(generous, FdKind.FILE, "/dev/zero", Libc.O_RDWR());
        Arena arena = Arena.ofConfined()) {
      assertNumber(() -> fd.pread(arena.allocate(8), 16), 9, ", which this call does not have");
      assertThatThrownBy(() -> fd.pread(arena.allocate(8), 16))
          .hasMessageContaining("with bytes=8 offset=0x10: ");
    }
  }

  @Test
  void whatIsTakenWholeIsNotTakenInPart() throws IOException {
    Kernel stingy =
        new ForwardingKernel(host) {
          @Override
          public long read(int fd, long address, long bytes) {
            return Math.min(bytes, 4);
          }

          @Override
          public long write(int fd, long address, long bytes) {
            return super.write(fd, address, Math.min(bytes, 4));
          }
        };
    Path file = Files.createFile(directory.resolve("attribute"));
    assertNumber(
        () -> new SysFs(stingy).write(file.toString(), "0000:00:02.0"),
        4,
        ": that is not all of them");
    assertThat(file).as("no second command").hasContent("0000");
    try (EventFd event = EventFd.create(stingy)) {
      assertThatThrownBy(() -> event.signal(1)).hasMessageContaining("EINVAL");
    }
    Kernel half =
        new ForwardingKernel(host) {
          @Override
          public int poll(long pollfds, int count, int timeoutMillis) {
            return 1;
          }

          @Override
          public long read(int fd, long address, long bytes) {
            return 4;
          }
        };
    try (EventFd event = EventFd.create(half)) {
      assertNumber(() -> event.await(Duration.ofSeconds(5)), 4, ": that is not all of them");
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
    }
    try (EventFd event = EventFd.create(host)) {
      assertThatThrownBy(() -> event.fd().tryIoctl(ANY_STRUCT, gone))
          .isInstanceOf(IllegalStateException.class);
    }
  }
}
