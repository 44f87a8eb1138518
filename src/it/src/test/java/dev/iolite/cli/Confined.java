package dev.iolite.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Runs a command in a process that has the capabilities of its row and no others, and is killed if
 * it makes a system call that a JVM doesn't make, or an ioctl of a type that no node of its row
 * has.
 */
final class Confined {
  /** A user who is not root. */
  static final int OTHER_USER = 1000;

  private static final int CAP_SETPCAP = 8;

  /** Util-linux's: busybox's shell would take its own, which can't limit the bounding set. */
  private static final String SETPRIV =
      Stream.of("/usr/bin/setpriv", "/bin/setpriv")
          .filter(file -> Files.isExecutable(Path.of(file)))
          .findFirst()
          .orElse("setpriv");

  private final Path directory;
  private final List<String> program;

  /** What sets limits and then executes the words that follow it. */
  private List<String> limits = List.of();

  /**
   * Runs the tests' own classes.
   *
   * @param directory for what the commands print
   */
  Confined(Path directory) {
    this(
        directory,
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName()));
  }

  /**
   * Runs a program.
   *
   * @param program what a command's words are added to
   */
  Confined(Path directory, List<String> program) {
    this.directory = directory;
    this.program = program;
  }

  /** The row of a command. */
  static Privileges row(String command) {
    return Privileges.ALL.stream()
        .filter(row -> command.equals(row.command()) || command.startsWith(row.command() + " "))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no row of " + command));
  }

  /**
   * Runs a command with what its row has.
   *
   * @param before options before the command, such as {@code --kernel mock:tdx}
   * @param command its words
   */
  Cli run(String before, String command) throws IOException, InterruptedException {
    return runAs(row(command), before, command);
  }

  /** As {@link #run}, with what another row has. */
  Cli runAs(Privileges row, String before, String command)
      throws IOException, InterruptedException {
    return start(row, words(row, before, command));
  }

  /** Begins a command with what its row has; it reads from a pipe, and so is what it prints. */
  Process begin(String command) throws IOException, InterruptedException {
    return begin(
        row(command),
        new ProcessBuilder(words(row(command), "", command)).redirectErrorStream(true));
  }

  private List<String> words(Privileges row, String before, String command) {
    List<String> words = new ArrayList<>(setpriv(row));
    words.addAll(program);
    Arrays.stream((before + " " + command).strip().split(" ", -1)).forEach(words::add);
    return words;
  }

  /** As {@link #run}, as a user who is not root: what root has without a capability is gone too. */
  Cli runAsUser(String command) throws IOException, InterruptedException {
    String capabilities =
        "caps=-all"
            + row(command).capabilities().stream()
                .map(c -> ",+" + c.setpriv())
                .collect(Collectors.joining());
    List<String> words =
        new ArrayList<>(
            List.of(
                SETPRIV,
                "--no-new-privs",
                "--reuid=" + OTHER_USER,
                "--regid=" + OTHER_USER,
                "--clear-groups",
                "--inh-" + capabilities,
                "--ambient-" + capabilities,
                "--bounding-set" + capabilities.substring("caps".length())));
    words.addAll(program);
    words.addAll(List.of(command.split(" ", -1)));
    return start(row(command), words);
  }

  /** Has what is run lock no more than some KiB of memory, unless it has CAP_IPC_LOCK. */
  Confined withMemlock(int kib) {
    Confined limited = new Confined(directory, program);
    limited.limits = List.of("sh", "-c", "ulimit -l " + kib + "; exec \"$@\"", "sh");
    return limited;
  }

  private static List<String> setpriv(Privileges row) {
    List<String> words = new ArrayList<>(List.of(row.start().split(" ", -1)));
    words.set(0, SETPRIV);
    return words;
  }

  /** What a process that is started for a row may do, as /proc/self/status says it. */
  String status(Privileges row) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(setpriv(row));
    words.addAll(List.of("cat", "/proc/self/status"));
    return start(row, words).out();
  }

  private Cli start(Privileges row, List<String> words) throws IOException, InterruptedException {
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    int code =
        begin(
                row,
                new ProcessBuilder(Stream.concat(limits.stream(), words.stream()).toList())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile()))
            .waitFor();
    return new Cli(
        code,
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }

  private static Process begin(Privileges row, ProcessBuilder process)
      throws IOException, InterruptedException {
    return SystemCallFilter.with(row, process::start);
  }

  /** The capabilities of this process, as bits: in a container, root has not all of them. */
  static long own() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("CapEff:"))
        .map(line -> Long.parseUnsignedLong(line.substring("CapEff:".length()).strip(), 16))
        .findFirst()
        .orElseThrow();
  }

  /** Only who has CAP_SETPCAP can limit the bounding set. */
  static void assumePossible() throws IOException {
    boolean isRoot = (own() >>> CAP_SETPCAP & 1) != 0;
    assumeTrue(
        isRoot && Files.isExecutable(Path.of(SETPRIV)), "this is not root, or there is no setpriv");
  }
}
