package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PollSet;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Waits for many eventfds, of this host and of a model. */
class PollSetTest {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final CloseStack opened = new CloseStack();

  static Stream<Kernel> kernels() {
    return Stream.of(new HostKernel(), MockKernel.plain());
  }

  @AfterEach
  void close() {
    opened.close();
  }

  private List<EventFd> events(Kernel kernel, int count) {
    List<EventFd> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(opened.push(EventFd.create(kernel)));
    }
    return events;
  }

  /** A kernel whose poll reports this of all descriptors. */
  private static Kernel reporting(int events) {
    return new ForwardingKernel(new HostKernel()) {
      @Override
      public int poll(long pollfds, int count, int timeoutMillis) {
        MemorySegment all = MemorySegment.ofAddress(pollfds).reinterpret(count * pollfd.sizeof());
        for (int i = 0; i < count; i++) {
          pollfd.revents(pollfd.asSlice(all, i), (short) events);
        }
        return count;
      }
    };
  }

  @Test
  void aDescriptorThatHasFailedEndsTheWait() {
    for (int failure :
        new int[] {Libc.POLLERR(), Libc.POLLNVAL(), Libc.POLLNVAL() | Libc.POLLIN()}) {
      try (EventFd event = EventFd.create(reporting(failure));
          PollSet poll = PollSet.of(List.of(event))) {
        assertThatThrownBy(() -> poll.await(SOON))
            .isInstanceOfSatisfying(
                KernelException.class,
                e ->
                    assertThat(e.errno())
                        .isEqualTo(failure == Libc.POLLERR() ? Errno.EIO : Errno.EBADF));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void thoseThatWereSignalledAreFoundInOrder(Kernel kernel) {
    List<EventFd> events = events(kernel, 40);
    PollSet poll = opened.push(PollSet.of(events));
    assertThat(poll.await(Duration.ZERO)).isZero();
    assertThat(poll.next(0)).isEqualTo(-1);
    events.get(3).signal(2);
    events.get(39).signal(1);
    assertThat(poll.await(SOON)).isEqualTo(2);
    assertThat(poll.next(0)).isEqualTo(3);
    assertThat(poll.next(4)).isEqualTo(39);
    assertThat(poll.next(40)).isEqualTo(-1);
    assertThat(poll.take(3)).isEqualTo(2);
    assertThat(poll.take(3)).as("taken").isZero();
    assertThat(poll.await(SOON)).isEqualTo(1);
    assertThat(poll.next(0)).isEqualTo(39);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aSignalEndsTheWait(Kernel kernel) throws InterruptedException {
    List<EventFd> events = events(kernel, 2);
    PollSet poll = opened.push(PollSet.of(events));
    Thread signal = Thread.ofPlatform().start(() -> events.get(1).signal(1));
    assertThat(poll.await(SOON)).isEqualTo(1);
    assertThat(poll.next(0)).isEqualTo(1);
    signal.join();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void aClosedDescriptorIsNamed(Kernel kernel) {
    List<EventFd> events = events(kernel, 2);
    PollSet poll = opened.push(PollSet.of(events));
    String name = events.get(1).fd().toString();
    events.get(1).close();
    // Another file may have the number by now.
    events(kernel, 1).getFirst().signal(1);
    assertThatThrownBy(() -> poll.await(Duration.ZERO))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(name);
  }

  @Test
  void itsMemoryIsNotFreedWhileTheKernelHasIt() {
    List<Throwable> refused = new ArrayList<>();
    List<PollSet> sets = new ArrayList<>();
    Kernel kernel =
        new ForwardingKernel(MockKernel.plain()) {
          @Override
          public int poll(long address, int count, int millis) {
            Thread other = Thread.ofPlatform().unstarted(() -> sets.getFirst().close());
            other.setUncaughtExceptionHandler((_, e) -> refused.add(e));
            other.start();
            assertThatCode(other::join).doesNotThrowAnyException();
            return super.poll(address, count, millis);
          }
        };
    PollSet poll = PollSet.of(events(kernel, 1));
    sets.add(poll);
    assertThat(poll.await(Duration.ZERO)).isZero();
    assertThat(refused).singleElement().isInstanceOf(IllegalStateException.class);
    poll.close();
    assertThatThrownBy(() -> poll.await(Duration.ZERO)).isInstanceOf(IllegalStateException.class);
  }
}
