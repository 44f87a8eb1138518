package dev.iolite.mock.core;

import java.util.Optional;

/**
 * The descriptors that the caller has beside the model's. A program that makes all its calls on the
 * model has none; an unmodified program has its own files, of which the model knows nothing until a
 * call names one.
 */
public interface CallerFiles {
  /** The first number that the model gives; the caller's own descriptors are below it. */
  int first();

  /**
   * One of the caller's own files that a call of the model names, with a reference of the model's
   * own to it.
   *
   * @param fd what the caller calls it
   * @return empty if it is nobody's, or nothing that a driver takes
   */
  Optional<OpenFile> find(Task task, int fd);

  /** The model has given a number to a new file, for the caller that makes this call. */
  void given(int fd);

  /** All that the caller has is the model's. */
  static CallerFiles none() {
    return new CallerFiles() {
      @Override
      public int first() {
        return Descriptors.FIRST;
      }

      @Override
      public Optional<OpenFile> find(Task task, int fd) {
        return Optional.empty();
      }

      @Override
      public void given(int fd) {}
    };
  }
}
