package dev.iolite.differential;

import java.util.List;
import java.util.Optional;

/**
 * What a boot of the lab came to.
 *
 * @param answers what each call of each program answered, as far as the machine got
 * @param failure why the machine ended before the last program did; empty if it did not
 */
record LabRun(List<List<String>> answers, Optional<String> failure) {
  /** Copies the list. */
  LabRun {
    answers = List.copyOf(answers);
  }
}
