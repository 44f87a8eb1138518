package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.Edu;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.guest.Check;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.SilentGuest;
import dev.iolite.tdi.guest.SwProtectedAgent;
import dev.iolite.tsm.Profile;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The whole life as tdi assign makes it, with a guest that is told what to do and with one that is
 * not.
 */
class WalkthroughTest {
  private static final PciAddress EDU = PciAddress.parse("0000:00:02.0");

  private final List<Check> checks = new ArrayList<>();

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void allChecksAreInOrderUnderEachProposal(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    Holdings before = Holdings.of(life.kernel, Life.ENDPOINT);
    try (TdiAssignment assignment = life.assignment()) {
      assertThat(new Walkthrough(assignment, life.guest(assignment), checks::add).run()).isTrue();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
    }
    assertThat(checks).hasSizeGreaterThan(10).allMatch(Check::isSo);
    assertThat(checks.stream().map(Check::what))
        .filteredOn(what -> what.equals("the device measures the same for guest and host"))
        .hasSize(profile == Profile.V6 || profile == Profile.INTEL_RFC_2025 ? 0 : 1);
    assertThat(life.states).containsSubsequence(State.SPLIT, State.RUNNING, State.SHARED);
    assertThat(Holdings.of(life.kernel, Life.ENDPOINT)).isEqualTo(before);
  }

  /** The guest looks at its private MMIO before it starts the interface, and again after that. */
  @Test
  void whatIsPrivateIsReachedOnlyOnceTheInterfaceRuns() {
    try (Life life = new Life(Platform.TDX, Profile.SEED_2025);
        TdiAssignment assignment = life.assignment()) {
      new Walkthrough(assignment, life.guest(assignment), checks::add).run();
    }
    assertThat(checks)
        .extracting(Check::what)
        .containsSubsequence(
            "a private read does not reach BAR0+0x0 (private)",
            "the VMM grants the guest's wish to start the interface",
            "a private read reaches BAR0+0x0 (private)");
  }

  @ParameterizedTest
  @CsvSource({"TDX,SEED_2025", "SEV,CCA_V7"})
  void aSilentGuestIsBoundForAndUnboundFor(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    try (TdiAssignment assignment = life.assignment()) {
      SilentGuest guest = new SilentGuest(assignment);
      assertThat(new Walkthrough(assignment, guest, checks::add).run()).isTrue();
      PciDevice device = new Pci(life.kernel).device(Life.ENDPOINT);
      assertThat(guest.readConfig(0, 0))
          .as("what identifies the device")
          .isEqualTo(device.device() << Short.SIZE | device.vendor());
    }
    assertThat(checks)
        .extracting(Check::what)
        .contains("the host does not reach BAR0+0x0 (private)");
    assertThat(checks).allMatch(Check::isSo);
    assertThat(life.states).containsSubsequence(State.SPLIT, State.RUNNING, State.SHARED);
  }

  /** Where a kernel binds, but the host has no TSM: these proposals on a plain machine. */
  @ParameterizedTest
  @EnumSource(
      value = Profile.class,
      names = {"CCA_V7", "ARM_V5"})
  void withoutATsmTheSharedHalfIsDone(Profile profile) {
    try (Rehearsal host = Rehearsal.of(Platform.PLAIN, profile);
        TdiAssignment assignment = new TdiAssignment(new AssignmentOptions(host.kernel(), EDU))) {
      assertThat(new Walkthrough(assignment, host.guest(assignment), checks::add).run()).isFalse();
      assertThat(assignment.obstacles())
          .anyMatch(why -> why.startsWith("There is no TSM"))
          .anyMatch(why -> why.startsWith(EDU + " has no tsm/"));
      assertThat(catchThrowable(assignment::bind))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("the kernel has calls for it", "There is no TSM");
      assertThat(assignment.state()).isEqualTo(State.SHARED);
    }
    assertThat(checks).allMatch(Check::isSo);
  }

  private static MockKernel edu(TdiRange... shared) {
    return MockKernel.builder()
        .profile(Profile.SEED_2025)
        .machine(new Machine().function(EDU.toString(), Edu.model().takenForTee(shared)))
        .build();
  }

  private static TdiAssignment protectedBySoftware(MockKernel kernel) {
    return new TdiAssignment(new AssignmentOptions(kernel, EDU).withVmType(VmType.SW_PROTECTED));
  }

  /** An edu answers with all ones behind its first registers. */
  @Test
  void aDeviceNeedNotAnswerInAllOfABar() {
    try (MockKernel kernel = edu(new TdiRange(0, 1, 1, TdiRange.NON_TEE));
        TdiAssignment assignment = protectedBySoftware(kernel)) {
      new Walkthrough(assignment, new SwProtectedAgent(assignment), checks::add).run();
    }
    assertThat(checks).allMatch(Check::isSo);
    assertThat(checks)
        .contains(
            new Check("a shared read reaches BAR0+0x1000 (shared)", true, "0xffffffff"),
            new Check(
                "a private read reaches BAR0+0x2000 (private)",
                true,
                "0xffffffff, as the host reads there now that it is shared"));
  }

  /** But that nothing comes back where the device has something is wrong. */
  @Test
  void allOnesWhereTheDeviceHasOtherValuesAreWrong() {
    try (MockKernel kernel = edu();
        TdiAssignment assignment = protectedBySoftware(kernel)) {
      GuestAgent blind = new BlindToPrivate(new SwProtectedAgent(assignment));
      Walkthrough walk = new Walkthrough(assignment, blind, checks::add);
      assertThat(catchThrowable(walk::run))
          .isInstanceOf(ScenarioException.class)
          .hasMessageContaining("a private read reaches BAR0+0x0 (private)", "0x10000ed");
    }
  }

  @ParameterizedTest
  @CsvSource({"TDX", "SEV"})
  void onAMainlineKernelASilentGuestsDeviceIsCutOffAndComesBack(Platform platform) {
    Life life = new Life(platform, Profile.MAINLINE_7_3);
    try (TdiAssignment assignment = life.assignment()) {
      assertThat(new Walkthrough(assignment, new SilentGuest(assignment), checks::add).run())
          .isFalse();
    }
    assertThat(checks).allMatch(Check::isSo);
    assertThat(life.stages).contains(Stage.RECOVER);
  }
}
