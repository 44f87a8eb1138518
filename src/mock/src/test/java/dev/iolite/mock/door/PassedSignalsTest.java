package dev.iolite.mock.door;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.iolite.kernel.HostSupervisor;
import dev.iolite.uapi.seccomp.Seccomp;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Signals reach who takes them, and then again who took them before. */
@Timeout(60)
class PassedSignalsTest {
  private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();

  private static void send(int signal) {
    assertEquals(0, new HostSupervisor().kill((int) ProcessHandle.current().pid(), signal));
  }

  @Test
  void whoTookThemBeforeTakesThemAgain() throws InterruptedException {
    try (PassedSignals _ = new PassedSignals(signal -> seen.add("outer " + signal))) {
      try (PassedSignals _ = new PassedSignals(signal -> seen.add("inner " + signal))) {
        send(Seccomp.SIGTERM());
        assertEquals("inner " + Seccomp.SIGTERM(), seen.take());
      }
      send(Seccomp.SIGTERM());
      assertEquals("outer " + Seccomp.SIGTERM(), seen.take());
    }
    assertTrue(seen.isEmpty());
  }
}
