package dev.iolite.mock.remote;

import dev.iolite.ipc.MalformedMessageException;
import dev.iolite.ipc.Message;
import java.util.List;
import java.util.Map;

/**
 * The outcome of a call. Its message has {@code result}, a number, and perhaps {@code extra}, more
 * numbers.
 *
 * @param result what it returned
 * @param extra the numbers that {@link CallKind} describes
 */
record Answer(long result, List<Long> extra) {
  private static final String RESULT = "result";
  private static final String EXTRA = "extra";

  static Answer of(long result) {
    return new Answer(result, List.of());
  }

  static Answer of(long result, long extra) {
    return new Answer(result, List.of(extra));
  }

  /**
   * Reads a message.
   *
   * @throws MalformedMessageException if it is not an answer
   */
  static Answer of(Message message) throws MalformedMessageException {
    List<Long> result = Numbers.parse(message.text(RESULT));
    if (result.size() != 1) {
      throw new MalformedMessageException("an answer has one result");
    }
    return new Answer(result.getFirst(), Numbers.parse(message.text(EXTRA)));
  }

  Message message() {
    String number = Long.toString(result);
    return new Message(
        extra.isEmpty()
            ? Map.of(RESULT, number)
            : Map.of(RESULT, number, EXTRA, Numbers.text(extra)));
  }
}
