package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.tsm.TsmErrors;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.ledger.LedgerRow;
import dev.iolite.tsm.Profile;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What takes the BARs back fails, again and again: what is left stays known, and is tried again at
 * each transition until nothing is.
 */
class LeftoverTest {
  private static final int FOR_EVER = Integer.MAX_VALUE;
  private static final long RAM_END = 4L << 20;

  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicInteger slots = new AtomicInteger();

  private static Stream<Arguments> undos() {
    return Stream.of(Platform.TDX, Platform.SEV)
        .flatMap(platform ->
            Stream.of(
                    "KVM_SET_USER_MEMORY_REGION",
                    "KVM_SET_USER_MEMORY_REGION2",
                    "IOMMU_IOAS_UNMAP",
                    "KVM_SET_MEMORY_ATTRIBUTES",
                    "munmap")
                .flatMap(call ->
                    Stream.of(Profile.SEED_2025, Profile.CCA_V7)
                        .map(profile -> Arguments.of(platform, profile, call))));
  }

  /** Makes so many of these calls fail, from when {@link #failures} is set. */
  private TdiAssignment failing(Life life, String name) {
    Calls chosen =
        call -> call.toString().equals(name) && failures.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    // A munmap that fails has not unmapped.
    Faults faults =
        name.equals("munmap")
            ? Faults.none().failAll(chosen, Errno.ENOMEM, Faults.When.BEFORE)
            : Faults.none().random(1, chosen, 1, List.of(Errno.EIO, Errno.ENOMEM, Errno.EBUSY));
    return new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), faults)));
  }

  private static void assertShared(Life life, TdiAssignment assignment) {
    assertThat(assignment.state()).isEqualTo(State.SHARED);
    assertThat(assignment.ledger().problems()).isEmpty();
    long bar = Life.bar(assignment, 0);
    assertThat(life.guest(assignment).read(bar, Long.BYTES, Kind.SHARED).reached()).isTrue();
    assertThat(life.deviceReads(bar)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("undos")
  void whateverFailsHoweverOftenTheBindEndsSharedOrWithNothingHeld(
      Platform platform, Profile profile, String call) {
    for (int times : new int[] {1, 2, 3, 5, 9, 30, FOR_EVER}) {
      Life life = new Life(platform, profile);
      Holdings before = life.holdings();
      TdiAssignment assignment = failing(life, call);
      assignment.assign();
      failures.set(times);
      Throwable thrown = catchThrowable(assignment::bind);
      String point = "%d times %s: %s".formatted(times, call, thrown);
      switch (assignment.state()) {
        case SPLIT -> assertThat(thrown).as(point).isNull();
        case SHARED -> {
          failures.set(0);
          assertShared(life, assignment);
        }
        default -> assertThat(assignment.state()).as(point).isEqualTo(State.UNASSIGNED);
      }
      failures.set(0);
      assignment.close();
      assertThat(life.holdings()).as(point).isEqualTo(before);
      assertThat(assignment.ledger().rows()).as(point).isEmpty();
      life.kernel.close();
    }
  }

  @ParameterizedTest
  @MethodSource("undos")
  void aFailedInterfacesLeftoversAreTakenBackAtTheNextLook(
      Platform platform, Profile profile, String call) {
    for (int times : new int[] {1, 4, 20, FOR_EVER}) {
      Life life = new Life(platform, profile);
      Holdings before = life.holdings();
      TdiAssignment assignment = failing(life, call);
      assignment.assign();
      List<LedgerRow> ram =
          assignment.ledger().rows().stream().filter(row -> row.gpa() < RAM_END).toList();
      assignment.bind();
      assignment.start();
      life.kernel.tsm().fail(Life.ENDPOINT.toString());
      failures.set(times);
      Throwable thrown = catchThrowable(assignment::refresh);
      String point = "%d times %s: %s".formatted(times, call, thrown);
      assertThat(assignment.state()).as(point).isEqualTo(State.ERROR);
      failures.set(0);
      assertThat(assignment.refresh()).isEqualTo(State.ERROR);
      assertThat(assignment.ledger().rows()).as(point).isEqualTo(ram);
      assertThat(life.hostMappings()).as(point).isZero();
      assignment.unbind();
      assertShared(life, assignment);
      assignment.close();
      assertThat(life.holdings()).as(point).isEqualTo(before);
      life.kernel.close();
    }
  }

  @ParameterizedTest
  @MethodSource("undos")
  void theProofOfReleaseWaitsForTheLeftovers(Platform platform, Profile profile, String call) {
    Life life = new Life(platform, profile);
    Holdings before = life.holdings();
    TdiAssignment assignment = failing(life, call);
    assignment.assign();
    assignment.bind();
    life.kernel.tsm().failNext(TsmErrors.Operation.SET_STATE, Errno.EIO, false);
    failures.set(FOR_EVER);
    assertThatThrownBy(assignment::start).isInstanceOf(RuntimeException.class);
    assertThat(assignment.state()).isEqualTo(State.QUARANTINED);
    boolean isLeft = life.remarks.stream().anyMatch(r -> r.contains("could be unmapped"));
    if (isLeft) {
      assertThatThrownBy(assignment::endQuarantine).isInstanceOf(RuntimeException.class);
      assertThat(assignment.state()).isEqualTo(State.QUARANTINED);
      assertThat(life.tdi()).as("not unbound before all is unmapped").isPresent();
    }
    failures.set(0);
    assignment.endQuarantine();
    assertShared(life, assignment);
    assignment.close();
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  private static Stream<Throwable> withSuppressed(Throwable failure) {
    return Stream.concat(
        Stream.of(failure),
        Stream.of(failure.getSuppressed()).flatMap(LeftoverTest::withSuppressed));
  }

  /**
   * Slots of BARs are made last: the last one can't be made, and one can't be taken back at once.
   */
  @Test
  void aFailureIsReportedWithWhatItsUndoSaid() {
    Throwable thrown = assignWithoutSlots(slotsOfAnAssignment());
    assertThat(withSuppressed(thrown).filter(KernelException.class::isInstance)).hasSize(2);
  }

  private int slotsOfAnAssignment() {
    assignWithoutSlots(FOR_EVER);
    return slots.get();
  }

  /** Assigns, and makes the calls of this number and the next fail that make or remove slots. */
  private Throwable assignWithoutSlots(int number) {
    slots.set(0);
    Calls slot =
        call ->
            call.toString().startsWith("KVM_SET_USER_MEMORY_REGION")
                && (slots.incrementAndGet() == number || slots.get() == number + 1);
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    Faults faults = Faults.none().failAll(slot, Errno.EIO, Faults.When.BEFORE);
    TdiAssignment assignment =
        new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), faults)));
    Throwable thrown = catchThrowable(assignment::assign);
    int made = slots.get();
    assignment.close();
    slots.set(made);
    life.kernel.close();
    return thrown;
  }

  @Test
  void whatIsUnmappedAtTheSecondTryIsNotReportedAsLeft() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    Holdings before = life.holdings();
    AtomicBoolean armed = new AtomicBoolean();
    Calls unmap = call -> armed.get() && call.toString().equals("IOMMU_IOAS_UNMAP");
    Faults faults = Faults.none().fail(unmap, 1, Errno.EBUSY, Faults.When.BEFORE);
    TdiAssignment assignment =
        new TdiAssignment(life.options(new FaultyKernel(life.kernel, life.ioctls(), faults)));
    assignment.assign();
    armed.set(true);
    Throwable thrown = catchThrowable(assignment::bind);
    assertThat(withSuppressed(thrown)).noneMatch(ScenarioException.class::isInstance);
    assertShared(life, assignment);
    assignment.close();
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(assignment.ledger().rows()).isEmpty();
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("undos")
  void aQuarantineTellsWhetherBarsAreStillMapped(Platform platform, Profile profile, String call) {
    for (boolean fails : new boolean[] {false, true}) {
      Life life = new Life(platform, profile);
      TdiAssignment assignment = failing(life, call);
      assignment.assign();
      assignment.bind();
      life.kernel.tsm().failNext(TsmErrors.Operation.SET_STATE, Errno.EIO, false);
      failures.set(fails ? FOR_EVER : 0);
      assertThatThrownBy(assignment::start).isInstanceOf(RuntimeException.class);
      failures.set(0);
      boolean told = life.remarks.stream().anyMatch(r -> r.contains("could be unmapped"));
      // Where there is no slot, the ledger has no attribute either.
      boolean isLeft =
          (fails && call.equals("KVM_SET_MEMORY_ATTRIBUTES"))
              || assignment.ledger().rows().stream().anyMatch(row -> row.gpa() >= RAM_END);
      assertThat(told).as("%s, of %s", call, assignment.ledger().rows()).isEqualTo(isLeft);
      assignment.close();
      life.kernel.close();
    }
  }

  /** The kernel has taken it back with the descriptors, so nothing of it can be tried again. */
  @ParameterizedTest
  @MethodSource("undos")
  void nothingIsLeftOnceTheDescriptorsAreClosed(Platform platform, Profile profile, String call) {
    if (call.equals("munmap")) {
      return;
    }
    Life life = new Life(platform, profile);
    Holdings before = life.holdings();
    TdiAssignment assignment = failing(life, call);
    assignment.assign();
    failures.set(FOR_EVER);
    Throwable thrown = catchThrowable(assignment::close);
    assertThat(assignment.state()).as("after %s", thrown).isEqualTo(State.UNASSIGNED);
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(assignment.ledger().rows()).isEmpty();
    life.kernel.close();
  }
}
