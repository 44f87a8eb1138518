package dev.iolite.mock.core;

import java.util.Optional;

/**
 * The descriptors that the caller has besides the model's. A program that makes all its calls on
 * the model has none; an unmodified program has its own files, of which the model knows nothing
 * until a call names one.
 */
public interface CallerFiles {
  /** The first number that the model gives; most of the caller's own descriptors are below it. */
  int first();

  /** Whether the caller that makes this call has a file with this number, which stays its own. */
  boolean has(int fd);

  /**
   * Finds one of the caller's own files, named by a call on the model, and takes a reference to it
   * for the model.
   *
   * @param fd its number in the caller
   * @return the file; empty if there is none, or no driver takes such a file
   */
  Optional<OpenFile> find(Task task, int fd);

  /**
   * Called when the model has given a number to a new file, for the caller that makes this call.
   */
  void given(int fd);

  /** All of the caller's descriptors are the model's. */
  static CallerFiles none() {
    return new CallerFiles() {
      @Override
      public int first() {
        return Descriptors.FIRST;
      }

      @Override
      public boolean has(int fd) {
        return false;
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
