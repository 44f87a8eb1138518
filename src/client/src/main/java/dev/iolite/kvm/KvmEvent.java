package dev.iolite.kvm;

import dev.iolite.kernel.KernelException;

/**
 * An eventfd that KVM has taken: as the source of an interrupt, or as what the guest's writes
 * signal. Closing it makes KVM let go; the eventfd stays its owner's.
 *
 * <p>Safe for use by several threads.
 */
public final class KvmEvent implements AutoCloseable {
  private final Runnable release;
  private boolean closed;

  KvmEvent(Runnable release) {
    this.release = release;
  }

  /**
   * Makes KVM let go of the eventfd, once. No event that was signalled before is lost.
   *
   * @throws KernelException ENOENT: what was taken is gone; EBADF: the eventfd was closed before
   */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      release.run();
    }
  }
}
