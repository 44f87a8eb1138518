package dev.iolite.kernel;

import java.lang.foreign.MemoryLayout;
import java.util.Optional;

/**
 * One ioctl command: the pair (kind of descriptor, number) that identifies it, and what is needed
 * to call and to decode it.
 *
 * @param on the kind of descriptor it is made on
 * @param name its name in the UAPI headers
 * @param number the command number, unsigned 32 bits
 * @param argument the struct its argument points to; empty if it takes a plain value or nothing
 * @param result what it returns when it does not fail
 * @param onInterrupt what to do when it fails with EINTR
 */
public record Ioctl(
    FdKind on,
    String name,
    long number,
    Optional<MemoryLayout> argument,
    Result result,
    OnInterrupt onInterrupt) {

  /** What a result that is no errno means. */
  public sealed interface Result {
    /** 0: it was done. There is no other result. */
    record Done() implements Result {}

    /**
     * A new descriptor, which may be 0.
     *
     * @param kind what it refers to
     */
    record Descriptor(FdKind kind) implements Result {}

    /**
     * A number that is part of the answer: it was done, whatever the number.
     *
     * @param words what the number is, such as {@code MSRs read}
     */
    record Value(String words) implements Result {}

    /**
     * 0: it was done. A positive number says why it was not.
     *
     * @param words what the number is, such as {@code the vectors to be had; none is enabled}
     */
    record NotDone(String words) implements Result {}
  }

  /** What a caller does when a signal interrupted the command. */
  public enum OnInterrupt {
    /** The command had no effect and is made again. */
    REPEAT,
    /** EINTR is a result of its own (KVM_RUN leaves the guest), so it is reported. */
    REPORT
  }

  /** A command whose argument is a plain value, or which has none. */
  public static Ioctl plain(FdKind on, String name, long number) {
    return new Ioctl(
        on, name, unsigned(number), Optional.empty(), new Result.Done(), OnInterrupt.REPEAT);
  }

  /** A command whose argument points to a struct. */
  public static Ioctl of(FdKind on, String name, long number, MemoryLayout argument) {
    return new Ioctl(
        on, name, unsigned(number), Optional.of(argument), new Result.Done(), OnInterrupt.REPEAT);
  }

  /** The same command, known to return a descriptor of this kind. */
  public Ioctl returning(FdKind kind) {
    return with(new Result.Descriptor(kind));
  }

  /**
   * The same command, known to answer with a number.
   *
   * @param words what the number is
   */
  public Ioctl answering(String words) {
    return with(new Result.Value(words));
  }

  /**
   * The same command, known to return a positive number when it was not done.
   *
   * @param words what the number is
   */
  public Ioctl notDoneIfPositive(String words) {
    return with(new Result.NotDone(words));
  }

  private Ioctl with(Result meaning) {
    return new Ioctl(on, name, number, argument, meaning, onInterrupt);
  }

  /** The kind of descriptor that it returns; empty if it returns none. */
  public Optional<FdKind> returns() {
    return result instanceof Result.Descriptor(FdKind kind) ? Optional.of(kind) : Optional.empty();
  }

  /** The same command, for which EINTR is a result. */
  public Ioctl reportingInterrupts() {
    return new Ioctl(on, name, number, argument, result, OnInterrupt.REPORT);
  }

  static long unsigned(long number) {
    return number & 0xffff_ffffL;
  }
}
