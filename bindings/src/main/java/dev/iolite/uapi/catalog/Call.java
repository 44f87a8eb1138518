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

  /** What a caller does when a signal interrupted the call. */
  enum OnInterrupt {
    /** The call had no effect and is made again. */
    REPEAT,
    /** EINTR is a result of its own (KVM_RUN leaves the guest), so it is reported. */
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
