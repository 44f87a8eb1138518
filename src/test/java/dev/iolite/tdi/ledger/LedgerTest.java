package dev.iolite.tdi.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.iolite.kernel.Page;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.Run;
import dev.iolite.vfio.ByteRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What the ledger says of the life of an assignment, and of what goes wrong in one. */
class LedgerTest {
  private static final long K = 1024;
  private static final long BAR = 0x10_0000_0000L;
  private static final Optional<String> NO_DMA_BUF = Optional.empty();
  private static final Optional<String> SHARED = Optional.of("BAR 0 shared");
  private static final Optional<String> GUARDED = Optional.of("BAR 0 private");

  private final Ledger ledger = new Ledger();

  private static BarLayout bar(long bytes, ByteRange... guarded) {
    return MmioLayout.ofPrivate(
            List.of(new BarSize(0, bytes)), Map.of(0, List.of(guarded)), Page.BYTES)
        .bars()
        .getFirst();
  }

  private static BarLayout example() {
    return bar(64 * K, new ByteRange(0, 8 * K), new ByteRange(12 * K, 52 * K));
  }

  private void split() {
    ledger.addRegion("BAR 0", BAR, example());
    ledger.dmaBufOpened("BAR 0 shared", Kind.SHARED, true);
    ledger.dmaBufOpened("BAR 0 private", Kind.PRIVATE, true);
    ledger.slotAdded(3, BAR, 8 * K, SlotAccess.PRIVATE, GUARDED);
    ledger.slotAdded(4, BAR + 8 * K, 4 * K, SlotAccess.SHARED, SHARED);
    ledger.slotAdded(5, BAR + 12 * K, 52 * K, SlotAccess.PRIVATE, GUARDED);
    ledger.mapped(BAR + 8 * K, 4 * K, SHARED);
  }

  private void assertProblems(String... problems) {
    assertThat(ledger.problems()).map(LedgerProblem::toString).containsExactly(problems);
  }

  @Test
  void aSplitBarIsThreeRowsWithoutAProblem() {
    split();
    assertThat(ledger.rows())
        .containsExactly(
            new LedgerRow(
                Optional.of("BAR 0"),
                BAR,
                8 * K,
                Optional.of(Kind.PRIVATE),
                OptionalInt.of(3),
                Optional.of(SlotAccess.PRIVATE),
                GUARDED,
                false,
                Optional.empty()),
            new LedgerRow(
                Optional.of("BAR 0"),
                BAR + 8 * K,
                4 * K,
                Optional.of(Kind.SHARED),
                OptionalInt.of(4),
                Optional.of(SlotAccess.SHARED),
                SHARED,
                true,
                SHARED),
            new LedgerRow(
                Optional.of("BAR 0"),
                BAR + 12 * K,
                52 * K,
                Optional.of(Kind.PRIVATE),
                OptionalInt.of(5),
                Optional.of(SlotAccess.PRIVATE),
                GUARDED,
                false,
                Optional.empty()));
    assertProblems();
  }

  @Test
  void whatWasDoneAndUndoneLeavesNothing() {
    split();
    ledger.slotDeleted(4, BAR + 8 * K);
    ledger.slotDeleted(3, BAR);
    ledger.slotDeleted(5, BAR + 12 * K);
    ledger.unmapped(BAR, 64 * K);
    ledger.dmaBufClosed("BAR 0 shared");
    ledger.dmaBufClosed("BAR 0 private");
    assertProblems();
    ledger.removeRegion("BAR 0");
    assertThat(ledger.rows()).isEmpty();
    assertThat(ledger.runCount()).isEqualTo(1);
  }

  @Test
  void aPrivatePageInTheIoasIsAProblem() {
    ledger.addRegion("RAM", 0, 64 * K, Kind.SHARED);
    ledger.mapped(0, 64 * K, NO_DMA_BUF);
    ledger.slotAdded(0, 0, 64 * K, SlotAccess.BOTH, NO_DMA_BUF);
    assertProblems();
    ledger.convert(8 * K, 4 * K, Kind.PRIVATE);
    assertProblems("0x2000-0x2fff: private pages are mapped in the IOAS");
    ledger.unmapped(8 * K, 4 * K);
    assertProblems();
    assertThat(ledger.rows()).hasSize(3);
    ledger.convert(8 * K, 4 * K, Kind.SHARED);
    ledger.mapped(8 * K, 4 * K, NO_DMA_BUF);
    assertThat(ledger.rows()).hasSize(1);
  }

  @Test
  void aSlotOfTheOtherKindIsAProblem() {
    ledger.addRegion("BAR 0", BAR, example());
    ledger.slotAdded(1, BAR, 12 * K, SlotAccess.SHARED, NO_DMA_BUF);
    ledger.slotAdded(2, BAR + 12 * K, 52 * K, SlotAccess.PRIVATE, NO_DMA_BUF);
    assertProblems(
        "0x1000000000-0x1000001fff: slot 1, for shared accesses only, has private pages");
    ledger.slotDeleted(1, BAR);
    ledger.slotAdded(1, BAR, 12 * K, SlotAccess.PRIVATE, NO_DMA_BUF);
    assertProblems(
        "0x1000002000-0x1000002fff: slot 1, for private accesses only, has shared pages");
  }

  @Test
  void slotsThatOverlapAreAProblemUntilOneIsDeleted() {
    ledger.addRegion("RAM", 0, 64 * K, Kind.SHARED);
    ledger.slotAdded(0, 0, 32 * K, SlotAccess.SHARED, NO_DMA_BUF);
    ledger.slotAdded(1, 16 * K, 32 * K, SlotAccess.SHARED, NO_DMA_BUF);
    assertProblems("0x4000-0xbfff: slot 1 overlaps another");
    ledger.slotDeleted(0, 0);
    assertProblems();
    assertThat(ledger.rows().get(1).slot()).hasValue(1);
    assertThat(ledger.rows().get(1).gpa()).isEqualTo(16 * K);
    ledger.slotAdded(2, 0, 64 * K, SlotAccess.SHARED, NO_DMA_BUF);
    ledger.slotDeleted(2, 0);
    assertProblems();
  }

  @Test
  void mapsThatOverlapAreAProblem() {
    ledger.addRegion("RAM", 0, 64 * K, Kind.SHARED);
    ledger.mapped(0, 32 * K, NO_DMA_BUF);
    ledger.mapped(16 * K, 32 * K, NO_DMA_BUF);
    assertProblems("0x4000-0xbfff: a map in the IOAS overlaps another");
    ledger.unmapped(0, 64 * K);
    assertProblems();
  }

  @Test
  void whatLiesOutsideOfAllRegionsIsAProblem() {
    ledger.addRegion("RAM", 0, 64 * K, Kind.SHARED);
    ledger.slotAdded(7, 32 * K, 64 * K, SlotAccess.BOTH, NO_DMA_BUF);
    ledger.mapped(60 * K, 8 * K, NO_DMA_BUF);
    assertProblems(
        "0x10000-0x10fff: slot 7 lies outside of all regions",
        "0x10000-0x10fff: a map in the IOAS lies outside of all regions",
        "0x11000-0x17fff: slot 7 lies outside of all regions");
    assertThat(ledger.rows()).hasSize(5).last().satisfies(r -> assertThat(r.region()).isEmpty());
  }

  @Test
  void whatIsMadeOfARevokedDmaBufIsAProblemEvenIfThatComesBack() {
    split();
    ledger.dmaBufRevoked("BAR 0 shared");
    assertProblems(
        "0x1000002000-0x1000002fff: slot 4 is made of dma-buf BAR 0 shared, which is revoked",
        "0x1000002000-0x1000002fff: the map in the IOAS is of dma-buf BAR 0 shared, which is"
            + " revoked");
    ledger.dmaBufOpened("BAR 0 shared", Kind.SHARED, true);
    assertThat(ledger.problems()).hasSize(2);
    ledger.unmapped(BAR + 8 * K, 4 * K);
    ledger.mapped(BAR + 8 * K, 4 * K, SHARED);
    ledger.slotDeleted(4, BAR + 8 * K);
    ledger.slotAdded(4, BAR + 8 * K, 4 * K, SlotAccess.SHARED, SHARED);
    assertProblems();
  }

  @Test
  void whatIsMadeOfAClosedDmaBufIsAProblem() {
    split();
    ledger.dmaBufClosed("BAR 0 private");
    assertThat(ledger.problems())
        .map(LedgerProblem::what)
        .containsExactly(
            "slot 3 is made of dma-buf BAR 0 private, which is closed",
            "slot 5 is made of dma-buf BAR 0 private, which is closed");
  }

  @Test
  void aDmaBufOfTheOtherKindIsAProblem() {
    ledger.addRegion("BAR 0", BAR, example());
    ledger.dmaBufOpened("BAR 0 shared", Kind.SHARED, true);
    ledger.dmaBufOpened("BAR 0 private", Kind.PRIVATE, true);
    ledger.slotAdded(1, BAR, 8 * K, SlotAccess.PRIVATE, SHARED);
    ledger.slotAdded(2, BAR + 8 * K, 4 * K, SlotAccess.SHARED, GUARDED);
    ledger.mapped(BAR + 8 * K, 4 * K, GUARDED);
    assertThat(ledger.problems())
        .map(LedgerProblem::what)
        .containsExactly(
            "slot 1, for private accesses only, is made of dma-buf BAR 0 shared, which is shared",
            "slot 2, for shared accesses only, is made of dma-buf BAR 0 private, which is private",
            "the map in the IOAS is of dma-buf BAR 0 private, which is private");
  }

  @Test
  void whatWasNotToldOrIsNoPageIsRefused() {
    split();
    List<Runnable> wrong =
        List.of(
            () -> ledger.removeRegion("BAR 1"),
            () -> ledger.addRegion("BAR 0", 0, 4 * K, Kind.SHARED),
            () -> ledger.addRegion("BAR 1", BAR + 60 * K, 8 * K, Kind.SHARED),
            () -> ledger.addRegion("RAM", 1, 4 * K, Kind.SHARED),
            () -> ledger.addRegion("RAM", 0, 0, Kind.SHARED),
            () -> ledger.addRegion("RAM", 1L << 52, 4 * K, Kind.SHARED),
            () -> ledger.addRegion("RAM", -4 * K, 8 * K, Kind.SHARED),
            () -> ledger.convert(BAR - 4 * K, 8 * K, Kind.SHARED),
            () -> ledger.dmaBufOpened("BAR 0 shared", Kind.SHARED, true),
            () -> ledger.dmaBufClosed("BAR 1 shared"),
            () -> ledger.mapped(0, 4 * K, Optional.of("BAR 1 shared")),
            () -> ledger.slotAdded(1 << 16, 0, 4 * K, SlotAccess.BOTH, NO_DMA_BUF),
            () -> ledger.slotDeleted(3, BAR + 4 * K),
            () -> ledger.slotDeleted(9, BAR));
    for (Runnable call : wrong) {
      assertThatIllegalArgumentException().isThrownBy(call::run);
    }
    assertProblems();
    assertThat(ledger.rows()).hasSize(3);
  }

  @Test
  void theTopOfTheAddressSpaceIsUsable() {
    ledger.addRegion("BAR 0", (1L << 52) - 64 * K, example());
    assertThat(ledger.rows()).hasSize(3);
  }

  @Test
  void eachSlotAndMapBelongsToTheRunOfItsPages() {
    int count = 20_000;
    List<ByteRange> guarded = new ArrayList<>();
    for (long i = 0; i < count / 2; i++) {
      guarded.add(new ByteRange(i * 8 * K, 4 * K));
    }
    BarLayout layout = bar(1L << 30, guarded.toArray(ByteRange[]::new));
    ledger.addRegion("BAR 0", BAR, layout);
    ledger.dmaBufOpened("BAR 0 shared", Kind.SHARED, true);
    ledger.dmaBufOpened("BAR 0 private", Kind.PRIVATE, true);
    int number = 0;
    for (Run run : layout.runs()) {
      boolean isShared = run.kind() == Kind.SHARED;
      SlotAccess access = isShared ? SlotAccess.SHARED : SlotAccess.PRIVATE;
      Optional<String> dmaBuf = isShared ? SHARED : GUARDED;
      ledger.slotAdded(number++, BAR + run.offset(), run.bytes(), access, dmaBuf);
      if (isShared) {
        ledger.mapped(BAR + run.offset(), run.bytes(), dmaBuf);
      }
    }
    assertProblems();
    assertThat(ledger.rows()).hasSize(layout.runCount());
    assertThat(ledger.runCount()).isBetween(count, count + 2);
  }

  @Test
  void dmaBufsThatAreGoneMakeRoomForOthers() {
    ledger.addRegion("BAR 0", BAR, bar(64 * K));
    for (int i = 0; i < 70_000; i++) {
      ledger.dmaBufOpened("BAR 0 shared", Kind.SHARED, true);
      ledger.mapped(BAR, 64 * K, SHARED);
      ledger.unmapped(BAR, 64 * K);
      ledger.dmaBufClosed("BAR 0 shared");
    }
    assertProblems();
  }
}
