package dev.iolite.doctor;

import dev.iolite.kernel.SysFs;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much memory this process may have locked for DMA.
 *
 * @param bytes the limit; empty if there is none
 * @param exempt whether the kernel does not charge this process at all: it has CAP_IPC_LOCK in the
 *     initial user namespace (drivers/iommu/iommufd/pages.c:iopt_alloc_pages)
 */
record MemlockLimit(OptionalLong bytes, boolean exempt) {
  private static final Pattern LIMIT = Pattern.compile("(?m)^Max locked memory\\s+(\\w+)");
  private static final Pattern CAPABILITIES = Pattern.compile("(?m)^CapEff:\\s+([0-9a-f]+)");
  private static final int CAP_IPC_LOCK = 14;

  /** How the initial user namespace maps user ids; in any other one a capability does not count. */
  private static final Pattern ALL_USERS = Pattern.compile("\\s*0\\s+0\\s+4294967295\\s*");

  /** As /proc/self has it. */
  static MemlockLimit of(SysFs files) {
    String limit = find(LIMIT, files.read("/proc/self/limits"));
    long capabilities =
        Long.parseUnsignedLong(find(CAPABILITIES, files.read("/proc/self/status")), 16);
    boolean initial =
        files
            .readIfPresent("/proc/self/uid_map")
            .map(map -> ALL_USERS.matcher(map).matches())
            .orElse(true);
    return new MemlockLimit(
        limit.equals("unlimited") ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(limit)),
        initial && (capabilities >>> CAP_IPC_LOCK & 1) != 0);
  }

  private static String find(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    if (!matcher.find()) {
      throw new UnsupportedOperationException("/proc/self has no line like " + pattern);
    }
    return matcher.group(1);
  }

  /** Whether there is a limit for this process, and it is below this. */
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
