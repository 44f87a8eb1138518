package dev.iolite.tsm;

import java.util.Arrays;
import java.util.Optional;

/** The states of a TEE device interface, with TDISP's numbers. */
public enum TdiState {
  /** Not locked: shared with the host. */
  CONFIG_UNLOCKED(0),
  /** Locked: its configuration can't change; its TEE memory does not answer yet. */
  CONFIG_LOCKED(1),
  /** Running: in use by the guest. */
  RUN(2),
  /**
   * The locked configuration has changed; the only way out is a stop, which leads to {@link
   * #CONFIG_UNLOCKED}.
   */
  ERROR(3);

  private final int number;

  TdiState(int number) {
    this.number = number;
  }

  /** The state with a number; empty if there is none. */
  public static Optional<TdiState> of(int number) {
    return Arrays.stream(values()).filter(state -> state.number == number).findFirst();
  }

  /** TDISP's number. */
  public int number() {
    return number;
  }
}
