package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.DeviceShapeBuilder;
import dev.iolite.mock.device.Express;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdiReport;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.Tsm;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Profile;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A host or a device that is not fit: a clear message, and nothing is held. */
class BadHostTest {
  /** A device with one BAR of 64 KiB. */
  private static DeviceModel device(UnaryOperator<DeviceShapeBuilder> more) {
    DeviceShapeBuilder shape =
        DeviceShape.builder(0x1234, 0x7d17)
            .classCode(0x12_0000)
            .bar(Bar.memory64(0, 0x1_0000))
            .power(DeviceShape.Power.KEEPS_STATE);
    return DeviceModel.memory(more.apply(shape).build());
  }

  private static void assertRefused(Life life, UnaryOperator<AssignmentOptions> how, String said) {
    Holdings before = life.holdings();
    TdiAssignment assignment = new TdiAssignment(how.apply(life.options(life.kernel)));
    assertThatThrownBy(
            () -> {
              assignment.assign();
              assignment.bind();
            })
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining(said)
        .hasMessageContaining("Next:");
    assignment.close();
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
    life.kernel.close();
  }

  @Test
  void aDeviceWithoutTsmAttributesIsRefused() {
    DeviceModel bare = device(shape -> shape.express(new Express(true, false, false)));
    assertRefused(new Life(Platform.TDX, Profile.SEED_2025, bare), UnaryOperator.identity(), "tsm");
  }

  @ParameterizedTest
  @MethodSource("dev.iolite.tdi.Life#binding")
  void aVmThatProtectsNothingIsRefusedBeforeAnythingIsMapped(Platform platform, Profile profile) {
    Life life = new Life(platform, profile);
    assertRefused(
        life,
        options -> options.withVmType(VmType.DEFAULT),
        "choose a type that protects its guest");
    assertThat(life.states).doesNotContain(State.SHARED);
  }

  @Test
  void aPlatformThatIsNotConfidentialIsRefused() {
    assertRefused(new Life(Platform.PLAIN, Profile.CCA_V7), UnaryOperator.identity(), "tsm");
  }

  @Test
  void aVmTypeThatThePlatformDoesNotHaveIsRefused() {
    assertRefused(
        new Life(Platform.TDX, Profile.SEED_2025),
        options -> options.withVmType(VmType.SNP),
        "SNP");
  }

  @Test
  void aProfileThatTheKernelDoesNotHaveIsRefused() {
    assertRefused(
        new Life(Platform.TDX, Profile.MAINLINE_7_3),
        options -> options.withProfile(Profile.SEED_2025),
        "seed-2025");
  }

  @Test
  void aBindOnAKernelThatHasNoneIsRefusedAndTheSharedHalfStays() {
    Life life = new Life(Platform.TDX, Profile.MAINLINE_7_3);
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      assertThatThrownBy(assignment::bind).isInstanceOf(PreconditionException.class);
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      long bar = Life.bar(assignment, 0);
      assertThat(life.guest(assignment).read(bar, Long.BYTES, Kind.SHARED).reached()).isTrue();
      assertThat(life.guest(assignment).ask(new GuestAsk.Bind())).isNegative();
      assertThat(life.deviceReads(bar)).isTrue();
    }
    life.kernel.close();
  }

  @Test
  void aDeviceThatAnotherDescriptorHasOpenIsRefusedAndStaysTheirs() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    var pci = new Pci(life.kernel).device(Life.ENDPOINT);
    DriverBinding driver = DriverBinding.bind(pci, "vfio-pci");
    VfioDevice other =
        VfioDevice.open(life.kernel, pci.requireVfioCdev(), Life.ENDPOINT.toString());
    Iommufd iommufd = Iommufd.open(life.kernel);
    var bound = other.bind(iommufd);
    Holdings before = life.holdings();
    TdiAssignment assignment = life.assignment();
    assertThatThrownBy(assignment::assign).isInstanceOf(RuntimeException.class);
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(assignment.state()).isEqualTo(State.UNASSIGNED);
    bound.close();
    iommufd.close();
    driver.close();
    life.kernel.close();
  }

  @Test
  void aSecondAssignmentOfTheSameDeviceIsRefusedAndTheFirstGoesOn() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    try (TdiAssignment first = life.assignment()) {
      first.assign();
      first.bind();
      Holdings held = life.holdings();
      TdiAssignment second = life.assignment();
      assertThatThrownBy(second::assign).isInstanceOf(RuntimeException.class);
      assertThat(second.state()).isEqualTo(State.UNASSIGNED);
      assertThat(life.holdings()).isEqualTo(held);
      first.start();
      long bar = Life.bar(first, 0);
      assertThat(life.guest(first).read(bar, Long.BYTES, Kind.PRIVATE).reached()).isTrue();
    }
    life.kernel.close();
  }

  @Test
  void aTsmThatWasConnectedBeforeStaysConnected() {
    Life life = new Life(Platform.TDX, Profile.SEED_2025);
    new Tsm(life.kernel).connect(new Pci(life.kernel).device(Life.ENDPOINT), "tsm0");
    Holdings before = life.holdings();
    life.live(life.assignment());
    assertThat(life.holdings()).isEqualTo(before);
    assertThat(life.holdings().tsm()).contains("tsm0");
    life.kernel.close();
  }

  /** What a device may report that no device should. */
  enum Report {
    NO_RANGE,
    NOT_FROM_THE_START,
    LARGE_TRAILER;

    private TdiReport report() {
      return switch (this) {
        case NO_RANGE -> TdiReport.of();
        case NOT_FROM_THE_START -> TdiReport.of(new TdiRange(0, 4, 2, 0));
        case LARGE_TRAILER ->
            new TdiReport(
                TdiReport.DMA_WITHOUT_PASID,
                List.of(new TdiRange(0, 0, 16, 0)),
                MemorySegment.ofArray(new byte[1 << 16]));
      };
    }
  }

  @ParameterizedTest
  @EnumSource(Report.class)
  void anOddReportIsTakenOrRefusedAndNothingIsHeld(Report odd) {
    DeviceModel strange =
        device(shape -> shape.express(new Express(true, true, true)).tdi(odd.report()));
    Life life = new Life(Platform.TDX, Profile.SEED_2025, strange);
    Holdings before = life.holdings();
    try (TdiAssignment assignment = life.assignment()) {
      assignment.assign();
      try {
        assignment.bind();
        assertThat(assignment.state()).isEqualTo(State.SPLIT);
      } catch (RuntimeException e) {
        assertThat(e.getMessage()).isNotBlank();
        assertThat(assignment.state()).isEqualTo(State.SHARED);
      }
      assertThat(assignment.ledger().problems()).isEmpty();
    }
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  @Test
  void aDeviceWithAHostDriverGetsItBack() {
    Life life =
        new Life(
            Platform.TDX,
            Profile.SEED_2025,
            TdispEndpoint.model(),
            machine -> machine.driver(Life.ENDPOINT.toString(), "accel"));
    Holdings before = life.holdings();
    assertThat(before.driver()).contains("accel");
    life.live(life.assignment());
    assertThat(life.holdings()).isEqualTo(before);
    life.kernel.close();
  }

  /** One after the other; after each, what is said of the state is what the kernel has. */
  @Test
  void aFileThatCantBeOpenedLeavesADefinedEnd() {
    int nth = 0;
    boolean failed;
    do {
      nth++;
      Life life = new Life(Platform.TDX, Profile.SEED_2025);
      FaultyKernel failing =
          new FaultyKernel(
              life.kernel,
              life.ioctls(),
              Faults.none().fail(Calls.named("open"), nth, Errno.EIO, Faults.When.BEFORE));
      TdiAssignment assignment = new TdiAssignment(life.options(failing));
      try (assignment) {
        assignment.assign();
        assignment.bind();
        assignment.start();
      } catch (RuntimeException e) {
        assertThat(failing.injected()).as("%s", e).isNotEmpty();
      }
      assertThat(assignment.state()).as("open %d", nth).isIn(State.UNASSIGNED, State.QUARANTINED);
      assertThat(assignment.usedProfile()).isEmpty();
      assertThat(life.tdi()).as("open %d", nth).isEmpty();
      failed = !failing.injected().isEmpty();
      life.kernel.close();
    } while (failed);
    assertThat(nth).isGreaterThan(50);
  }
}
