package dev.iolite.ipc;

import java.io.IOException;

/** What the other side sent is not a message, or is larger than a message may be. */
public final class MalformedMessageException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong with it. */
  public MalformedMessageException(String message) {
    super(message);
  }
}
