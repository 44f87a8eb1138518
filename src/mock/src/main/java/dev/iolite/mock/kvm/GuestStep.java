package dev.iolite.mock.kvm;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.LongPredicate;
import java.util.function.Supplier;

/** A step of a scripted guest; see {@link GuestScript.Builder}. */
public sealed interface GuestStep {
  /**
   * Reads memory.
   *
   * @param isPrivate how it is accessed
   * @param gpa where
   * @param bytes 1, 2, 4 or 8
   * @param value gets what was read and says whether the guest goes on
   */
  record Read(boolean isPrivate, long gpa, int bytes, LongPredicate value) implements GuestStep {
    /** Checks the width. */
    public Read {
      requireWidth(bytes, Long.BYTES);
    }
  }

  /**
   * Writes memory.
   *
   * @param isPrivate how it is accessed
   * @param gpa where
   * @param bytes 1, 2, 4 or 8
   * @param value what; the low bytes
   */
  record Write(boolean isPrivate, long gpa, int bytes, long value) implements GuestStep {
    /** Checks the width. */
    public Write {
      requireWidth(bytes, Long.BYTES);
    }
  }

  /**
   * Writes to an I/O port.
   *
   * @param port 0 to 0xffff
   * @param bytes 1, 2 or 4
   * @param value what; the low bytes
   */
  record Out(int port, int bytes, int value) implements GuestStep {
    /** Checks the width. */
    public Out {
      requireWidth(bytes, Integer.BYTES);
    }
  }

  /**
   * Reads from an I/O port.
   *
   * @param port 0 to 0xffff
   * @param bytes 1, 2 or 4
   * @param value gets what was read and says whether the guest goes on
   */
  record In(int port, int bytes, LongPredicate value) implements GuestStep {
    /** Checks the width. */
    public In {
      requireWidth(bytes, Integer.BYTES);
    }
  }

  /**
   * Asks for a range to be made private or shared.
   *
   * @param gpa where it begins
   * @param bytes how long it is
   * @param isPrivate what it is to be
   * @param result gets the answer
   */
  record MapGpa(long gpa, long bytes, boolean isPrivate, LongConsumer result)
      implements GuestStep {}

  /**
   * Makes a hypercall.
   *
   * @param number which
   * @param arguments up to three
   * @param result gets the answer
   */
  record Hypercall(long number, List<Long> arguments, LongConsumer result) implements GuestStep {
    /** Copies the list. */
    public Hypercall {
      arguments = List.copyOf(arguments);
    }

    long argument(int index) {
      return index < arguments.size() ? arguments.get(index) : 0;
    }
  }

  /**
   * Makes a TDVMCALL.
   *
   * @param leaf which
   * @param arguments R12 to R15
   * @param result gets R10 to R14
   */
  record TdVmCall(long leaf, List<Long> arguments, Consumer<List<Long>> result)
      implements GuestStep {
    /** Copies the list. */
    public TdVmCall {
      arguments = List.copyOf(arguments);
    }

    long argument(int index) {
      return index < arguments.size() ? arguments.get(index) : 0;
    }
  }

  /**
   * Leaves in a way of its own.
   *
   * @param exit how
   */
  record Leave(GuestExit exit) implements GuestStep {}

  /** Halts. */
  record Halt() implements GuestStep {}

  /** Ends the guest. */
  record Terminate() implements GuestStep {}

  /**
   * Goes on elsewhere.
   *
   * @param step the number of a step, from 0
   */
  record GoTo(int step) implements GuestStep {}

  /**
   * Makes the step that it is told.
   *
   * @param step what to do now; asked again each time the guest runs while that is not done, and
   *     never another of this kind
   * @param done told when it is done
   */
  record Told(Supplier<GuestStep> step, Runnable done) implements GuestStep {}

  private static void requireWidth(int bytes, int most) {
    if (Integer.bitCount(bytes) != 1 || bytes > most || bytes < 1) {
      throw new IllegalArgumentException("an access of " + bytes + " bytes");
    }
  }
}
