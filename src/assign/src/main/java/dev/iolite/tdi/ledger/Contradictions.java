package dev.iolite.tdi.ledger;

import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Finds facts about a page that cannot all be true. */
final class Contradictions {
  private final List<LedgerProblem> problems = new ArrayList<>();

  /** The contradictions found, from low to high addresses. */
  List<LedgerProblem> all() {
    return problems.stream().sorted(Comparator.comparingLong(LedgerProblem::gpa)).toList();
  }

  private void add(long first, long last, String what) {
    problems.add(new LedgerProblem(first << Page.SHIFT, (last + 1 - first) << Page.SHIFT, what));
  }

  /** Checks a run of pages. */
  void check(long first, long last, Facts facts) {
    facts
        .slot()
        .flatMap(slot -> wrongSlot(facts.kind(), slot))
        .ifPresent(what -> add(first, last, what));
    facts.map().flatMap(_ -> wrongMap(facts.kind())).ifPresent(what -> add(first, last, what));
    facts.slot().ifPresent(slot -> checkSlotDmaBuf(first, last, slot));
    facts
        .map()
        .flatMap(Facts.Mapped::dmaBuf)
        .ifPresent(dmaBuf -> checkMapDmaBuf(first, last, dmaBuf));
  }

  /** Records a slot or map over pages that already have another. */
  void overlap(long first, long last, Facts facts) {
    add(
        first,
        last,
        facts
            .slot()
            .map(slot -> "slot %d overlaps another".formatted(slot.number()))
            .orElse("a map in the IOAS overlaps another"));
  }

  private static Optional<String> wrongSlot(Optional<Kind> kind, Facts.Slot slot) {
    if (kind.isEmpty()) {
      return Optional.of("slot %d lies outside of all regions".formatted(slot.number()));
    }
    boolean isRight =
        switch (slot.access()) {
          case SHARED -> kind.get() == Kind.SHARED;
          case PRIVATE -> kind.get() == Kind.PRIVATE;
          case BOTH -> true;
        };
    return isRight
        ? Optional.empty()
        : Optional.of(
            "slot %d, for %s accesses only, has %s pages"
                .formatted(slot.number(), slot.access(), kind.get()));
  }

  private static Optional<String> wrongMap(Optional<Kind> kind) {
    if (kind.isEmpty()) {
      return Optional.of("a map in the IOAS lies outside of all regions");
    }
    return kind.get() == Kind.PRIVATE
        ? Optional.of("private pages are mapped in the IOAS")
        : Optional.empty();
  }

  private void checkSlotDmaBuf(long first, long last, Facts.Slot slot) {
    if (slot.dmaBuf().isEmpty()) {
      return;
    }
    DmaBuf dmaBuf = slot.dmaBuf().get();
    if (dmaBuf.state() != DmaBuf.State.LIVE) {
      add(
          first,
          last,
          "slot %d is made of dma-buf %s, which is %s"
              .formatted(slot.number(), dmaBuf.name(), dmaBuf.state()));
    }
    boolean wantsPrivate = slot.access() == SlotAccess.PRIVATE;
    if (slot.access() != SlotAccess.BOTH && wantsPrivate != (dmaBuf.kind() == Kind.PRIVATE)) {
      add(
          first,
          last,
          "slot %d, for %s accesses only, is made of dma-buf %s, which is %s"
              .formatted(slot.number(), slot.access(), dmaBuf.name(), dmaBuf.kind()));
    }
  }

  private void checkMapDmaBuf(long first, long last, DmaBuf dmaBuf) {
    if (dmaBuf.state() != DmaBuf.State.LIVE) {
      add(
          first,
          last,
          "the map in the IOAS is of dma-buf %s, which is %s"
              .formatted(dmaBuf.name(), dmaBuf.state()));
    }
    if (dmaBuf.kind() == Kind.PRIVATE) {
      add(
          first,
          last,
          "the map in the IOAS is of dma-buf %s, which is private".formatted(dmaBuf.name()));
    }
  }
}
