package dev.iolite.mock.recording;

/** A recording can't be understood, or describes something that no machine can be. */
public final class MalformedRecordingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  MalformedRecordingException(String message) {
    super(message);
  }
}
