package dev.iolite.cli;

import dev.iolite.trace.TracedCall;
import java.util.Map;
import java.util.TreeMap;

/** How often each call ended how. */
final class CallCounts {
  /** By the call's name, then by its outcome: {@code ok} or an errno. */
  private final Map<String, Map<String, Integer>> byName = new TreeMap<>();

  synchronized void add(TracedCall call) {
    String outcome = call.errno().map(Enum::name).orElse("ok");
    byName.computeIfAbsent(call.name(), _ -> new TreeMap<>()).merge(outcome, 1, Integer::sum);
  }

  /** A line for each call and outcome, such as {@code IOMMU_IOAS_MAP ENOMEM 2}. */
  synchronized String text() {
    StringBuilder text = new StringBuilder();
    byName.forEach((name, outcomes) ->
        outcomes.forEach(
            (outcome, count) -> text.append("%s %s %d\n".formatted(name, outcome, count))));
    return text.toString();
  }
}
