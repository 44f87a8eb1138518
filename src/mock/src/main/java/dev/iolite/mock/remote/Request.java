package dev.iolite.mock.remote;

import java.util.Arrays;
import java.util.List;

/**
 * A call in the protocol.
 *
 * @param text a path or a name, or nothing
 * @param numbers its other arguments
 */
record Request(CallKind kind, String text, List<Long> numbers) {
  static Request of(CallKind kind, long... numbers) {
    return of(kind, "", numbers);
  }

  static Request of(CallKind kind, String text, long... numbers) {
    return new Request(kind, text, Arrays.stream(numbers).boxed().toList());
  }

  long number(int index) {
    return numbers.get(index);
  }

  int integer(int index) {
    return (int) number(index);
  }
}
