package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.iolite.kernel.Kernel;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.guest.RealModeAgent;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Profile;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What of an assignment a released kernel has, with a guest in real mode, on a machine with an edu
 * at 00:02.0 and an NVMe controller, which has a reset, at 00:03.0.
 */
abstract class SharedHalfSuite {
  private static final int CYCLES = 50;
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";

  private final Kernel kernel;

  SharedHalfSuite(Kernel kernel) {
    this.kernel = kernel;
  }

  private TdiAssignment assignment(String address) {
    return new TdiAssignment(new AssignmentOptions(kernel, PciAddress.parse(address)));
  }

  @ParameterizedTest
  @ValueSource(strings = {EDU, NVME})
  void theGuestReachesItsDeviceAndLosesItAsItCutsItOffAndHasItBack(String address) {
    Holdings before = Holdings.of(kernel, PciAddress.parse(address));
    List<Check> checks = new ArrayList<>();
    try (TdiAssignment assignment = assignment(address)) {
      boolean binds = new Walkthrough(assignment, new RealModeAgent(assignment), checks::add).run();
      assertThat(binds).isFalse();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(assignment.usedProfile().map(UapiProfile::name)).contains(Profile.MAINLINE_7_3);
    }
    assertThat(checks).hasSizeGreaterThan(6).allMatch(Check::isSo);
    assertThat(checks.stream().filter(check -> check.what().startsWith("DMA to IOVA")))
        .hasSize(address.equals(EDU) ? 2 : 0);
    assertThat(Holdings.of(kernel, PciAddress.parse(address))).isEqualTo(before);
  }

  @Test
  void fiftyAssignmentsLeaveNothing() {
    Holdings before = Holdings.of(kernel, PciAddress.parse(EDU));
    for (int i = 0; i < CYCLES; i++) {
      try (TdiAssignment assignment = assignment(EDU)) {
        assignment.assign();
        assertThat(assignment.ledger().problems()).isEmpty();
      }
      assertThat(Holdings.of(kernel, PciAddress.parse(EDU))).as("cycle %d", i).isEqualTo(before);
    }
  }

  @Test
  void aBindIsRefusedWithAReasonAndTheBarsStayShared() {
    try (TdiAssignment assignment = assignment(EDU)) {
      assignment.assign();
      assertThat(catchThrowable(assignment::bind))
          .hasMessageContaining("the kernel has no call for it (UAPI profile mainline-7.3)");
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(assignment.plan().orElseThrow().slots()).hasSize(1);
    }
  }
}
