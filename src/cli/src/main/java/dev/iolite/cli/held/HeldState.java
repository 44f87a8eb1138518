package dev.iolite.cli.held;

import dev.iolite.cli.Output;
import dev.iolite.cli.StandingTable;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.ledger.LedgerProblem;
import dev.iolite.tdi.ledger.LedgerRow;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The state of a held assignment, with everything that is mapped. */
final class HeldState {
  private HeldState() {}

  /** Shows the state; returns whether all of it is consistent. */
  static boolean show(HeldReply reply, TdiAssignment assignment) {
    List<LedgerRow> rows = assignment.ledger().rows();
    List<LedgerProblem> problems = assignment.ledger().problems();
    Optional<MmioLayout> layout = assignment.layout();
    Map<String, String> dmaBufs = dmaBufs(rows);
    String profile =
        assignment.usedProfile().map(used -> used.name().toString()).orElse("not assigned");
    Output output = reply.output();
    if (output.isJson()) {
      reply.say("profile", profile);
      reply.say("process", ProcessHandle.current().pid());
      reply.say("dmaBufs", dmaBufs);
      reply.say("ledger", rows);
      reply.say("problems", problems);
      reply.say("layout", layout);
      return problems.isEmpty();
    }
    output.properties(
        "device",
        assignment.address().toString(),
        "state",
        assignment.state().toString(),
        "profile",
        profile,
        "process",
        Long.toString(ProcessHandle.current().pid()),
        "dma-bufs",
        dmaBufs.isEmpty() ? "none open" : dmaBufs.size() + " open",
        "books",
        problems.isEmpty()
            ? "pages, slots, maps and dma-bufs agree"
            : problems.size() + " contradictions, see below");
    StandingTable.print(output, rows);
    problems.forEach(problem -> output.wrapped(0, "WRONG  " + problem));
    layout.ifPresent(known -> {
      output.line("");
      output.picture(known);
    });
    return problems.isEmpty();
  }

  /** The dma-bufs of slots and maps, by name, with the BARs of each. */
  private static Map<String, String> dmaBufs(List<LedgerRow> rows) {
    Map<String, String> found = new TreeMap<>();
    for (LedgerRow row : rows) {
      String of =
          Stream.of(row.region(), row.kind().map(Object::toString))
              .flatMap(Optional::stream)
              .collect(Collectors.joining(" "));
      row.slotDmaBuf().ifPresent(name -> found.put(name, of));
      row.mapDmaBuf().ifPresent(name -> found.putIfAbsent(name, of));
    }
    return found;
  }
}
