package dev.iolite.iommufd;

/**
 * Memory that a device reaches through a range of I/O virtual addresses. Closing it unmaps exactly
 * that range.
 *
 * <p>It ends without being closed when its {@link Ioas} is closed or unmaps a range that includes
 * it. {@link #close} then does nothing, even if something else has been mapped there since.
 *
 * <p>Safe for use by several threads.
 */
public final class IovaMapping implements AutoCloseable {
  private final Ioas ioas;
  private final IovaRange range;
  private final IovaAccess access;
  private final String what;

  IovaMapping(Ioas ioas, IovaRange range, IovaAccess access, String what) {
    this.ioas = ioas;
    this.range = range;
    this.access = access;
    this.what = what;
  }

  /** The address space that it is in. */
  public Ioas ioas() {
    return ioas;
  }

  /** The addresses. */
  public IovaRange range() {
    return range;
  }

  /** The first address, unsigned. */
  public long iova() {
    return range.first();
  }

  /** The size in bytes. */
  public long bytes() {
    return range.bytes();
  }

  /** What devices may do with it. */
  public IovaAccess access() {
    return access;
  }

  /** What is mapped, in words: {@code memory at 0x7f0000000000}, {@code memfd 9 (ram) from 0x0}. */
  public String what() {
    return what;
  }

  /** Whether it is still mapped, as far as this process knows from its own calls. */
  public boolean isMapped() {
    return ioas.holds(this);
  }

  /**
   * Unmaps it, like {@link Ioas#unmap}. After an error, it is still mapped and can be closed again.
   *
   * @throws dev.iolite.kernel.KernelException EBUSY: the kernel itself uses the mapping
   */
  @Override
  public void close() {
    if (isMapped()) {
      ioas.unmap(range);
    }
  }

  /** For example {@code IOAS 1 0x1000-0x1fff = memory at 0x7f0000000000, READ_WRITE}. */
  @Override
  public String toString() {
    return ioas.id() + " " + range + " = " + what + ", " + access;
  }
}
