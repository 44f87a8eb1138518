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
 * @param returns the kind of descriptor that it returns as its result, if it returns one
 * @param onInterrupt what to do when it fails with EINTR
 */
public record Ioctl(
    FdKind on,
    String name,
    long number,
    Optional<MemoryLayout> argument,
    Optional<FdKind> returns,
    OnInterrupt onInterrupt) {

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
        on, name, unsigned(number), Optional.empty(), Optional.empty(), OnInterrupt.REPEAT);
  }

  /** A command whose argument points to a struct. */
  public static Ioctl of(FdKind on, String name, long number, MemoryLayout argument) {
    return new Ioctl(
        on, name, unsigned(number), Optional.of(argument), Optional.empty(), OnInterrupt.REPEAT);
  }

  /** The same command, known to return a descriptor of this kind. */
  public Ioctl returning(FdKind kind) {
    return new Ioctl(on, name, number, argument, Optional.of(kind), onInterrupt);
  }

  /** The same command, for which EINTR is a result. */
  public Ioctl reportingInterrupts() {
    return new Ioctl(on, name, number, argument, returns, OnInterrupt.REPORT);
  }

  static long unsigned(long number) {
    return number & 0xffff_ffffL;
  }
}
