package dev.iolite.mock.door;

import dev.iolite.kernel.Credentials;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;

/**
 * Whether a program's memory may be reached: Documentation/admin-guide/LSM/Yama.rst. Its parent may
 * do so unless the machine restricts even that.
 */
final class PtraceScope {
  private static final String SETTING = "/proc/sys/kernel/yama/ptrace_scope";
  private static final int CAP_SYS_PTRACE = 19;

  private PtraceScope() {}

  /**
   * Asks before anything runs.
   *
   * @throws PreconditionException if it may not
   */
  static void require(SysFs files) {
    String scope = files.readIfPresent(SETTING).orElse("0").strip();
    boolean isAllowed =
        switch (scope) {
          case "0", "1" -> true;
          case "2" -> Credentials.of(files).has(CAP_SYS_PTRACE);
          default -> false;
        };
    if (!isAllowed) {
      throw new PreconditionException(
          "reach the memory of a program",
          "kernel.yama.ptrace_scope is " + scope,
          "the machine's administrator has restricted ptrace",
          scope.equals("2")
              ? "sysctl kernel.yama.ptrace_scope=1 as root, or run this as root"
              : "start the machine with another setting: 3 can't be changed while it runs");
    }
  }
}
