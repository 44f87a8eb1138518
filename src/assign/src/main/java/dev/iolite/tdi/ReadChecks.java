package dev.iolite.tdi;

import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.guest.GuestAnswer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Judges reads of BARs. A read that nobody answers returns all ones, but the device may also hold
 * all ones there: devices need not answer everywhere in a BAR. The host's own read tells the two
 * apart as soon as the place is shared.
 */
final class ReadChecks {
  private static final GuestAnswer NOBODY = new GuestAnswer.Reached(0xffff_ffffL);

  private final TdiAssignment assignment;
  private final Consumer<Check> listener;
  private final List<Silent> silent = new ArrayList<>();

  /**
   * A read of private memory that returned all ones, to be judged when the memory is shared again.
   */
  private record Silent(String what, int bar, long offset) {}

  /**
   * Prepares checks.
   *
   * @param listener receives each check
   */
  ReadChecks(TdiAssignment assignment, Consumer<Check> listener) {
    this.assignment = assignment;
    this.listener = listener;
  }

  private static boolean isAnswered(GuestAnswer answer) {
    return answer.reached() && !answer.equals(NOBODY);
  }

  private void check(String what, boolean isSo, GuestAnswer seen) {
    listener.accept(new Check(what, isSo, seen.toString()));
  }

  /** Checks that a read reached memory that is shared now. */
  void reachesShared(String what, int bar, long offset, GuestAnswer answer) {
    boolean isSo =
        isAnswered(answer)
            || (answer.equals(NOBODY) && assignment.readAsHost(bar, offset).equals(NOBODY));
    check(what, isSo, answer);
  }

  /**
   * Checks that a read reached memory that is private now. {@link #settle} judges reads that
   * returned all ones.
   */
  void reachesPrivate(String what, int bar, long offset, GuestAnswer answer) {
    if (answer.equals(NOBODY)) {
      silent.add(new Silent(what, bar, offset));
    } else {
      check(what, answer.reached(), answer);
    }
  }

  /** Checks that a read did not get through to the device. */
  void doesNotReach(String what, GuestAnswer answer) {
    check(what, !isAnswered(answer), answer);
  }

  /** Called when the BARs are shared again: the host reads where the guest read all ones. */
  void settle() {
    for (Silent read : silent) {
      GuestAnswer host = assignment.readAsHost(read.bar(), read.offset());
      boolean isSame = host.equals(NOBODY);
      listener.accept(
          new Check(
              read.what(),
              isSame,
              isSame
                  ? NOBODY + ", as the host reads there now that it is shared"
                  : "%s, but the host reads %s there now".formatted(NOBODY, host)));
    }
    silent.clear();
  }
}
