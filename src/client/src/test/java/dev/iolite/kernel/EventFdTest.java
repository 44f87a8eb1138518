package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class EventFdTest {
  @Test
  void takesTheWholeCountAndWakesAWaiter() throws InterruptedException {
    try (EventFd event = EventFd.create(new HostKernel())) {
      event.signal(3);
      event.signal(4);
      assertThat(event.await(Duration.ZERO)).isEqualTo(7);
      assertThat(event.await(Duration.ZERO)).isZero();

      Thread signaller = Thread.ofPlatform().start(() -> event.signal(1));
      assertThat(event.await(Duration.ofSeconds(30))).isEqualTo(1);
      signaller.join();
    }
  }

  @Test
  void anInterruptedWaitGoesOn() {
    Kernel interrupting =
        new ForwardingKernel(new HostKernel()) {
          private int polls;

          @Override
          public int poll(long pollfds, int count, int timeoutMillis) {
            return polls++ < 2 ? Errno.EINTR.negated() : super.poll(pollfds, count, timeoutMillis);
          }
        };
    try (EventFd event = EventFd.create(interrupting)) {
      event.signal(9);
      assertThat(event.await(Duration.ofSeconds(30))).isEqualTo(9);
    }
  }
}
