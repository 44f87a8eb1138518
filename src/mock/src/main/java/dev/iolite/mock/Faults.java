package dev.iolite.mock;

import dev.iolite.kernel.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** The plan of a {@link FaultyKernel}: what goes wrong, and when. */
public final class Faults {
  /** When a call fails. */
  public enum When {
    /** Before it had an effect: it was not made. */
    BEFORE,
    /**
     * After its effect: it was made, and its answer was lost. A descriptor that it made is closed,
     * as the kernel does when it can't hand one out.
     */
    AFTER
  }

  /** What happens to a call. */
  sealed interface Fault {
    /** It fails. */
    record Fail(Errno errno, When when) implements Fault {}

    /** It returns a number without being made. */
    record Answer(long result) implements Fault {}

    /** It moves fewer bytes than asked for. */
    record Shorten(long bytes) implements Fault {}

    /** Something happens just before it, such as a device's removal. */
    record Event(Runnable event) implements Fault {}
  }

  private static final class Rule {
    private final Calls calls;
    private final Fault fault;
    private int left;

    Rule(Calls calls, int nth, Fault fault) {
      if (nth < 1) {
        throw new IllegalArgumentException("calls are counted from 1, not " + nth);
      }
      this.calls = calls;
      this.left = nth;
      this.fault = fault;
    }
  }

  private final List<Rule> rules = new ArrayList<>();
  private final List<Always> all = new ArrayList<>();
  private Optional<Chance> chance = Optional.empty();

  private record Always(Calls calls, Fault.Fail fault) {}

  private record Chance(Calls calls, Random random, int oneIn, List<Errno> errnos) {}

  private Faults() {}

  /** Nothing goes wrong. */
  public static Faults none() {
    return new Faults();
  }

  /**
   * Makes a call fail.
   *
   * @param nth which of these calls, counted from 1
   */
  public Faults fail(Calls calls, int nth, Errno errno, When when) {
    rules.add(new Rule(calls, nth, new Fault.Fail(errno, when)));
    return this;
  }

  /** Makes all of these calls fail. */
  public Faults failAll(Calls calls, Errno errno, When when) {
    all.add(new Always(calls, new Fault.Fail(errno, when)));
    return this;
  }

  /**
   * Makes a call return a number instead of being made: one that a driver has no right to return,
   * or one that the model can't be brought to return.
   *
   * @param nth which of these calls, counted from 1
   */
  public Faults answer(Calls calls, int nth, long result) {
    rules.add(new Rule(calls, nth, new Fault.Answer(result)));
    return this;
  }

  /**
   * Makes a read or write move fewer bytes than asked for.
   *
   * @param nth which of these calls, counted from 1
   * @param bytes how many it moves at most
   */
  public Faults shorten(Calls calls, int nth, long bytes) {
    rules.add(new Rule(calls, nth, new Fault.Shorten(bytes)));
    return this;
  }

  /**
   * Makes something happen just before a call: a device is removed, a dma-buf revoked, the TSM
   * fails.
   *
   * @param nth which of these calls, counted from 1
   */
  public Faults before(Calls calls, int nth, Runnable event) {
    rules.add(new Rule(calls, nth, new Fault.Event(event)));
    return this;
  }

  /**
   * Makes calls fail by chance, before or after their effect. The same seed gives the same failures
   * for the same calls in the same order.
   *
   * @param oneIn how many of these calls there are, on average, to one that fails
   * @param errnos one of which each failure has
   */
  public Faults random(long seed, Calls calls, int oneIn, List<Errno> errnos) {
    chance = Optional.of(new Chance(calls, new Random(seed), oneIn, List.copyOf(errnos)));
    return this;
  }

  /** What happens to this call; each call is asked for once, in order. */
  synchronized List<Fault> on(Calls.Call call) {
    List<Fault> faults = new ArrayList<>();
    for (Rule rule : rules) {
      if (rule.calls.include(call) && --rule.left == 0) {
        faults.add(rule.fault);
      }
    }
    all.stream()
        .filter(always -> always.calls.include(call))
        .map(Always::fault)
        .forEach(faults::add);
    chance
        .filter(c -> c.calls.include(call) && c.random.nextInt(c.oneIn) == 0)
        .map(c ->
            new Fault.Fail(
                c.errnos.get(c.random.nextInt(c.errnos.size())),
                c.random.nextBoolean() ? When.BEFORE : When.AFTER))
        .ifPresent(faults::add);
    return faults;
  }
}
