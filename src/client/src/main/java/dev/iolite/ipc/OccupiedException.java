package dev.iolite.ipc;

import java.io.IOException;

/** Something is at the path of a socket that must not be replaced. */
public final class OccupiedException extends IOException {
  private static final long serialVersionUID = 1L;

  private final boolean isAlive;

  /** Says what is there, and whether it is a socket on which a process listens. */
  OccupiedException(String found, boolean isAlive) {
    super(found);
    this.isAlive = isAlive;
  }

  /** Whether a process listens there. */
  public boolean isAlive() {
    return isAlive;
  }
}
