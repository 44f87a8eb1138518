package dev.iolite.cli;

import dev.iolite.tdi.Event;
import dev.iolite.tdi.State;
import dev.iolite.tdi.Transition;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code iolite tdi states}: the table of an assignment's states. */
@Command(
    name = "states",
    description = {
      "Shows the states of an assignment: where each event leads from each of them, by which moves,"
          + " and what a failure leads to. No device is needed.",
      "The table is the one that assignments are carried out by."
    })
final class TdiStatesCommand extends IoliteCommand implements Callable<Integer> {
  private static final String REFUSED = "-";
  private static final String SAME = "same";

  @Option(
      names = "--dot",
      paramLabel = "FILE",
      description = "write the graph into this file for Graphviz, too")
  private Optional<Path> dot = Optional.empty();

  @Option(names = "--svg", paramLabel = "FILE", description = "draw it into this file, too")
  private Optional<Path> svg = Optional.empty();

  @Override
  public Integer call() {
    dot.ifPresent(file -> TdiFiles.write(file, StatesGraph.dot()));
    svg.ifPresent(file -> TdiFiles.write(file, StatesGraph.svg()));
    Output output = output();
    if (output.isJson()) {
      output.json(Transition.table());
      return ExitCode.OK;
    }
    output.table(
        Stream.concat(Stream.of("EVENT"), Arrays.stream(State.values()).map(State::toString))
            .toList(),
        Arrays.stream(Event.values()).map(TdiStatesCommand::leads).toList());
    output.line("");
    output.table(
        List.of("FROM", "EVENT", "MOVES", "TO", "IF ONE FAILS"),
        Transition.table().stream().flatMap(row -> parts(row).stream()).toList());
    output.notes(
        List.of(
            "After reset, hot reset, sleep, wake and write config comes revoked, if the kernel has"
                + " revoked the device's mappings or the BARs are elsewhere."));
    return ExitCode.OK;
  }

  /** The states to which an event leads from each state. */
  private static List<String> leads(Event event) {
    List<String> cells = new ArrayList<>();
    cells.add(event.toString());
    for (State state : State.values()) {
      cells.add(
          Transition.of(state, event)
              .map(row -> row.next().map(State::toString).orElse(SAME))
              .orElse(REFUSED));
    }
    return cells;
  }

  private static List<List<String>> parts(Transition row) {
    return row.parts().stream()
        .map(part ->
            List.of(
                row.from().size() > State.values().length / 2 + 1
                    ? "all but " + words(EnumSet.complementOf(EnumSet.copyOf(row.from())))
                    : words(row.from()),
                words(row.on()),
                part.moves().isEmpty() ? "none" : words(part.moves()),
                part.to().map(State::toString).orElse(SAME),
                part.failure().toString()))
        .toList();
  }

  private static String words(Collection<?> values) {
    return values.stream().map(Object::toString).collect(Collectors.joining(", "));
  }
}
