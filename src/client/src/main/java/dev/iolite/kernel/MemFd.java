package dev.iolite.kernel;

import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import java.util.Set;

/**
 * An anonymous file in memory: RAM that this process, the IOMMU and KVM can map.
 *
 * <p>Safe for use by several threads.
 */
public final class MemFd implements AutoCloseable {
  private static final int SEEK_END = 2;

  private final Fd fd;
  private final long bytes;

  private MemFd(Fd fd, long bytes) {
    this.fd = fd;
    this.bytes = bytes;
  }

  /**
   * Makes a file of zeros, close-on-exec.
   *
   * @param name what it is called in {@code /proc}; it need not be unique
   * @param bytes its size
   * @throws KernelException what memfd_create(2) or ftruncate(2) said
   */
  public static MemFd create(Kernel kernel, String name, long bytes) {
    return create(kernel, name, bytes, 0);
  }

  /**
   * Like {@link #create(Kernel, String, long)}, of huge pages.
   *
   * @param bytes its size, a multiple of the page
   * @throws KernelException what memfd_create(2) or ftruncate(2) said: EINVAL (the size is no
   *     multiple of the page), ENODEV (the CPU has no such pages). Pages that the host has not
   *     reserved are missed by {@link #map}
   */
  public static MemFd create(Kernel kernel, String name, long bytes, HugePage page) {
    return create(kernel, name, bytes, page.memfdFlags());
  }

  /**
   * Like {@link #create(Kernel, String, long)}, to which {@link #seal} can add seals.
   *
   * @throws KernelException what memfd_create(2) or ftruncate(2) said
   */
  public static MemFd sealable(Kernel kernel, String name, long bytes) {
    return create(kernel, name, bytes, Libc.MFD_ALLOW_SEALING());
  }

  private static MemFd create(Kernel kernel, String name, long bytes, int flags) {
    int number = kernel.memfdCreate(name, Libc.MFD_CLOEXEC() | flags);
    if (number < 0) {
      throw new KernelException("memfd_create", CallTarget.of(name), "", -number);
    }
    try (CloseStack opening = new CloseStack()) {
      Fd fd = opening.push(Fd.owned(kernel, FdKind.MEMFD, number, name));
      KernelException.requireDone(
          "ftruncate", fd.target(), "bytes=" + bytes, kernel.ftruncate(number, bytes));
      opening.release();
      return new MemFd(fd, bytes);
    }
  }

  /**
   * Takes over a descriptor of a file that somebody else has made.
   *
   * @throws KernelException what lseek(2) said when asked for its size
   */
  public static MemFd owned(Kernel kernel, int number, String name) {
    try (CloseStack opening = new CloseStack()) {
      Fd fd = opening.push(Fd.owned(kernel, FdKind.MEMFD, number, name));
      long bytes = kernel.lseek(number, 0, SEEK_END);
      if (bytes < 0) {
        throw new KernelException("lseek", fd.target(), "", (int) -bytes);
      }
      opening.release();
      return new MemFd(fd, bytes);
    }
  }

  /** The descriptor, to pass to the kernel. */
  public Fd fd() {
    return fd;
  }

  /** The file's size. */
  public long bytes() {
    return bytes;
  }

  /**
   * Seals it, by fcntl(2) with F_ADD_SEALS. A seal can't be taken away.
   *
   * @throws KernelException EPERM: it was not made by {@link #sealable}, or is sealed against more
   *     seals; EBUSY: it can't be sealed against writing while it is mapped writable or pinned. See
   *     mm/memfd.c:memfd_add_seals
   */
  public void seal(Set<Seal> seals) {
    int bits = seals.stream().mapToInt(Seal::bit).reduce(0, (all, bit) -> all | bit);
    KernelException.requireDone(
        "fcntl", fd.target(), "F_ADD_SEALS " + seals, fd.kernel().addSeals(fd.number(), bits));
  }

  /** Maps all of it, readable and writable. */
  public Mapping map() {
    return Mapping.of(fd, 0, bytes, Libc.PROT_READ() | Libc.PROT_WRITE());
  }

  @Override
  public void close() {
    fd.close();
  }
}
