package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.Platform;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A reset of all functions behind a bridge, of which one is assigned. */
class HotResetTest {
  private static final long IOVA = 0x4000_0000;
  private static final long PAGE = 4096;

  private static void assertErrno(ThrowingCallable call, Errno errno) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void theDmaBufsOfAllFunctionsAreRevokedAndOursAreMappedAnew() {
    Life life = Life.ofSet(Platform.TDX, Profile.SEED_2025, true);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      try (Sibling sibling = Sibling.of(life, assignment)) {
        sibling.device().config().setMemoryDecode(true);
        DmaBuf part =
            sibling
                .device()
                .exportDmaBuf(PciRegion.BAR2, List.of(new ByteRange(0, PAGE)), Libc.O_RDWR());
        IovaMapping mapping =
            assignment.assigned().ioas().mapFile(IOVA, part.fd(), 0, PAGE, IovaAccess.READ_WRITE);
        assertThat(life.deviceReads(IOVA)).isTrue();

        assertThat(assignment.hotReset()).isTrue();
        assertThat(life.deviceReads(IOVA)).as("the other function's").isFalse();
        assertThat(life.deviceReads(Life.bar(assignment, 0))).as("ours, mapped anew").isTrue();

        mapping.close();
        part.close();
      }
      assertThat(assignment.state()).isEqualTo(State.SHARED);
    }
    life.kernel.close();
  }

  /** Why no revocation of shared BARs comes from elsewhere: see {@link TdiAssignment#refresh}. */
  @Test
  void nobodyElseMayResetTheSet() {
    Life life = Life.ofSet(Platform.TDX, Profile.SEED_2025, true);
    Life apart = Life.ofSet(Platform.TDX, Profile.SEED_2025, false);
    try (TdiAssignment assignment = life.assignment();
        TdiAssignment other = apart.assignment()) {
      assignment.assign();
      other.assign();
      try (Iommufd iommufd = Iommufd.open(life.kernel)) {
        assertErrno(() -> Sibling.of(life, iommufd), Errno.EPERM);
      }
      try (Iommufd iommufd = Iommufd.open(apart.kernel);
          Sibling sibling = Sibling.of(apart, iommufd)) {
        assertErrno(() -> sibling.device().hotReset(), Errno.EINVAL);
      }
      assertThat(life.deviceReads(Life.bar(assignment, 0))).isTrue();
      assertThat(apart.deviceReads(Life.bar(other, 0))).isTrue();
    }
    life.kernel.close();
    apart.kernel.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void aSetThatIsNotAllOursIsRefusedAndNothingIsRevoked(Platform platform) {
    Life life = Life.ofSet(platform, Profile.SEED_2025, false);
    Holdings before = life.holdings();
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      ThrowingCallable reset = assignment::hotReset;
      assertThatThrownBy(reset)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining(Life.SIBLING.toString())
          .hasMessageContaining("Next:");
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(life.deviceReads(Life.bar(assignment, 0))).isTrue();
      assignment.bind();
      assignment.start();
      assertThatThrownBy(reset).isInstanceOf(PreconditionException.class);
      assertThat(assignment.refresh()).isEqualTo(State.RUNNING);
      long bar = Life.bar(assignment, 0);
      assertThat(life.guest(assignment).read(bar, Long.BYTES, Kind.PRIVATE).reached()).isTrue();
      assertThat(life.deviceReads(bar + 0x2000)).as("shared doorbells").isTrue();
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  @Test
  void aDeviceOfTheRootBusHasNoneAndNothingChanges() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assignment.bind();
      assertThat(assignment.hotReset()).isFalse();
      assertThat(assignment.refresh()).isEqualTo(State.SPLIT);
    }
    life.kernel.close();
  }
}
