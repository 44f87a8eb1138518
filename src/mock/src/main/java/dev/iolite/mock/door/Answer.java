package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;

/** How a system call of the program ends. */
sealed interface Answer {
  /** The program's own kernel makes it. */
  record Pass() implements Answer {}

  /** It returns this: a number, or a negated errno. */
  record Result(long value) implements Answer {}

  default boolean isResult() {
    return this instanceof Result;
  }

  static Answer pass() {
    return new Pass();
  }

  static Answer of(long value) {
    return new Result(value);
  }

  static Answer of(Errno errno) {
    return new Result(errno.negated());
  }
}
