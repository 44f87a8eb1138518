package dev.iolite.kernel;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What this process is allowed to do, as /proc/self shows it (fs/proc/array.c:task_state,
 * task_cap).
 *
 * @param user the effective user id in its user namespace; empty if /proc does not show it
 * @param groups the effective and the supplementary group ids
 * @param capabilities the effective capabilities, a bit for each
 * @param initialNamespace whether its user namespace is the initial one. In any other namespace, a
 *     capability counts only for files whose owner is mapped in it
 *     (kernel/capability.c:capable_wrt_inode_uidgid)
 */
public record Credentials(
    OptionalLong user, Set<Long> groups, long capabilities, boolean initialNamespace) {
  private static final Pattern USER = Pattern.compile("(?m)^Uid:\\s+\\d+\\s+(\\d+)");
  private static final Pattern GROUP = Pattern.compile("(?m)^Gid:\\s+\\d+\\s+(\\d+)");
  private static final Pattern GROUPS = Pattern.compile("(?m)^Groups:[ \\t]*([\\d \\t]*)");
  private static final Pattern CAPABILITIES = Pattern.compile("(?m)^CapEff:\\s+([0-9a-f]+)");

  /** How the initial user namespace maps user ids. */
  private static final Pattern ALL_USERS = Pattern.compile("\\s*0\\s+0\\s+4294967295\\s*");

  private static final int HEXADECIMAL = 16;

  /** Copies the set. */
  public Credentials {
    groups = Set.copyOf(groups);
  }

  /**
   * The credentials of this process.
   *
   * @throws KernelException if /proc/self/status can't be read
   */
  public static Credentials of(SysFs files) {
    String status = files.read("/proc/self/status");
    return new Credentials(
        find(USER, status).stream().mapToLong(Long::parseLong).findFirst(),
        Arrays.stream(
                (find(GROUP, status).orElse("") + " " + find(GROUPS, status).orElse(""))
                    .trim()
                    .split("\\s+", -1))
            .filter(id -> !id.isEmpty())
            .map(Long::valueOf)
            .collect(Collectors.toSet()),
        find(CAPABILITIES, status)
            .map(bits -> Long.parseUnsignedLong(bits, HEXADECIMAL))
            .orElse(0L),
        files
            .readIfPresent("/proc/self/uid_map")
            .map(map -> ALL_USERS.matcher(map).matches())
            .orElse(true));
  }

  private static Optional<String> find(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  /** Whether the process is root in its user namespace. */
  public boolean isRoot() {
    return user.isPresent() && user.getAsLong() == 0;
  }

  /** Whether the process has a capability, given by its number in linux/capability.h. */
  public boolean has(int capability) {
    return (capabilities >>> capability & 1) != 0;
  }
}
