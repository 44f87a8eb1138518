package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Memory mapped by mmap(2), and unmapped when this is closed.
 *
 * <p>Safe for use by several threads: until it is closed, any of them may use the segment;
 * afterwards, using it fails with {@link IllegalStateException} instead of reaching memory that is
 * no longer mapped.
 */
public final class Mapping implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Kernel kernel;
  private final CallTarget of;
  private final long address;
  private final MemorySegment segment;
  private boolean mapped = true;

  private Mapping(Kernel kernel, CallTarget of, long address, long bytes) {
    this.kernel = kernel;
    this.of = of;
    this.address = address;
    this.segment = MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
  }

  /**
   * Maps part of a file, shared, at an address that the kernel chooses.
   *
   * @param offset where the part starts in the file, in bytes, a multiple of the page size
   * @param bytes the length, more than 0
   * @param protection PROT_* bits
   * @throws KernelException what mmap(2) said
   */
  public static Mapping of(Fd file, long offset, long bytes, int protection) {
    long address =
        file.kernel().mmap(0, bytes, protection, Libc.MAP_SHARED(), file.number(), offset);
    return checked(
        file.kernel(), file.target(), address, bytes, "offset=0x" + Long.toHexString(offset));
  }

  /**
   * Maps zeroed memory without a file, readable and writable. It is shared, so that a driver which
   * pins its pages and the process keep seeing the same ones.
   *
   * @param bytes the length, more than 0
   * @throws KernelException what mmap(2) said
   */
  public static Mapping anonymous(Kernel kernel, long bytes) {
    return anonymous(kernel, bytes, Libc.MAP_SHARED(), "anonymous memory");
  }

  /**
   * Like {@link #anonymous(Kernel, long)}, for the RAM of a guest: it is this process's own and not
   * shared, so that the kernel backs it with huge pages where
   * /sys/kernel/mm/transparent_hugepage/enabled is {@code always}. A guest then has a fault for
   * each 2 MiB instead of each 4 KiB. A process that is forked off has a copy of it.
   *
   * @param bytes the length, more than 0
   * @throws KernelException what mmap(2) said
   */
  public static Mapping ram(Kernel kernel, long bytes) {
    return anonymous(kernel, bytes, Libc.MAP_PRIVATE(), "anonymous memory");
  }

  /**
   * Like {@link #anonymous(Kernel, long)}, of huge pages.
   *
   * @param bytes the length, more than 0, a multiple of the page
   * @throws KernelException ENOMEM: the host has not reserved so many pages; EINVAL: its CPU has no
   *     such pages
   */
  public static Mapping anonymous(Kernel kernel, long bytes, HugePage page) {
    return anonymous(
        kernel, bytes, Libc.MAP_SHARED() | page.mapFlags(), "anonymous memory in pages of " + page);
  }

  private static Mapping anonymous(Kernel kernel, long bytes, int flags, String name) {
    long address =
        kernel.mmap(
            0, bytes, Libc.PROT_READ() | Libc.PROT_WRITE(), Libc.MAP_ANONYMOUS() | flags, -1, 0);
    return checked(kernel, CallTarget.of(name), address, bytes, "");
  }

  private static Mapping checked(
      Kernel kernel, CallTarget of, long address, long bytes, String detail) {
    if (address < 0 && address >= -Kernel.MAX_ERRNO) {
      String bytesText = "bytes=0x" + Long.toHexString(bytes);
      throw KernelException.of(
          kernel,
          "mmap",
          of,
          detail.isEmpty() ? bytesText : detail + " " + bytesText,
          Math.toIntExact(-address));
    }
    return new Mapping(kernel, of, address, bytes);
  }

  /** The mapped memory. */
  public MemorySegment segment() {
    return segment;
  }

  /**
   * The mapped memory, without the check at each access that it is still mapped: for a caller that
   * makes sure it is not unmapped meanwhile. The check costs as much as the access.
   */
  MemorySegment unguarded() {
    return memory(address(), segment.byteSize());
  }

  /**
   * Memory of this process that is known to be mapped: an access to any other address crashes the
   * JVM.
   *
   * @param address where it starts
   * @param bytes its length
   */
  public static MemorySegment memory(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  /** Where it is mapped in this process, to pass to the kernel. */
  public long address() {
    if (!segment.scope().isAlive()) {
      throw new IllegalStateException("the mapping of " + of.name() + " is closed");
    }
    return address;
  }

  /** How to access it if it maps the registers of a model's device. */
  Optional<Registers> registers() {
    return kernel.registers(address);
  }

  /** How much is mapped, in bytes. */
  public long bytes() {
    return segment.byteSize();
  }

  /**
   * Unmaps the memory, once. After an error, the memory can no longer be accessed through this
   * object, but it is still mapped, and this can be closed again.
   *
   * @throws KernelException what munmap(2) said; ENOMEM: the process has as many mappings as it may
   * @throws IllegalStateException if another thread is inside an access to the segment
   */
  @Override
  public synchronized void close() {
    if (!mapped) {
      return;
    }
    if (segment.scope().isAlive()) {
      arena.close();
    }
    int result = kernel.munmap(address, segment.byteSize());
    mapped = result != 0;
    KernelException.requireDone(
        "munmap",
        CallTarget.of(of.name()),
        "bytes=0x" + Long.toHexString(segment.byteSize()),
        result);
  }

  @Override
  public String toString() {
    return "mapping of " + of.name();
  }
}
