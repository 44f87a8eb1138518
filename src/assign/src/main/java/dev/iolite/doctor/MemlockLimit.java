package dev.iolite.doctor;

import dev.iolite.kernel.Credentials;
import dev.iolite.kernel.SysFs;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The amount of memory that this process may lock for DMA.
 *
 * @param bytes the limit; empty if there is none
 * @param exempt whether the kernel does not charge this process at all: it has CAP_IPC_LOCK in the
 *     initial user namespace (drivers/iommu/iommufd/pages.c:iopt_alloc_pages)
 */
record MemlockLimit(OptionalLong bytes, boolean exempt) {
  private static final Pattern LIMIT = Pattern.compile("(?m)^Max locked memory\\s+(\\w+)");
  private static final int CAP_IPC_LOCK = 14;

  /** Reads it from /proc/self. */
  static MemlockLimit of(SysFs files) {
    Matcher limit = LIMIT.matcher(files.read("/proc/self/limits"));
    if (!limit.find()) {
      throw new UnsupportedOperationException("/proc/self/limits has no line like " + LIMIT);
    }
    Credentials credentials = Credentials.of(files);
    return new MemlockLimit(
        limit.group(1).equals("unlimited")
            ? OptionalLong.empty()
            : OptionalLong.of(Long.parseLong(limit.group(1))),
        credentials.initialNamespace() && credentials.has(CAP_IPC_LOCK));
  }

  /** Whether there is a limit for this process that is lower than this. */
  boolean isBelow(long needed) {
    return isLimited() && bytes.getAsLong() < needed;
  }

  /** Whether there is a limit for this process. */
  boolean isLimited() {
    return !exempt && bytes.isPresent();
  }

  @Override
  public String toString() {
    String limit = bytes.isPresent() ? bytes.getAsLong() + " bytes" : "unlimited";
    return exempt ? limit + ", but not for this process (CAP_IPC_LOCK)" : limit;
  }
}
