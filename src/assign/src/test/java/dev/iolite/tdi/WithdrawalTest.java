package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.IovaAccess;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Nothing of the BARs may be left when the interface is bound: that is checked, not assumed. */
class WithdrawalTest {
  private static final long PAGE = 4096;

  private static void assertSharedAgain(Life life, TdiAssignment assignment) {
    assertThat(assignment.state()).isEqualTo(State.SHARED);
    assertThat(life.tdi()).isEmpty();
    assertThat(life.openDmaBufs()).isPositive();
    assertThat(assignment.ledger().problems()).isEmpty();
    long bar = Life.bar(assignment, 0);
    assertThat(life.guest(assignment).read(bar, Long.BYTES, Kind.SHARED).reached()).isTrue();
    assertThat(life.deviceReads(bar)).isTrue();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aMappingOfABarInThisProcessIsFoundBeforeTheBind(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      DeviceMemory left = assignment.assigned().vfio().region(PciRegion.BAR0).map();

      assertThatThrownBy(assignment::bind)
          .isInstanceOf(ScenarioException.class)
          .hasMessageContaining("still mapped");
      assertThat(life.states).doesNotContain(State.LOCKED);
      left.close();
      assertSharedAgain(life, assignment);
      assignment.bind();
    }
    life.kernel.close();
  }

  @Test
  void aLiveDmaBufOfAnotherIsTheKernelsEbusy() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      DmaBuf left =
          assignment
              .assigned()
              .vfio()
              .exportDmaBuf(PciRegion.BAR0, List.of(new ByteRange(0, PAGE)), Libc.O_RDWR());

      assertThatThrownBy(assignment::bind)
          .isInstanceOfSatisfying(
              TsmCallException.class, e -> assertThat(e.kernel().errno()).isEqualTo(Errno.EBUSY));
      left.close();
      assertSharedAgain(life, assignment);
      assignment.bind();
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void whatIsWithdrawnIsClosedAndNotOnlyUnmapped(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.maps().orElseThrow().close();
      assertThat(life.openDmaBufs()).isZero();
      assertThat(life.hostMappings()).isZero();
      assignment.bind();
      assertThat(assignment.state()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aMemorySlotThatIsLeftEndsTheBind(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    AtomicBoolean armed = new AtomicBoolean();
    Calls deletion = call -> armed.get() && call.toString().contains("KVM_SET_USER_MEMORY_REGION");
    FaultyKernel failing =
        new FaultyKernel(
            life.kernel,
            life.ioctls(),
            Faults.none().fail(deletion, 1, Errno.EINVAL, Faults.When.BEFORE));
    try (TdiAssignment assignment = new TdiAssignment(life.options(failing))) {
      assignment.assign();
      armed.set(true);
      assertThatThrownBy(assignment::bind)
          .isInstanceOf(KernelException.class)
          .satisfies(e ->
              assertThat(e.getSuppressed())
                  .anySatisfy(s -> assertThat(s).hasMessageContaining("was still there")));
      assertThat(life.states).doesNotContain(State.WITHDRAWN, State.LOCKED);
      assertSharedAgain(life, assignment);
    }
    life.kernel.close();
  }

  @Test
  void aMapInTheIoasThatIsLeftIsFoundBeforeTheBind() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      MmioMaps maps = assignment.maps().orElseThrow();
      long bar = Life.bar(assignment, 4);
      var ioas = assignment.assigned().ioas();
      var mine = ioas.mappings().stream().filter(m -> m.iova() == bar).findFirst().orElseThrow();
      // Somebody takes the map away and puts a page of RAM there, which nobody takes back.
      long bytes = mine.bytes();
      mine.close();
      ioas.map(bar, assignment.assigned().ram().shared().asSlice(0, PAGE), IovaAccess.READ_WRITE);
      assertThat(bytes).isEqualTo(0x8000);

      assertThatThrownBy(assignment::bind)
          .isInstanceOf(ScenarioException.class)
          .hasMessageContaining("still mapped");
      assertThat(maps.dmaBufs()).allMatch(file -> file.fd().isClosed());
      assertSharedAgain(life, assignment);
    }
    life.kernel.close();
  }
}
