package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** What the running kernel has found wrong with itself; more if it is a sanitised one. */
final class KernelReports {
  private static final Path TAINTED = Path.of("/proc/sys/kernel/tainted");
  private static final Path LOCKDEP = Path.of("/proc/lockdep_stats");
  private static final Path KMEMLEAK = Path.of("/sys/kernel/debug/kmemleak");
  private static final Pattern REPORT =
      Pattern.compile("BUG:|WARNING:|INFO: (task|rcu|possible)|KASAN|UBSAN|Oops|Call Trace");

  private KernelReports() {}

  /** The checks that this kernel has, for the record. */
  static String checks() {
    return "lockdep %s, kmemleak %s"
        .formatted(Files.exists(LOCKDEP) ? "yes" : "no", Files.exists(KMEMLEAK) ? "yes" : "no");
  }

  /** Requires that there is no report, of memory that leaks neither. */
  static void requireNone() throws IOException, InterruptedException {
    assertThat(log()).noneMatch(REPORT.asPredicate());
    assertThat(Files.readString(TAINTED).strip()).as("tainted").isEqualTo("0");
    if (Files.exists(LOCKDEP)) {
      assertThat(Files.readString(LOCKDEP)).containsPattern("debug_locks:\\s+1");
    }
    if (Files.exists(KMEMLEAK)) {
      assertThat(leaks()).as("kmemleak").isEmpty();
    }
  }

  /**
   * What a scan suspects twice: at the first, a pointer to a new object may be in a register only,
   * or in what the scan had passed already.
   */
  private static String leaks() throws IOException {
    Files.writeString(KMEMLEAK, "scan");
    Files.writeString(KMEMLEAK, "scan");
    return Files.readString(KMEMLEAK);
  }

  private static List<String> log() throws IOException, InterruptedException {
    Process dmesg = new ProcessBuilder("dmesg").redirectErrorStream(true).start();
    String text = new String(dmesg.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(dmesg.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(dmesg.exitValue()).as(text).isZero();
    return text.lines().toList();
  }
}
