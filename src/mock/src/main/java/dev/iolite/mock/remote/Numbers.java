package dev.iolite.mock.remote;

import dev.iolite.ipc.MalformedMessageException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Numbers in the text of a message: decimal, separated by single spaces. */
final class Numbers {
  private Numbers() {}

  /** Writes numbers. */
  static String text(List<Long> numbers) {
    return numbers.stream().map(Object::toString).collect(Collectors.joining(" "));
  }

  /**
   * Reads numbers.
   *
   * @throws MalformedMessageException if there is anything else
   */
  static List<Long> parse(String text) throws MalformedMessageException {
    try {
      return text.isEmpty()
          ? List.of()
          : Arrays.stream(text.split(" ", -1)).map(Long::valueOf).toList();
    } catch (NumberFormatException e) {
      throw new MalformedMessageException("a number is missing");
    }
  }
}
