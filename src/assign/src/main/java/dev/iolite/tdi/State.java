package dev.iolite.tdi;

import java.util.Arrays;
import java.util.Optional;

/** The state of an assignment. */
public enum State {
  /** Nothing is held: the device has the driver that it had. */
  UNASSIGNED("unassigned"),
  /** The guest and the IOAS have all of the BARs, as shared memory. */
  SHARED("shared"),
  /** No part of the BARs is mapped and no dma-buf is open, so that the interface can be bound. */
  WITHDRAWN("withdrawn"),
  /** The interface is bound and locked; no part of the BARs is mapped yet. */
  LOCKED("locked"),
  /** Shared runs are mapped as shared, private ones as private; the interface does not run yet. */
  SPLIT("split"),
  /** The interface runs: the guest's private accesses reach it. */
  RUNNING("running"),
  /** The interface has failed; no part of the BARs is mapped. It can be unbound. */
  ERROR("error"),
  /**
   * A call of the TSM may or may not have taken effect. No part of the BARs is mapped, and nothing
   * is tried again until the interface is proved to be released.
   */
  QUARANTINED("quarantined");

  private final String words;

  State(String words) {
    this.words = words;
  }

  /** The state with a name as {@link #toString} gives it. */
  public static Optional<State> of(String name) {
    return Arrays.stream(values()).filter(s -> s.words.equals(name)).findFirst();
  }

  /** Whether the interface is bound, or may be. */
  public boolean isBound() {
    return switch (this) {
      case LOCKED, SPLIT, RUNNING, ERROR, QUARANTINED -> true;
      case UNASSIGNED, SHARED, WITHDRAWN -> false;
    };
  }

  /** For example {@code shared}. */
  @Override
  public String toString() {
    return words;
  }
}
