package dev.iolite.mock.remote;

import dev.iolite.ipc.MalformedMessageException;
import dev.iolite.ipc.Message;

/** A message between a modelled host and a caller, made of any bytes. */
public final class AnyMessage {
  private AnyMessage() {}

  /**
   * Reads it as a request and as an answer, which may be refused. What is understood is the same
   * after one more journey.
   */
  public static void read(byte[] line) {
    Message message;
    try {
      message = Message.parse(line);
    } catch (MalformedMessageException _) {
      return;
    }
    try {
      Request request = Request.of(message);
      requireSame(request, Request.of(request.message()));
    } catch (MalformedMessageException _) {
      // Refused.
    }
    try {
      Answer answer = Answer.of(message);
      requireSame(answer, Answer.of(answer.message()));
    } catch (MalformedMessageException _) {
      // Refused.
    }
  }

  private static void requireSame(Object read, Object again) {
    if (!read.equals(again)) {
      throw new IllegalStateException(read + " arrives as " + again);
    }
  }
}
