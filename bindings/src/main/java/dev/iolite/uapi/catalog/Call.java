package dev.iolite.uapi.catalog;

import java.util.Optional;

/** A call that a program makes to the kernel: a row of the table of calls. */
public sealed interface Call permits Ioctl, SystemCall {
  /** Its name in the UAPI headers, or in section 2 of the manual. */
  String name();

  /** What it returns when it does not fail. */
  Result result();

  /** What to do when it fails with EINTR. */
  OnInterrupt onInterrupt();

  /** The first Linux that has it, such as {@code 6.2}; empty if none has it. */
  Optional<String> since();

  /** What a result that is not an errno means. */
  sealed interface Result {
    /** Always 0: the call was done. */
    record Done() implements Result {}

    /**
     * A new descriptor, which may be 0.
     *
     * @param kind what the descriptor refers to
     */
    record Descriptor(FdKind kind) implements Result {}

    /**
     * A number that is part of the answer: the call was done, whatever the number.
     *
     * @param words what the number is, such as {@code MSRs read}
     */
    record Value(String words) implements Result {}

    /**
     * 0 if the call was done. A positive number says why it was not.
     *
     * @param words what the number is, such as {@code vectors are all that the host has for it;
     *     none is enabled}
     */
    record NotDone(String words) implements Result {}
  }

  /** What a caller does when a signal interrupts the call. */
  enum OnInterrupt {
    /** The call had no effect and is made again. */
    REPEAT,
    /** EINTR is a result in its own right (KVM_RUN leaves the guest), so it is reported. */
    REPORT
  }

  /** How the kernel uses the memory that an argument points to. */
  enum Direction {
    /** There is no argument. */
    NONE,
    /** The kernel reads it. */
    IN,
    /** The kernel writes it. */
    OUT,
    /** The kernel reads and writes it. */
    INOUT
  }

  /** Where a call exists. */
  enum Architecture {
    /** On every architecture that has the subsystem. */
    ANY,
    /** On x86 only. */
    X86,
    /** On architectures other than x86. */
    OTHER
  }
}
