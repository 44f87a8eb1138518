package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.procmap_query;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What a process of the host has mapped, and for which accesses, according to {@code
 * /proc/PID/maps}: its text, or with Linux 6.11 the answer to PROCMAP_QUERY on it
 * (fs/proc/task_mmu.c:do_procmap_query), for which the kernel need not print all mappings.
 */
public final class ProcessMaps implements AutoCloseable {
  private static final int HEXADECIMAL = 16;
  private static final int LONGEST_NAME = 4096;

  private final Kernel host;
  private final String path;
  private final int file;
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment query = procmap_query.allocate(arena);
  private final MemorySegment name = arena.allocate(LONGEST_NAME);

  /**
   * Opens what a process has mapped, for the calling thread alone. Once the process has begun
   * another program, it must be opened anew.
   *
   * @param process its number, that of one of its threads, or {@code self}
   */
  public ProcessMaps(Kernel host, String process) {
    this.host = host;
    path = "/proc/" + process + "/maps";
    file = host.open(path, Libc.O_RDONLY() | Libc.O_CLOEXEC());
  }

  /**
   * A range that is mapped in one piece.
   *
   * @param start its first address
   * @param end the address after it
   * @param isReadable whether the process may read it
   * @param isWritable whether the process may write it
   * @param offset where in its file it begins, in bytes
   * @param name its file; empty if it has none
   */
  public record Area(
      long start, long end, boolean isReadable, boolean isWritable, long offset, String name) {
    /** Whether an address is in it. */
    public boolean has(long address) {
      return Long.compareUnsigned(address, start) >= 0 && Long.compareUnsigned(address, end) < 0;
    }
  }

  /**
   * What is mapped at an address; empty if nothing is.
   *
   * @param process its number, that of one of its threads, or {@code self}
   */
  public static Optional<Area> areaAt(Kernel host, String process, long address) {
    try (ProcessMaps maps = new ProcessMaps(host, process)) {
      return maps.areaAt(address);
    }
  }

  /** What is mapped at an address; empty if nothing is. */
  public Optional<Area> areaAt(long address) {
    procmap_query.size(query, query.byteSize());
    procmap_query.query_addr(query, address);
    procmap_query.vma_name_size(query, LONGEST_NAME);
    procmap_query.vma_name_addr(query, name.address());
    int result = host.ioctl(file, Libc.PROCMAP_QUERY(), query.address());
    if (result == 0) {
      return Optional.of(queried());
    }
    return result == Errno.ENOENT.negated() ? Optional.empty() : inText(host, path, address);
  }

  /**
   * The same from the text: before Linux 6.11, and where the query fails, as to open the text then
   * fails with the reason.
   */
  static Optional<Area> inText(Kernel host, String path, long address) {
    return new SysFs(host)
        .readIfPresent(path)
        .orElse("")
        .lines()
        .map(ProcessMaps::area)
        .filter(area -> area.has(address))
        .findFirst();
  }

  /**
   * Asks whether all of a range is mapped for an access.
   *
   * @param process a number, or {@code self}
   * @param hasPages whether what is mapped from a file of this name has pages that can be pinned
   * @throws Refused EFAULT if any of it is not
   */
  public static void require(
      Kernel host,
      String process,
      long address,
      long bytes,
      boolean write,
      Predicate<String> hasPages) {
    long next = address;
    long left = bytes;
    try (ProcessMaps maps = new ProcessMaps(host, process)) {
      while (left != 0) {
        Area area =
            maps.areaAt(next)
                .filter(found -> write ? found.isWritable : found.isReadable)
                .filter(found -> hasPages.test(found.name))
                .orElseThrow(() -> refused(Errno.EFAULT));
        long part = area.end - next;
        left = Long.compareUnsigned(part, left) < 0 ? left - part : 0;
        next = area.end;
      }
    }
  }

  private Area queried() {
    long flags = procmap_query.vma_flags(query);
    return new Area(
        procmap_query.vma_start(query),
        procmap_query.vma_end(query),
        (flags & Libc.PROCMAP_QUERY_VMA_READABLE()) != 0,
        (flags & Libc.PROCMAP_QUERY_VMA_WRITABLE()) != 0,
        procmap_query.vma_offset(query),
        procmap_query.vma_name_size(query) == 0 ? "" : name.getString(0));
  }

  private static Area area(String line) {
    int dash = line.indexOf('-');
    int permissions = line.indexOf(' ', dash) + 1;
    int offset = line.indexOf(' ', permissions) + 1;
    int device = line.indexOf(' ', offset) + 1;
    int inode = line.indexOf(' ', device) + 1;
    int name = line.indexOf(' ', inode);
    return new Area(
        Long.parseUnsignedLong(line, 0, dash, HEXADECIMAL),
        Long.parseUnsignedLong(line, dash + 1, permissions - 1, HEXADECIMAL),
        line.charAt(permissions) == 'r',
        line.charAt(permissions + 1) == 'w',
        Long.parseUnsignedLong(line, offset, device - 1, HEXADECIMAL),
        name < 0 ? "" : line.substring(name).strip());
  }

  @Override
  public void close() {
    if (file >= 0) {
      host.close(file);
    }
    arena.close();
  }
}
