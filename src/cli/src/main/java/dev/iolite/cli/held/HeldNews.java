package dev.iolite.cli.held;

import dev.iolite.steps.Step;
import dev.iolite.tdi.AssignmentListener;
import dev.iolite.tdi.Stage;
import dev.iolite.tdi.State;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** What has happened to a held assignment lately, for those who watch it. */
public final class HeldNews implements AssignmentListener {
  private static final int KEPT = 200;
  private static final int SHOWN = 8;

  private final Deque<String> lines = new ArrayDeque<>();
  private long count;
  private boolean ended;

  /**
   * What there is to tell.
   *
   * @param more the lines that were not seen yet, as far as they are not too old
   * @param last the last lines
   * @param seen how many lines there have been
   * @param isEnded whether nothing is held any longer
   */
  record News(List<String> more, List<String> last, long seen, boolean isEnded) {}

  /** Waits until there is a line after the first so many, or the end, or for this long. */
  synchronized News await(long seen, Duration most) {
    long until = System.nanoTime() + most.toNanos();
    try {
      for (long left = most.toMillis(); count <= seen && !ended && left > 0; ) {
        wait(left);
        left = Duration.ofNanos(until - System.nanoTime()).toMillis();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    long dropped = count - lines.size();
    return new News(
        lines.stream().skip(Math.max(0, seen - dropped)).toList(),
        lines.stream().skip(Math.max(0, lines.size() - SHOWN)).toList(),
        count,
        ended);
  }

  /** Adds a line. */
  synchronized void add(String text) {
    lines.add("%tT  %s".formatted(LocalTime.now(ZoneId.systemDefault()), text));
    if (lines.size() > KEPT) {
      lines.remove();
    }
    count++;
    notifyAll();
  }

  /** Says that nothing is held any longer. */
  public synchronized void end() {
    ended = true;
    notifyAll();
  }

  @Override
  public void stage(Stage stage) {
    add(stage.toString().strip());
  }

  @Override
  public void step(Step step) {
    if (!step.succeeded()) {
      add("FAILED  %s: %s".formatted(step.name(), step.outcome()));
    }
  }

  @Override
  public void state(State state) {
    add("now " + state);
  }

  @Override
  public void remark(String text) {
    add("Note: " + text);
  }
}
