package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

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

  /** A lease that is not given back keeps who opens the file for writing waiting. */
  @Test
  void whoeverAsksForWritersIsInNobodysWay(@TempDir Path directory) throws IOException {
    String file = Files.createFile(directory.resolve("file")).toString();
    HostKernel kernel = new HostKernel();
    HostSupervisor host = new HostSupervisor();
    int watched = kernel.open(file, Libc.O_RDONLY() | Libc.O_CLOEXEC());
    try {
      assertThat(host.hasWriters(watched)).isZero();
      int writer = kernel.open(file, Libc.O_WRONLY() | Libc.O_NONBLOCK() | Libc.O_CLOEXEC());
      assertThat(writer).isNotNegative();
      assertThat(host.hasWriters(watched)).isEqualTo(1);
      kernel.close(writer);
      assertThat(host.hasWriters(watched)).isZero();
    } finally {
      kernel.close(watched);
    }
    assertThat(host.hasWriters(-1)).isEqualTo(Errno.EBADF.negated());
  }
}
