package dev.iolite.lab;

/**
 * One test as it went in the lab's guest.
 *
 * @param className the test class
 * @param name the method, with its parameter types and its index if it ran more than once
 * @param outcome how it ended
 */
record GuestTest(String className, String name, Outcome outcome) {

  /** How a test ended. */
  sealed interface Outcome {}

  /** It passed. */
  record Passed() implements Outcome {}

  /**
   * It was skipped.
   *
   * @param reason what it said
   */
  record Skipped(String reason) implements Outcome {}

  /**
   * It failed, by an assertion or otherwise.
   *
   * @param text the message and the stack trace, as written in the guest
   */
  record Failed(String text) implements Outcome {}
}
