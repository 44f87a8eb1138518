package dev.iolite.dmabuf;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.PollSet;
import java.time.Duration;
import java.util.List;

/**
 * Work of devices that will end. Made by {@link DmaBufFile#exportSyncFile}.
 *
 * <p>Safe for use by several threads.
 */
public final class SyncFile implements AutoCloseable {
  private final Fd fd;

  SyncFile(Fd fd) {
    this.fd = fd;
  }

  /** The descriptor, to be given to the kernel. */
  public Fd fd() {
    return fd;
  }

  /**
   * Waits until the work has ended. See drivers/dma-buf/sync_file.c:sync_file_poll.
   *
   * @param deadline how long to wait at most
   * @return false if the deadline passed
   */
  public boolean await(Duration deadline) {
    try (PollSet poll = new PollSet(List.of(fd))) {
      return poll.await(deadline) > 0;
    }
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
