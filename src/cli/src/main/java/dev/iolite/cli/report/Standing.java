package dev.iolite.cli.report;

import dev.iolite.tdi.State;
import dev.iolite.tdi.ledger.LedgerRow;
import java.util.List;

/**
 * What was mapped where when an assignment entered a state.
 *
 * @param state the state
 * @param rows the ledger's rows
 */
record Standing(State state, List<LedgerRow> rows) {
  Standing {
    rows = List.copyOf(rows);
  }
}
