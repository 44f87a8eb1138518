package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Programs that are started and supervised are those of the door's tests. */
class HostSupervisorTest {
  private static final int NO_PROCESS = Integer.MAX_VALUE;

  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void nobodyWaitsForTheEndOfWhatIsNoProcess() {
    HostSupervisor host = new HostSupervisor();
    assertThat(host.awaitEnd(NO_PROCESS)).isEqualTo(Errno.ESRCH.negated());
    assertThat(host.awaitEnd(Errno.ENOENT.negated())).isEqualTo(Errno.EINVAL.negated());
  }
}
