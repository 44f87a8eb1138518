package dev.iolite.tdi.ledger;

import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Finds facts about a page that can't all be true. */
final class Contradictions {
  private final DmaBufNames dmaBufs;
  private final List<LedgerProblem> problems = new ArrayList<>();

  Contradictions(DmaBufNames dmaBufs) {
    this.dmaBufs = dmaBufs;
  }

  /** Those found, from low to high addresses. */
  List<LedgerProblem> all() {
    return problems.stream().sorted(Comparator.comparingLong(LedgerProblem::gpa)).toList();
  }

  private void add(long first, long last, String what) {
    problems.add(new LedgerProblem(first << Page.SHIFT, (last + 1 - first) << Page.SHIFT, what));
  }

  /** Looks at a run of pages. */
  void check(long first, long last, long facts) {
    if (facts == Facts.NONE) {
      return;
    }
    Optional<Kind> kind = Facts.kind(facts);
    Facts.access(facts)
        .flatMap(access -> wrongSlot(kind, access, facts))
        .ifPresent(what -> add(first, last, what));
    if (Facts.isMapped(facts)) {
      wrongMap(kind).ifPresent(what -> add(first, last, what));
    }
    Facts.access(facts).ifPresent(access -> checkSlotDmaBuf(first, last, access, facts));
    if (Facts.isMapped(facts)) {
      checkMapDmaBuf(first, last, facts);
    }
  }

  /** A slot or map over pages that have another. */
  void overlap(boolean isSlot, long first, long last, long facts) {
    add(
        first,
        last,
        isSlot
            ? "slot %d overlaps another".formatted(Facts.slot(facts))
            : "a map in the IOAS overlaps another");
  }

  private static Optional<String> wrongSlot(Optional<Kind> kind, SlotAccess access, long facts) {
    if (kind.isEmpty()) {
      return Optional.of("slot %d lies outside of all regions".formatted(Facts.slot(facts)));
    }
    boolean isRight =
        switch (access) {
          case SHARED -> kind.get() == Kind.SHARED;
          case PRIVATE -> kind.get() == Kind.PRIVATE;
          case BOTH -> true;
        };
    return isRight
        ? Optional.empty()
        : Optional.of(
            "slot %d, for %s accesses only, has %s pages"
                .formatted(Facts.slot(facts), access, kind.get()));
  }

  private static Optional<String> wrongMap(Optional<Kind> kind) {
    if (kind.isEmpty()) {
      return Optional.of("a map in the IOAS lies outside of all regions");
    }
    return kind.get() == Kind.PRIVATE
        ? Optional.of("private pages are mapped in the IOAS")
        : Optional.empty();
  }

  private void checkSlotDmaBuf(long first, long last, SlotAccess access, long facts) {
    dmaBufs
        .of(Facts.slotDmaBuf(facts))
        .ifPresent(dmaBuf -> {
          if (dmaBuf.state() != DmaBufNames.State.LIVE) {
            add(
                first,
                last,
                "slot %d is made of dma-buf %s, which is %s"
                    .formatted(Facts.slot(facts), dmaBuf.name(), dmaBuf.state()));
          }
          boolean wantsPrivate = access == SlotAccess.PRIVATE;
          if (access != SlotAccess.BOTH && wantsPrivate != (dmaBuf.kind() == Kind.PRIVATE)) {
            add(
                first,
                last,
                "slot %d, for %s accesses only, is made of dma-buf %s, which is %s"
                    .formatted(Facts.slot(facts), access, dmaBuf.name(), dmaBuf.kind()));
          }
        });
  }

  private void checkMapDmaBuf(long first, long last, long facts) {
    dmaBufs
        .of(Facts.mapDmaBuf(facts))
        .ifPresent(dmaBuf -> {
          if (dmaBuf.state() != DmaBufNames.State.LIVE) {
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
        });
  }
}
