package dev.iolite.differential;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes a program that diverges shorter, as long as the same fault stays. A boot of the lab costs
 * seconds and a program nothing, so each boot tries every way to leave a run of calls out.
 */
final class Shrinker {
  private final RealKernel lab;

  Shrinker(RealKernel lab) {
    this.lab = lab;
  }

  /** The shortest that was found. */
  Divergence shrink(Divergence found) throws IOException, InterruptedException {
    Divergence shortest = cut(found);
    while (true) {
      Optional<Divergence> shorter = tryAll(shortest);
      if (shorter.isEmpty()) {
        return shortest;
      }
      shortest = shorter.get();
    }
  }

  /** What follows the difference does not matter. */
  private static Divergence cut(Divergence found) {
    int length = Math.min(found.program().ops().size(), found.index() + 1);
    Program program = new Program(found.program().name(), found.program().ops().subList(0, length));
    return new Divergence(program, found.index(), found.real(), found.mock());
  }

  private Optional<Divergence> tryAll(Divergence now) throws IOException, InterruptedException {
    List<Program> candidates = candidates(now.program());
    if (candidates.isEmpty()) {
      return Optional.empty();
    }
    // A machine that fails has tried fewer of them.
    List<List<String>> real = lab.run(candidates).answers();
    Optional<Divergence> best = Optional.empty();
    for (int i = 0; i < real.size(); i++) {
      Optional<Divergence> tried =
          Divergence.of(candidates.get(i), real.get(i), mock(candidates.get(i)));
      if (tried.filter(d -> d.fault().equals(now.fault())).isPresent()) {
        Divergence cut = cut(tried.get());
        if (best.isEmpty() || length(cut) < length(best.get())) {
          best = Optional.of(cut);
        }
      }
    }
    return best;
  }

  private static int length(Divergence divergence) {
    return divergence.program().ops().size();
  }

  /**
   * Every way to leave out a half, a quarter ... one of the calls, and each pair of single ones.
   */
  private static List<Program> candidates(Program program) {
    List<Op> ops = program.ops();
    List<Program> candidates = new ArrayList<>();
    for (int size = ops.size() / 2; size > 0; size /= 2) {
      for (int from = 0; from + size <= ops.size(); from += Math.max(1, size / 2)) {
        candidates.add(without(program, from, size));
      }
    }
    return candidates;
  }

  private static Program without(Program program, int from, int count) {
    List<Op> rest = new ArrayList<>(program.ops());
    rest.subList(from, from + count).clear();
    return new Program(program.name(), rest);
  }

  private List<String> mock(Program program) {
    return mock(lab.kernel(), program);
  }

  /** The answers of a model that has just started. */
  static List<String> mock(LabKernel kernel, Program program) {
    try (Machine machine = Machine.model(kernel)) {
      return machine.run(program.ops());
    }
  }
}
