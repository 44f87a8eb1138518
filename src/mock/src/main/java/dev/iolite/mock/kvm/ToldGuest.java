package dev.iolite.mock.kvm;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A guest that follows instructions, for a test or a person who decides step by step. When it has
 * nothing left to do, it writes to a port, so that KVM_RUN returns.
 *
 * <p>A step whose access causes a memory fault is tried again at the next run, as on a processor;
 * {@link #forget} makes the guest give up. It is for one vCPU; a thread other than the one that
 * runs it may give the instructions.
 */
public final class ToldGuest {
  /** The I/O port that it writes to when it has nothing left to do. */
  public static final int IDLE_PORT = 0x7d0;

  private static final GuestStep IDLE = new GuestStep.Out(IDLE_PORT, 1, 0);

  private final Queue<GuestStep> steps = new ConcurrentLinkedQueue<>();

  /** What it does now, under the kernel's lock. */
  private GuestStep now = IDLE;

  /** Makes a guest that has nothing to do yet. */
  public ToldGuest() {}

  /** Its script, for a vCPU. */
  public GuestScript script() {
    return new GuestScript(
        List.of(new GuestStep.Told(this::next, () -> steps.remove(now)), new GuestStep.GoTo(0)));
  }

  private GuestStep next() {
    GuestStep first = steps.peek();
    now = first == null ? IDLE : first;
    return now;
  }

  /** Gives it something to do, after what it already has to do. */
  public void tell(GuestStep step) {
    steps.add(step);
  }

  /** Withdraws what it has not done yet. */
  public void forget() {
    steps.clear();
  }
}
