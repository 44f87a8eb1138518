package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;

/** What a process of the host has mapped for which accesses, as {@code /proc/PID/maps} says. */
public final class ProcessMaps {
  private static final int HEXADECIMAL = 16;

  private ProcessMaps() {}

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
