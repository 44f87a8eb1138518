package dev.iolite.uapi.catalog;

import java.lang.foreign.MemoryLayout;
import java.util.Optional;

/**
 * One ioctl command: the pair (kind of descriptor, number) that identifies it, and what is needed
 * to call and to decode it.
 *
 * @param on the kind of descriptor that it is made on
 * @param name its name in the UAPI headers
 * @param number the command number, unsigned 32 bits
 * @param argument the struct that its argument points to; empty if it takes a plain value or
 *     nothing
 * @param direction how the kernel uses the argument
 * @param result what it returns when it does not fail
 * @param onInterrupt what to do when it fails with EINTR
 * @param since the first Linux that has it on this kind of descriptor; empty if none has it
 * @param architecture where it exists
 */
public record Ioctl(
    FdKind on,
    String name,
    long number,
    Optional<MemoryLayout> argument,
    Direction direction,
    Result result,
    OnInterrupt onInterrupt,
    Optional<String> since,
    Architecture architecture)
    implements Call {

  /** Accepts the number with or without the sign extension that jextract gives it. */
  public Ioctl {
    number = unsigned(number);
  }

  /** A command that is not in any table and takes a plain value, or no argument. */
  public static Ioctl plain(FdKind on, String name, long number) {
    return of(on, name, number, Optional.empty(), Direction.IN);
  }

  /** A command that is not in any table and whose argument points to a struct. */
  public static Ioctl of(FdKind on, String name, long number, MemoryLayout argument) {
    return of(on, name, number, Optional.of(argument), Direction.INOUT);
  }

  private static Ioctl of(
      FdKind on, String name, long number, Optional<MemoryLayout> argument, Direction direction) {
    return new Ioctl(
        on,
        name,
        number,
        argument,
        direction,
        new Result.Done(),
        OnInterrupt.REPEAT,
        Optional.empty(),
        Architecture.ANY);
  }

  /**
   * The same command, defined to answer with a number.
   *
   * @param words what the number is
   */
  public Ioctl answering(String words) {
    return returning(new Result.Value(words));
  }

  /** The same command with another result. */
  public Ioctl returning(Result meaning) {
    return with(meaning, onInterrupt);
  }

  /** The same command, for which EINTR is a result. */
  public Ioctl reportingInterrupts() {
    return with(result, OnInterrupt.REPORT);
  }

  private Ioctl with(Result meaning, OnInterrupt interrupted) {
    return new Ioctl(
        on, name, number, argument, direction, meaning, interrupted, since, architecture);
  }

  /** The kind of descriptor that it returns; empty if it returns none. */
  public Optional<FdKind> returns() {
    return result instanceof Result.Descriptor(FdKind kind) ? Optional.of(kind) : Optional.empty();
  }

  static long unsigned(long number) {
    return number & 0xffff_ffffL;
  }
}
