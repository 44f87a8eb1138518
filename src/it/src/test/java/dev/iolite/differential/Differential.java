package dev.iolite.differential;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs random programs on the lab's kernel and on the model, and says where they differ. Used by
 * {@code scripts/differential}.
 */
final class Differential {
  static final Path SAVED = Path.of("target", "differential");
  private static final int PROGRAMS_PER_BOOT = 4500;
  private static final int FIRST_PROGRAMS = 300;
  private static final int MOST_FAILURES = 4;

  private final RealKernel lab;
  private final Map<String, Divergence> found = new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();
  private final Reached reached = new Reached();
  private long calls;

  Differential(RealKernel lab) {
    this.lab = lab;
  }

  /** How many calls both have answered. */
  long calls() {
    return calls;
  }

  /** What the programs came to. */
  Reached reached() {
    return reached;
  }

  /** What differs, by the fault; the first program of each. */
  Map<String, Divergence> found() {
    return found;
  }

  /** How QEMU failed, which says nothing of the two kernels. */
  List<String> failures() {
    return failures;
  }

  /**
   * Runs the programs of these seeds. If QEMU crashes or hangs, another boot goes on with the
   * program that was not answered.
   *
   * @throws IOException if that happens again and again at the same program
   */
  void run(long firstSeed, int count) throws IOException, InterruptedException {
    long end = firstSeed + count;
    int failedHere = 0;
    for (long seed = firstSeed; seed < end; ) {
      LabRun run = lab.run(seed, (int) (end - seed));
      compare(seed, run.answers());
      seed += run.answers().size();
      failedHere = run.answers().isEmpty() ? failedHere : 0;
      if (run.failure().isPresent()) {
        String failure = "QEMU %s near seed %d".formatted(run.failure().get(), seed);
        failures.add(failure);
        System.err.println(failure + "; going on from there");
        failedHere++;
        if (failedHere == MOST_FAILURES) {
          throw new IOException(failure + ", " + MOST_FAILURES + " times");
        }
      } else if (seed < end) {
        throw new IOException("the lab ran no program of seed " + seed + " and said nothing");
      }
    }
  }

  private void compare(long firstSeed, List<List<String>> real) {
    LabKernel kernel = lab.kernel();
    try (Machine machine = Machine.model(kernel)) {
      for (int i = 0; i < real.size(); i++) {
        Program program = Program.ofSeed(kernel, firstSeed + i);
        note(program, real.get(i), machine.run(program.ops()));
      }
    }
  }

  private void note(Program program, List<String> real, List<String> mock) {
    calls += mock.size() - 1;
    reached.add(program, real);
    Divergence.of(program, real, mock).ifPresent(d -> found.putIfAbsent(d.fault(), d));
  }

  private void replay(List<Program> programs) throws IOException, InterruptedException {
    LabRun run = lab.run(programs);
    if (run.failure().isPresent()) {
      throw new IOException("QEMU " + run.failure().get() + "; try again");
    }
    List<List<String>> real = run.answers();
    for (int i = 0; i < programs.size(); i++) {
      note(programs.get(i), real.get(i), Shrinker.mock(lab.kernel(), programs.get(i)));
    }
  }

  /** Shrinks what was found and saves it; tells it. */
  String report() throws IOException, InterruptedException {
    StringBuilder text = new StringBuilder();
    Files.createDirectories(SAVED);
    for (Divergence divergence : found.values()) {
      Divergence shortest = new Shrinker(lab).shrink(divergence);
      String name = lab.kernel().label() + "-" + shortest.fault();
      Path file = SAVED.resolve(name.replaceAll("[^A-Za-z0-9]+", "-") + ".jsonl");
      Program.write(file, List.of(shortest.program()));
      text.append(shortest).append("\nsaved as ").append(file).append("\n\n");
    }
    return text.toString();
  }

  /** Runs programs from a seed on, until so many calls were made. */
  void runCalls(long seed, long wanted) throws IOException, InterruptedException {
    for (long next = seed; calls < wanted; ) {
      int count =
          (int) Math.min(PROGRAMS_PER_BOOT, 1 + (wanted - calls) / lab.kernel().callsPerProgram());
      run(next, count);
      next += count;
    }
  }

  /**
   * Runs them for as long as is said.
   *
   * @param args {@code --kernel NAME}, {@code --calls N}, {@code --minutes M}, {@code --seed S},
   *     {@code --replay FILE}
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 0; i + 1 < args.length; i += 2) {
      options.put(args[i], args[i + 1]);
    }
    LabKernel kernel = LabKernel.of(options.getOrDefault("--kernel", "stock"));
    Differential differential = new Differential(new Lab(kernel));
    long seed = Long.parseLong(options.getOrDefault("--seed", "1"));
    long firstSeed = seed;
    long start = System.nanoTime();
    if (options.containsKey("--replay")) {
      differential.replay(Program.read(Path.of(options.get("--replay"))));
      differential.found.values().forEach(System.out::println);
    } else if (options.containsKey("--minutes")) {
      long seconds = TimeUnit.MINUTES.toSeconds(Long.parseLong(options.get("--minutes")));
      int count = FIRST_PROGRAMS;
      for (long left = seconds; left > 0; left = seconds - elapsed(start)) {
        differential.run(seed, count);
        seed += count;
        // As many as the time that is left may do, at the pace so far.
        count = pace(seed - firstSeed, elapsed(start), seconds);
      }
      System.out.print(differential.report());
    } else {
      differential.runCalls(seed, Long.parseLong(options.getOrDefault("--calls", "200000")));
      System.out.print(differential.report());
    }
    differential.failures.forEach(System.out::println);
    if (kernel == LabKernel.SEED_2025) {
      System.out.print(differential.reached);
    }
    System.out.printf(
        "%d calls in %d s, %d differences, %d failures of QEMU%n",
        differential.calls,
        elapsed(start),
        differential.found.size(),
        differential.failures.size());
    System.exit(differential.found.isEmpty() ? 0 : 1);
  }

  private static int pace(long programs, long took, long seconds) {
    long wanted = programs * (seconds - took) / Math.max(1, took);
    return Math.clamp(wanted, FIRST_PROGRAMS, PROGRAMS_PER_BOOT);
  }

  private static long elapsed(long start) {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
  }
}
