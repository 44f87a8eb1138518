package dev.iolite.cli;

import dev.iolite.kernel.ByteSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.ledger.LedgerRow;
import dev.iolite.tdi.ledger.SlotAccess;
import java.util.List;
import java.util.Optional;

/** A table of what is mapped where: for the guest in the EPT and S-EPT, for DMA in the IOAS. */
public final class StandingTable {
  /** The names of its columns. */
  public static final List<String> HEADER =
      List.of("REGION", "GPA", "SIZE", "KIND", "SLOT", "EPT", "S-EPT", "IOAS", "DMA-BUF");

  private static final String NO = "-";

  private StandingTable() {}

  public static void print(Output output, List<LedgerRow> rows) {
    output.line("");
    output.table(HEADER, rows.stream().map(StandingTable::cells).toList());
  }

  /** The cells of a row. */
  public static List<String> cells(LedgerRow row) {
    return List.of(
        row.region().orElse(NO),
        "0x" + Long.toHexString(row.gpa()),
        ByteSize.text(row.bytes()),
        row.kind().map(Object::toString).orElse(NO),
        row.slot().isPresent() ? Integer.toString(row.slot().getAsInt()) : NO,
        serves(row, SlotAccess.SHARED, Kind.SHARED),
        serves(row, SlotAccess.PRIVATE, Kind.PRIVATE),
        row.isMapped() ? "mapped" : NO,
        row.slotDmaBuf().or(row::mapDmaBuf).orElse(NO));
  }

  /**
   * For a slot that serves both kinds of access, the kind of a page decides which one reaches it.
   */
  private static String serves(LedgerRow row, SlotAccess access, Kind kind) {
    boolean serves =
        row.access()
            .filter(
                a -> a == access || (a == SlotAccess.BOTH && row.kind().equals(Optional.of(kind))))
            .isPresent();
    return serves ? "mapped" : NO;
  }
}
