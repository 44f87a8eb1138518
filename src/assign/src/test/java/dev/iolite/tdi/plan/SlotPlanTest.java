package dev.iolite.tdi.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.iolite.iommufd.IovaRange;
import dev.iolite.iommufd.IovaRanges;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.vfio.ByteRange;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Plans for the layouts that matter. */
class SlotPlanTest {
  private static final long K = 1024;
  private static final long GPA = 0x10_0000_0000L;
  private static final int SLOTS = 100;

  private static final Abilities SEED =
      new Abilities(SharedSlots.BY_DMABUF, PrivateMmio.SLOTS_OF_ONE_DMABUF, true, SLOTS);
  private static final Abilities MAINLINE =
      new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.NOT_AT_ALL, false, SLOTS);
  private static final Abilities INTEL =
      new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.SLOT_OF_WHOLE_DMABUF, false, SLOTS);
  private static final Abilities CCA =
      new Abilities(SharedSlots.BY_ADDRESS, PrivateMmio.BY_TSM, false, SLOTS);

  /** A BAR of 8 KiB private, 4 KiB shared, the rest private. */
  private static final MmioLayout EXAMPLE =
      MmioLayout.ofPrivate(
          List.of(new BarSize(0, 64 * K)),
          Map.of(0, List.of(new ByteRange(0, 8 * K), new ByteRange(12 * K, 52 * K))),
          Page.BYTES);

  private static final MmioLayout TWO_SHARED =
      MmioLayout.ofPrivate(
          List.of(new BarSize(0, 16 * K)),
          Map.of(0, List.of(new ByteRange(4 * K, 4 * K))),
          Page.BYTES);

  private static PreconditionException refused(MmioLayout layout, Map<Integer, Long> gpas) {
    return catchThrowableOfType(PreconditionException.class, () -> SlotPlan.of(layout, gpas, SEED));
  }

  @Test
  void theSeedsExampleIsTwoDmaBufsAndThreeSlots() {
    SlotPlan plan = SlotPlan.of(EXAMPLE, Map.of(0, GPA), SEED);
    assertThat(plan.dmaBufs())
        .containsExactly(
            new PlannedDmaBuf(0, Kind.SHARED, List.of(new ByteRange(8 * K, 4 * K))),
            new PlannedDmaBuf(
                0, Kind.PRIVATE, List.of(new ByteRange(0, 8 * K), new ByteRange(12 * K, 52 * K))));
    assertThat(plan.slots())
        .containsExactly(
            new PlannedSlot(GPA, 8 * K, Kind.PRIVATE, 0, 0, OptionalInt.of(1), 0),
            new PlannedSlot(GPA + 8 * K, 4 * K, Kind.SHARED, 0, 8 * K, OptionalInt.of(0), 0),
            new PlannedSlot(
                GPA + 12 * K, 52 * K, Kind.PRIVATE, 0, 12 * K, OptionalInt.of(1), 8 * K));
    assertThat(plan.maps()).containsExactly(new PlannedMap(GPA + 8 * K, 4 * K, 0, 0));
    assertThat(plan.remarks()).isEmpty();
    assertThat(plan.dmaBufs().get(1).bytes()).isEqualTo(60 * K);
  }

  @Test
  void mainlineSharesByAddressAndSaysThatItHasNoPrivateMmio() {
    SlotPlan plan = SlotPlan.of(EXAMPLE, Map.of(0, GPA), MAINLINE);
    assertThat(plan.dmaBufs()).hasSize(1);
    assertThat(plan.slots())
        .containsExactly(
            new PlannedSlot(GPA + 8 * K, 4 * K, Kind.SHARED, 0, 8 * K, OptionalInt.empty(), 0));
    assertThat(plan.maps()).containsExactly(new PlannedMap(GPA + 8 * K, 4 * K, 0, 0));
    assertThat(plan.remarks()).singleElement().asString().contains("no interface for private MMIO");
  }

  @Test
  void dmaBufsOfASingleRangeAreOneForEachSharedRunAndThePlanSaysWhy() {
    SlotPlan plan = SlotPlan.of(TWO_SHARED, Map.of(0, GPA), CCA);
    assertThat(plan.dmaBufs())
        .containsExactly(
            new PlannedDmaBuf(0, Kind.SHARED, List.of(new ByteRange(0, 4 * K))),
            new PlannedDmaBuf(0, Kind.SHARED, List.of(new ByteRange(8 * K, 8 * K))));
    assertThat(plan.maps())
        .containsExactly(
            new PlannedMap(GPA, 4 * K, 0, 0), new PlannedMap(GPA + 8 * K, 8 * K, 1, 0));
    assertThat(plan.remarks()).hasSize(2);
    assertThat(plan.remarks().get(0))
        .contains("BAR 0 has 2 shared dma-bufs")
        .contains("IOMMU_IOAS_MAP_FILE takes a dma-buf of a single range only");
    assertThat(plan.remarks().get(1)).contains("the TSM maps them");
  }

  @Test
  void whereASlotTakesAWholeDmaBufEachPrivateRunHasItsOwn() {
    SlotPlan plan = SlotPlan.of(EXAMPLE, Map.of(0, GPA), INTEL);
    assertThat(plan.dmaBufs())
        .containsExactly(
            new PlannedDmaBuf(0, Kind.SHARED, List.of(new ByteRange(8 * K, 4 * K))),
            new PlannedDmaBuf(0, Kind.PRIVATE, List.of(new ByteRange(0, 8 * K))),
            new PlannedDmaBuf(0, Kind.PRIVATE, List.of(new ByteRange(12 * K, 52 * K))));
    assertThat(plan.slots().stream().map(PlannedSlot::dmaBuf))
        .containsExactly(OptionalInt.of(1), OptionalInt.empty(), OptionalInt.of(2));
    assertThat(plan.slots().stream().map(PlannedSlot::dmaBufOffset)).containsOnly(0L);
    assertThat(plan.remarks()).singleElement().asString().contains("takes a whole dma-buf");
  }

  @Test
  void aLayoutThatIsAllSharedIsOneOfEachForABarAndNoRemark() {
    MmioLayout layout =
        MmioLayout.allShared(List.of(new BarSize(0, 64 * K), new BarSize(2, 1 << 30)), Page.BYTES);
    for (Abilities abilities : List.of(SEED, MAINLINE, INTEL, CCA)) {
      SlotPlan plan = SlotPlan.of(layout, Map.of(0, 0xc000_0000L, 2, GPA), abilities);
      assertThat(plan.dmaBufs()).hasSize(2);
      assertThat(plan.slots()).hasSize(2);
      assertThat(plan.maps()).hasSize(2);
      assertThat(plan.remarks()).isEmpty();
    }
  }

  @Test
  void aBarWithoutAnAddressIsLeftOut() {
    MmioLayout layout =
        MmioLayout.allShared(List.of(new BarSize(0, 64 * K), new BarSize(2, 64 * K)), Page.BYTES);
    SlotPlan plan = SlotPlan.of(layout, Map.of(2, GPA), SEED);
    assertThat(plan.slots()).singleElement().satisfies(s -> assertThat(s.bar()).isEqualTo(2));
    assertThat(plan.remarks()).isEmpty();
  }

  @Test
  void aBarThatIsNoWholePageGetsNoSlot() {
    MmioLayout layout = MmioLayout.allShared(List.of(new BarSize(3, 256)), Page.BYTES);
    SlotPlan plan = SlotPlan.of(layout, Map.of(3, GPA), SEED);
    assertThat(plan.slots()).isEmpty();
    assertThat(plan.dmaBufs()).isEmpty();
    assertThat(plan.remarks()).singleElement().asString().contains("BAR 3 has 256 bytes");
    MmioLayout smallest = MmioLayout.allShared(List.of(new BarSize(3, 1)), Page.BYTES);
    assertThat(SlotPlan.of(smallest, Map.of(3, GPA), SEED).slots()).isEmpty();
  }

  @Test
  void anAddressThatForbidsHugePagesIsRemarked() {
    MmioLayout layout = MmioLayout.allShared(List.of(new BarSize(2, 4L << 30)), Page.BYTES);
    assertThat(SlotPlan.of(layout, Map.of(2, 4L << 30), SEED).remarks()).isEmpty();
    assertThat(SlotPlan.of(layout, Map.of(2, 1L << 30), SEED).remarks()).isEmpty();
    assertThat(SlotPlan.of(layout, Map.of(2, 2L << 20), SEED).remarks())
        .singleElement()
        .asString()
        .contains("BAR 2 (4 GiB)", "0x200000", "no multiple of 1 GiB", "more than 2 MiB");
  }

  @Test
  void tooFewSlotsAreRefusedWithBothNumbers() {
    Abilities two = new Abilities(SEED.sharedSlots(), SEED.privateMmio(), true, 2);
    assertThatExceptionOfType(PreconditionException.class)
        .isThrownBy(() -> SlotPlan.of(EXAMPLE, Map.of(0, GPA), two))
        .withMessageContaining("3 slots are needed, and the VM has 2 left")
        .withMessageContaining("Next: ");
  }

  @Test
  void anAddressThatIsNoPageIsRefused() {
    assertThat(refused(EXAMPLE, Map.of(0, GPA + 1)))
        .hasMessageContainingAll("BAR 0 (64 KiB)", "0x1000000001", "no multiple of the page size");
  }

  @Test
  void anAddressPageIsThatOfTheLayout() {
    MmioLayout large = MmioLayout.allShared(List.of(new BarSize(0, 64 * K)), 64 * K);
    assertThat(refused(large, Map.of(0, GPA + 4096))).hasMessageContaining("0x10000");
  }

  @Test
  void aBarBeyondTheAddressSpaceIsRefused() {
    assertThat(refused(EXAMPLE, Map.of(0, -4096L))).hasMessageContaining("beyond the 64 bits");
    assertThat(refused(EXAMPLE, Map.of(0, -64 * K))).isNull();
  }

  @Test
  void barsThatOverlapAreRefused() {
    MmioLayout layout =
        MmioLayout.allShared(List.of(new BarSize(0, 64 * K), new BarSize(2, 16 * K)), Page.BYTES);
    for (long second : new long[] {GPA, GPA + 60 * K, GPA + 4 * K, GPA - 12 * K}) {
      assertThat(refused(layout, Map.of(0, GPA, 2, second)))
          .hasMessageContainingAll("BAR 0", "BAR 2", "overlap");
    }
    assertThat(refused(layout, Map.of(0, GPA, 2, GPA + 64 * K))).isNull();
    assertThat(refused(layout, Map.of(0, GPA, 2, GPA - 16 * K))).isNull();
  }

  @Test
  void anAddressForABarThatIsNoneIsTheCallersFault() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SlotPlan.of(EXAMPLE, Map.of(1, GPA), SEED))
        .withMessageContaining("BAR 1");
  }

  @Test
  void mapsLieInTheIovasThatAreAllowed() {
    IovaRanges allowed =
        new IovaRanges(
            List.of(new IovaRange(0, 0xfedf_ffffL), new IovaRange(0xfef0_0000L, GPA - 1)), 4096);
    MmioLayout layout = MmioLayout.allShared(List.of(new BarSize(0, 1 << 20)), Page.BYTES);
    SlotPlan.of(layout, Map.of(0, 0xfed0_0000L), SEED, allowed);
    for (long gpa : new long[] {0xfee0_0000L, 0xfee8_0000L, GPA}) {
      assertThatExceptionOfType(PreconditionException.class)
          .isThrownBy(() -> SlotPlan.of(layout, Map.of(0, gpa), SEED, allowed))
          .withMessageContaining("BAR 0 at IOVA 0x%x-0x%x".formatted(gpa, gpa + 0xf_ffff))
          .withMessageContaining("0x0-0xfedfffff, 0xfef00000-0xfffffffff");
    }
  }

  @Test
  void privateMmioIsNotMappedAndMayStandAnywhere() {
    MmioLayout layout =
        MmioLayout.ofPrivate(
            List.of(new BarSize(0, 64 * K)),
            Map.of(0, List.of(new ByteRange(0, 64 * K))),
            Page.BYTES);
    IovaRanges none = new IovaRanges(List.of(), 4096);
    assertThat(SlotPlan.of(layout, Map.of(0, GPA), SEED, none).maps()).isEmpty();
  }

  @Test
  void aVmWithJustAsManySlotsAsAreNeededIsEnough() {
    Abilities three =
        new Abilities(SharedSlots.BY_DMABUF, PrivateMmio.SLOTS_OF_ONE_DMABUF, true, 3);
    assertThat(SlotPlan.of(EXAMPLE, Map.of(0, GPA), three).slots()).hasSize(3);
  }

  @Test
  void aBarMayEndAtTheLastAddress() {
    MmioLayout page = MmioLayout.allShared(List.of(new BarSize(0, 4 * K)), Page.BYTES);
    assertThat(SlotPlan.of(page, Map.of(0, -4 * K), SEED).slots()).hasSize(1);
    MmioLayout twoPages = MmioLayout.allShared(List.of(new BarSize(0, 8 * K)), Page.BYTES);
    assertThat(refused(twoPages, Map.of(0, -4 * K))).hasMessageContaining("beyond the 64 bits");
  }

  @Test
  void theSmallestBarThatCouldHaveAHugePageIsRemarkedOn() {
    MmioLayout layout = MmioLayout.allShared(List.of(new BarSize(0, 2 << 20)), Page.BYTES);
    assertThat(SlotPlan.of(layout, Map.of(0, 1L << 20), SEED).remarks())
        .singleElement()
        .asString()
        .contains("no multiple of 2 MiB");
    MmioLayout smaller = MmioLayout.allShared(List.of(new BarSize(0, 1 << 20)), Page.BYTES);
    assertThat(SlotPlan.of(smaller, Map.of(0, 4 * K), SEED).remarks()).isEmpty();
  }

  @Test
  void oneRunOfAKindHasItsDmaBufWithoutARemark() {
    assertThat(SlotPlan.of(TWO_SHARED, Map.of(0, GPA), INTEL).remarks())
        .singleElement()
        .asString()
        .contains("2 shared dma-bufs");
  }
}
