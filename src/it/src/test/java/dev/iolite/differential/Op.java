package dev.iolite.differential;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One call of a program.
 *
 * @param kind which
 * @param args numbers, and references: the n-th of the objects of a kind that there are, -1 for one
 *     that there is not, or -2 for the newest
 */
record Op(Kind kind, List<Long> args) {
  static Op of(Kind kind, long... args) {
    return new Op(kind, Arrays.stream(args).boxed().toList());
  }

  long arg(int index) {
    return args.get(index);
  }

  /** As a line of JSON: an array of the name and the numbers. */
  @Override
  public String toString() {
    return args.stream()
        .map(String::valueOf)
        .collect(Collectors.joining(",", "[\"" + kind + "\"" + (args.isEmpty() ? "" : ","), "]"));
  }

  /** Reads what {@link #toString} wrote. */
  static Op parse(String line) {
    String[] words = line.strip().replaceAll("[\\[\\]\"\\s]", "").split(",", -1);
    List<Long> args = new ArrayList<>();
    for (int i = 1; i < words.length; i++) {
      args.add(Long.parseLong(words[i]));
    }
    return new Op(Kind.valueOf(words[0]), List.copyOf(args));
  }
}
