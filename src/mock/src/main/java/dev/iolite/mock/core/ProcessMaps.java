package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What a process of the host has mapped, and for which accesses, according to {@code
 * /proc/PID/maps}.
 */
public final class ProcessMaps {
  private static final int HEXADECIMAL = 16;

  private ProcessMaps() {}

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
   * @param process its number or that of one of its threads
   */
  public static Optional<Area> areaAt(Kernel host, String process, long address) {
    return maps(host, process).filter(area -> area.has(address)).findFirst();
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
    long end = address + bytes;
    for (Area area : (Iterable<Area>) maps(host, process)::iterator) {
      if (next == end) {
        break;
      }
      if (Long.compareUnsigned(area.end, next) <= 0) {
        continue;
      }
      boolean allowed = (write ? area.isWritable : area.isReadable) && hasPages.test(area.name);
      if (!allowed || Long.compareUnsigned(area.start, next) > 0) {
        break;
      }
      next = Math.min(area.end, end);
    }
    if (next != end) {
      throw refused(Errno.EFAULT);
    }
  }

  /** Its lines; none once the process has ended. */
  private static Stream<Area> maps(Kernel host, String process) {
    return new SysFs(host)
        .readIfPresent("/proc/" + process + "/maps")
        .orElse("")
        .lines()
        .map(ProcessMaps::area);
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
}
