package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import java.util.Optional;

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
   * @param offset where in its file it begins, in bytes
   * @param name its file; empty if it has none
   */
  public record Area(long start, long end, long offset, String name) {
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
    for (String line : maps(host, process)) {
      int dash = line.indexOf('-');
      if (dash < 0) {
        break;
      }
      int permissions = line.indexOf(' ', dash) + 1;
      int offset = line.indexOf(' ', permissions) + 1;
      int device = line.indexOf(' ', offset) + 1;
      int inode = line.indexOf(' ', device) + 1;
      int name = line.indexOf(' ', inode);
      Area area =
          new Area(
              Long.parseUnsignedLong(line, 0, dash, HEXADECIMAL),
              Long.parseUnsignedLong(line, dash + 1, permissions - 1, HEXADECIMAL),
              Long.parseUnsignedLong(line, offset, device - 1, HEXADECIMAL),
              name < 0 ? "" : line.substring(name).strip());
      if (area.has(address)) {
        return Optional.of(area);
      }
    }
    return Optional.empty();
  }

  /**
   * Asks whether all of a range is mapped for an access.
   *
   * @param process a number, or {@code self}
   * @throws Refused EFAULT if any of it is not
   */
  public static void require(Kernel host, String process, long address, long bytes, boolean write) {
    long next = address;
    long end = address + bytes;
    for (String line : maps(host, process)) {
      int dash = line.indexOf('-');
      int space = line.indexOf(' ');
      if (next == end || dash < 0) {
        break;
      }
      long areaEnd = Long.parseUnsignedLong(line, dash + 1, space, HEXADECIMAL);
      if (Long.compareUnsigned(areaEnd, next) <= 0) {
        continue;
      }
      long areaStart = Long.parseUnsignedLong(line, 0, dash, HEXADECIMAL);
      boolean allowed = line.charAt(space + (write ? 2 : 1)) != '-';
      if (!allowed || Long.compareUnsigned(areaStart, next) > 0) {
        break;
      }
      next = Math.min(areaEnd, end);
    }
    if (next != end) {
      throw refused(Errno.EFAULT);
    }
  }

  /** Its lines; none once the process has ended. */
  private static String[] maps(Kernel host, String process) {
    return new SysFs(host).readIfPresent("/proc/" + process + "/maps").orElse("").split("\n", -1);
  }
}
