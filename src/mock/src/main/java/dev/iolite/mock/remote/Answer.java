package dev.iolite.mock.remote;

import java.util.List;

/**
 * The outcome of a call.
 *
 * @param result what it returned
 * @param extra what {@link CallKind} says
 */
record Answer(long result, List<Long> extra) {
  static Answer of(long result) {
    return new Answer(result, List.of());
  }

  static Answer of(long result, long extra) {
    return new Answer(result, List.of(extra));
  }
}
