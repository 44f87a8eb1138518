package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.rehearsal.MockGuest;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.host.GuestRam;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Profile;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** A guest's memory: the IOAS has the shared pages and no other, whatever becomes of a call. */
class GuestRamTest {
  private static final long PAGE = 4096;
  private static final int PAGES = 12;

  /** A wish of the guest. */
  record Wish(int page, int pages, Kind kind) {
    long gpa() {
      return page * PAGE;
    }

    long bytes() {
      return pages * PAGE;
    }
  }

  @Provide
  Arbitrary<List<Wish>> wishes() {
    return Combinators.combine(
            Arbitraries.integers().between(0, PAGES - 1),
            Arbitraries.integers().between(1, PAGES),
            Arbitraries.of(Kind.class))
        .as((page, pages, kind) -> new Wish(page, Math.min(pages, PAGES - page), kind))
        .list()
        .ofMinSize(1)
        .ofMaxSize(12);
  }

  /** The device's view of each page, by DMA, is that of a page-wise model. */
  private static void assertIs(Life life, TdiAssignment assignment, BitSet shared, Object when) {
    for (int page = 0; page < PAGES; page++) {
      assertThat(life.deviceReads(page * PAGE))
          .as("DMA to page %d after %s", page, when)
          .isEqualTo(shared.get(page));
      assertThat(assignment.assigned().ram().isShared(page * PAGE, PAGE))
          .isEqualTo(shared.get(page));
    }
    assertThat(assignment.ledger().problems()).as("after %s", when).isEmpty();
  }

  @Property(tries = 25)
  void theIoasHasExactlyTheSharedPagesAfterEachConversion(@ForAll("wishes") List<Wish> wishes) {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      BitSet shared = new BitSet();
      for (Wish wish : wishes) {
        assertThat(guest.ask(new GuestAsk.Convert(wish.gpa(), wish.bytes(), wish.kind()))).isZero();
        shared.set(wish.page(), wish.page() + wish.pages(), wish.kind() == Kind.SHARED);
        assertIs(life, assignment, shared, wish);
      }
    }
    assertThat(life.holdings().descriptors()).isEmpty();
    life.kernel.close();
  }

  @Property(tries = 25)
  void aConversionThatFailsLeavesAllAsItWas(
      @ForAll("wishes") List<Wish> wishes, @ForAll boolean after, @ForAll("nth") int nth) {
    Life life = new Life(Platform.SEV, Profile.SEED_2025);
    AtomicInteger left = new AtomicInteger(-1);
    Calls chosen = call -> isOfConversion(call) && left.get() >= 0 && left.getAndDecrement() == 0;
    Faults.When when = after ? Faults.When.AFTER : Faults.When.BEFORE;
    Faults faults = Faults.none();
    for (int i = 1; i <= 12; i++) {
      faults = faults.fail(chosen, i, Errno.ENOMEM, when);
    }
    FaultyKernel failing = new FaultyKernel(life.kernel, life.ioctls(), faults);
    TdiAssignment assignment = new TdiAssignment(life.options(failing));
    assignment.assign();
    BitSet shared = new BitSet();
    for (Wish wish : wishes) {
      left.set(nth);
      try {
        assignment.assigned().ram().convert(wish.gpa(), wish.bytes(), wish.kind());
        shared.set(wish.page(), wish.page() + wish.pages(), wish.kind() == Kind.SHARED);
      } catch (KernelException e) {
        assertThat(e.errno()).isEqualTo(Errno.ENOMEM);
      }
      left.set(-1);
      assertIs(life, assignment, shared, wish);
    }
    assignment.close();
    life.kernel.close();
  }

  @Provide
  Arbitrary<Integer> nth() {
    return Arbitraries.integers().between(0, 3);
  }

  /** An unmap that fails after it was made leaves nothing that could be told from one before. */
  private static boolean isOfConversion(Calls.Call call) {
    String name = call.toString();
    return name.contains("KVM_SET_MEMORY_ATTRIBUTES") || name.endsWith("IOMMU_IOAS_MAP");
  }

  @Test
  void aPrivatePageIsReachedAsPrivateAndNeverByTheDevice() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      MockGuest guest = life.guest(assignment);
      assignment.assign();
      guest.write(0x3000, Long.BYTES, 1, Kind.PRIVATE);
      assertThat(guest.ask(new GuestAsk.Convert(0x2000, 3 * PAGE, Kind.SHARED))).isZero();
      assertThat(guest.write(0x3000, Long.BYTES, 2, Kind.SHARED).reached()).isTrue();
      assertThat(life.deviceWrites(0x3000, 3)).isTrue();
      assertThat(guest.read(0x3000, Long.BYTES, Kind.SHARED)).isEqualTo(new GuestAnswer.Reached(3));
      assertThat(guest.ask(new GuestAsk.Convert(0x3000, PAGE, Kind.PRIVATE))).isZero();
      assertThat(life.deviceWrites(0x3000, 4)).isFalse();
      assertThat(life.deviceWrites(0x2000, 4)).as("below the cut").isTrue();
      assertThat(life.deviceWrites(0x4000, 4)).as("above the cut").isTrue();
      assertThat(guest.read(0x3000, Long.BYTES, Kind.SHARED).reached()).isFalse();
    }
    assertThat(life.holdings().descriptors()).isEmpty();
    life.kernel.close();
  }

  @Test
  void sharedPagesAreTakenFromTheIoasWhenAllIsGivenBack() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    TdiAssignment assignment = life.assignment();
    MockGuest guest = life.guest(assignment);
    assignment.assign();
    guest.ask(new GuestAsk.Convert(0, 3 * PAGE, Kind.SHARED));
    guest.ask(new GuestAsk.Convert(PAGE, PAGE, Kind.PRIVATE));
    assignment.close();
    assertThat(assignment.ledger().rows()).isEmpty();
    assertThat(assignment.ledger().problems()).isEmpty();
    life.kernel.close();
  }

  @Test
  void aPageThatMayBePrivateIsNotMappedAgainIfItCantBeMadeShared() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    AtomicInteger armed = new AtomicInteger();
    Calls attributes =
        call -> armed.get() > 0 && call.toString().contains("KVM_SET_MEMORY_ATTRIBUTES");
    Faults faults =
        Faults.none()
            .fail(attributes, 1, Errno.ENOMEM, Faults.When.AFTER)
            .fail(attributes, 2, Errno.ENOMEM, Faults.When.BEFORE);
    TdiAssignment assignment =
        new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), faults)));
    assignment.assign();
    assignment.assigned().ram().convert(0, 3 * PAGE, Kind.SHARED);
    armed.set(1);
    assertThatThrownBy(() -> assignment.assigned().ram().convert(PAGE, PAGE, Kind.PRIVATE))
        .isInstanceOf(KernelException.class);
    armed.set(0);
    assertThat(life.deviceReads(PAGE)).as("it is private for KVM").isFalse();
    assertThat(life.deviceReads(0)).isTrue();
    assertThat(life.deviceReads(2 * PAGE)).isTrue();
    assignment.assigned().ram().convert(PAGE, PAGE, Kind.SHARED);
    assertThat(life.deviceReads(PAGE)).as("healed").isTrue();
    assignment.close();
    life.kernel.close();
  }

  /** Whoever reads the failure learns what could not be restored, too. */
  @Test
  void whatCanNotBeRestoredIsSuppressedInTheFailure() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    AtomicInteger failures = new AtomicInteger();
    TdiAssignment assignment = withShared(life, Faults.When.BEFORE, failures, 3);
    GuestRam ram = assignment.assigned().ram();
    ram.convert(0, 3 * PAGE, Kind.PRIVATE);
    ram.convert(0, 3 * PAGE, Kind.SHARED);
    failures.set(Integer.MAX_VALUE);
    assertThatThrownBy(() -> ram.convert(PAGE, PAGE, Kind.PRIVATE))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.getSuppressed()).isNotEmpty());
    failures.set(0);
    assertThat(life.deviceReads(PAGE)).isFalse();
    assignment.close();
    life.kernel.close();
  }

  @Test
  void anOrdinaryVmHasNothingPrivate() {
    Life life = new Life(Platform.PLAIN, Profile.MAINLINE_7_3);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assertThat(assignment.assigned().ram().canConvert()).isFalse();
    }
    life.kernel.close();
  }

  /** On a kernel whose maps fail as it is told, with the first pages shared. */
  private TdiAssignment withShared(
      Life life, Faults.When when, AtomicInteger failures, long pages) {
    Calls maps =
        call ->
            call.toString().endsWith("IOMMU_IOAS_MAP")
                && failures.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    FaultyKernel failing =
        new FaultyKernel(
            life.kernel, life.ioctls(), Faults.none().failAll(maps, Errno.ENOMEM, when));
    TdiAssignment assignment = new TdiAssignment(life.options(failing));
    assignment.assign();
    for (long page = 0; page < pages; page++) {
      assignment.assigned().ram().convert(page * PAGE, PAGE, Kind.SHARED);
    }
    return assignment;
  }

  @Test
  void aMapThatTheKernelMadeAndReportedAsFailedIsTakenBack() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    AtomicInteger failures = new AtomicInteger();
    TdiAssignment assignment = withShared(life, Faults.When.AFTER, failures, 0);
    GuestRam ram = assignment.assigned().ram();
    ram.convert(0, 3 * PAGE, Kind.SHARED);
    failures.set(1);
    assertThatThrownBy(() -> ram.convert(PAGE, PAGE, Kind.PRIVATE))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.getSuppressed()).isEmpty());
    BitSet shared = new BitSet();
    shared.set(0, 3);
    assertIs(life, assignment, shared, "the failure");
    assignment.close();
    life.kernel.close();
  }

  @Test
  void aConversionLeavesTheNeighboursMapped() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    AtomicInteger failures = new AtomicInteger();
    TdiAssignment assignment = withShared(life, Faults.When.BEFORE, failures, 3);
    failures.set(Integer.MAX_VALUE);
    assignment.assigned().ram().convert(PAGE, PAGE, Kind.PRIVATE);
    failures.set(0);
    BitSet shared = new BitSet();
    shared.set(0);
    shared.set(2);
    assertIs(life, assignment, shared, "a conversion for which nothing had to be mapped again");
    assignment.close();
    life.kernel.close();
  }

  @Test
  void aConversionToSharedThatFailsTakesBackNoMoreThanItMapped() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    AtomicInteger failures = new AtomicInteger();
    TdiAssignment assignment = withShared(life, Faults.When.AFTER, failures, 3);
    GuestRam ram = assignment.assigned().ram();
    ram.convert(PAGE, PAGE, Kind.PRIVATE);
    failures.set(1);
    assertThatThrownBy(() -> ram.convert(0, 3 * PAGE, Kind.SHARED))
        .isInstanceOfSatisfying(
            KernelException.class, e -> assertThat(e.getSuppressed()).isEmpty());
    BitSet shared = new BitSet();
    shared.set(0);
    shared.set(2);
    assertIs(life, assignment, shared, "the failure");
    assignment.close();
    life.kernel.close();
  }

  @Test
  void memoryEndsWithItsLastPage() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      GuestRam ram = assignment.assigned().ram();
      long last = ram.bytes() - PAGE;
      assertThat(ram.has(0, ram.bytes())).isTrue();
      assertThat(ram.has(last, PAGE)).isTrue();
      assertThat(ram.has(last, 2 * PAGE)).isFalse();
      assertThat(ram.has(ram.bytes(), PAGE)).isFalse();
      assertThat(ram.has(0, ram.bytes() + PAGE)).isFalse();
      assertThat(ram.has(PAGE, Long.MAX_VALUE - PAGE + 1)).as("it would wrap").isFalse();
      assertThat(ram.has(-PAGE, 2 * PAGE)).isFalse();
      assertThat(ram.has(0, 0)).isFalse();
      assertThat(ram.has(1, PAGE)).isFalse();
      assertThat(ram.has(0, PAGE + 1)).isFalse();
    }
    life.kernel.close();
  }

  @Test
  void bytesAreSharedIfThePagesOfAllOfThemAre() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      GuestRam ram = assignment.assigned().ram();
      long last = ram.bytes() - PAGE;
      ram.convert(PAGE, PAGE, Kind.SHARED);
      ram.convert(2 * PAGE, PAGE, Kind.SHARED);
      ram.convert(last, PAGE, Kind.SHARED);
      assertThat(ram.isShared(PAGE, 2 * PAGE)).as("two maps").isTrue();
      assertThat(ram.isShared(PAGE, 1)).isTrue();
      assertThat(ram.isShared(3 * PAGE - 1, 1)).isTrue();
      assertThat(ram.isShared(3 * PAGE - 1, 2)).as("one byte beyond").isFalse();
      assertThat(ram.isShared(PAGE - 1, 2)).as("one byte before").isFalse();
      assertThat(ram.isShared(last, PAGE)).as("the last page").isTrue();
      assertThat(ram.isShared(last, PAGE + 1)).isFalse();
      assertThat(ram.isShared(PAGE, 0)).isFalse();
      assertThat(ram.isShared(-1, 1)).isFalse();
      assertThat(ram.isShared(0, Long.MAX_VALUE)).isFalse();
    }
    life.kernel.close();
  }
}
