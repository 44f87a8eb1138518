package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.EventFd;
import dev.iolite.mock.Platform;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Profile;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An interface whose MSI-X table is locked, which makes it TEE memory (11.3.8). */
class LockedMsixTest {
  private static final Duration NOW = Duration.ZERO;
  private static final int MSIX_BAR = 4;
  private static final int PAGE = 4096;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void vectorsThatWereSetUpBeforeGoOnAndNoOthersCanBeSetUp(boolean locked) {
    Life life = new Life(Platform.SEV, Profile.SEED_2025);
    if (locked) {
      life.kernel.tsm().lockMsix();
    }
    try (EventFd before = EventFd.create(life.kernel);
        EventFd after = EventFd.create(life.kernel);
        TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      try (IrqSet irqs = assignment.assigned().vfio().irqs(PciIrq.MSIX)) {
        irqs.enable(List.of(before));
        assignment.bind();
        irqs.connect(3, after);
        life.kernel.device(Life.ENDPOINT.toString()).send(0);
        life.kernel.device(Life.ENDPOINT.toString()).send(3);

        assertThat(before.await(NOW)).isEqualTo(1);
        assertThat(after.await(NOW)).isEqualTo(locked ? 0 : 1);
        assertThat(assignment.state()).isEqualTo(State.SPLIT);
        assertThat(assignment.layout().orElseThrow().bar(MSIX_BAR).orElseThrow().kindAt(0))
            .isEqualTo(locked ? Kind.PRIVATE : Kind.SHARED);
        assertThat(assignment.layout().orElseThrow().bar(MSIX_BAR).orElseThrow().kindAt(2 * PAGE))
            .isEqualTo(Kind.SHARED);
        assertThat(life.remarks.stream().anyMatch(remark -> remark.contains("MSI-X table is lock")))
            .isEqualTo(locked);
      }
      assertThat(assignment.refresh())
          .as("switching MSI-X off is a change of what is locked")
          .isEqualTo(locked ? State.ERROR : State.SPLIT);
      assignment.unbind();
    }
    life.kernel.close();
  }
}
