package dev.iolite.differential;

import java.util.SplittableRandom;

/** The random choices of a program. */
final class Chance {
  private final SplittableRandom random;

  Chance(long seed) {
    random = new SplittableRandom(seed);
  }

  boolean oneIn(int count) {
    return below(count) == 0;
  }

  int below(int bound) {
    return random.nextInt(bound);
  }

  int between(int least, int bound) {
    return random.nextInt(least, bound);
  }

  long pick(long... values) {
    return values[below(values.length)];
  }

  /** A reference, seldom to nothing. */
  long ref() {
    return oneIn(40) ? -1 : pick(0, 0, 0, 1, 1, 2, 3);
  }

  /** The start of one of so many pages. */
  long page(int count) {
    return Machine.PAGE * below(count);
  }
}
