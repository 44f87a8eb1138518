package dev.iolite.tdi.layout;

/** A layout, from a file or from the kernel, that no device can have. */
public final class MalformedLayoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong. */
  MalformedLayoutException(String message) {
    super(message);
  }
}
