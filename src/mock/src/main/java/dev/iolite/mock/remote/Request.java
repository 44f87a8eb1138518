package dev.iolite.mock.remote;

import dev.iolite.ipc.MalformedMessageException;
import dev.iolite.ipc.Message;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A call in the protocol. Its message has {@code call}, its name, {@code numbers}, and perhaps
 * {@code text}.
 *
 * @param text a path or a name, or nothing
 * @param numbers its other arguments
 */
record Request(CallKind kind, String text, List<Long> numbers) {
  private static final String CALL = "call";
  private static final String TEXT = "text";
  private static final String NUMBERS = "numbers";

  static Request of(CallKind kind, long... numbers) {
    return of(kind, "", numbers);
  }

  static Request of(CallKind kind, String text, long... numbers) {
    return new Request(kind, text, Arrays.stream(numbers).boxed().toList());
  }

  /**
   * Reads a message.
   *
   * @throws MalformedMessageException if it is not a request
   */
  static Request of(Message message) throws MalformedMessageException {
    CallKind kind =
        CallKind.of(message.text(CALL))
            .orElseThrow(
                () -> new MalformedMessageException("there is no call " + message.text(CALL)));
    List<Long> numbers = Numbers.parse(message.text(NUMBERS));
    if (numbers.size() != kind.numbers()) {
      throw new MalformedMessageException(kind + " with " + numbers.size() + " numbers");
    }
    return new Request(kind, message.text(TEXT), numbers);
  }

  Message message() {
    String all = Numbers.text(numbers);
    return new Message(
        text.isEmpty()
            ? Map.of(CALL, kind.name(), NUMBERS, all)
            : Map.of(CALL, kind.name(), NUMBERS, all, TEXT, text));
  }

  long number(int index) {
    return numbers.get(index);
  }

  int integer(int index) {
    return (int) number(index);
  }
}
