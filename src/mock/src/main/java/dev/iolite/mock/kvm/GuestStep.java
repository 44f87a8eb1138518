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
   * @param isPrivate whether the access is private
   * @param gpa the guest-physical address
   * @param bytes 1, 2, 4 or 8
   * @param value receives what was read and returns whether the guest continues
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
   * @param isPrivate whether the access is private
   * @param gpa the guest-physical address
   * @param bytes 1, 2, 4 or 8
   * @param value the value; its low bytes are written
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
   * @param value the value; its low bytes are written
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
   * @param value receives what was read and returns whether the guest continues
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
   * @param gpa its first guest-physical address
   * @param bytes its length
   * @param isPrivate whether it is to be private; otherwise shared
   * @param result receives the answer
   */
  record MapGpa(long gpa, long bytes, boolean isPrivate, LongConsumer result)
      implements GuestStep {}

  /**
   * Makes a hypercall.
   *
   * @param number its number
   * @param arguments up to three
   * @param result receives the answer
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
   * @param leaf its number
   * @param arguments R12 to R15
   * @param result receives R10 to R14
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
   * Exits in a special way.
   *
   * @param exit the exit
   */
  record Leave(GuestExit exit) implements GuestStep {}

  /** Halts. */
  record Halt() implements GuestStep {}

  /** Ends the guest. */
  record Terminate() implements GuestStep {}

  /**
   * Continues elsewhere.
   *
   * @param step the number of a step, from 0
   */
  record GoTo(int step) implements GuestStep {}

  /**
   * Makes the step that it is told to make.
   *
   * @param step supplies what to do now, never another step of this kind; asked again each time the
   *     guest runs until that is done
   * @param done called when it is done
   */
  record Told(Supplier<GuestStep> step, Runnable done) implements GuestStep {}

  private static void requireWidth(int bytes, int most) {
    if (Integer.bitCount(bytes) != 1 || bytes > most || bytes < 1) {
      throw new IllegalArgumentException("an access of " + bytes + " bytes");
    }
  }
}
