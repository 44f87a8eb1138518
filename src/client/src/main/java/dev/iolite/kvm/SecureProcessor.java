package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;

/**
 * AMD's secure processor, {@code /dev/sev}. Whoever has it open may start encrypted guests.
 *
 * <p>KVM remembers the number of its descriptor when a guest is started, and uses it for the later
 * commands. It must stay open until the VM is closed.
 *
 * <p>Safe for use by several threads.
 */
public final class SecureProcessor implements AutoCloseable {
  private static final String PATH = "/dev/sev";

  private final Fd fd;

  private SecureProcessor(Fd fd) {
    this.fd = fd;
  }

  /**
   * Opens it; drivers/crypto/ccp/sev-dev.c.
   *
   * @throws KernelException ENOENT: there is none, or its driver, ccp, is not loaded; EACCES: only
   *     root may by default
   */
  public static SecureProcessor open(Kernel kernel) {
    return new SecureProcessor(Fd.open(kernel, FdKind.FILE, PATH, Libc.O_RDWR()));
  }

  /** The descriptor, to pass to the kernel. */
  public Fd fd() {
    return fd;
  }

  /**
   * Closes it.
   *
   * @throws KernelException what close(2) said
   */
  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
