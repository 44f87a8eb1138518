package dev.iolite.passthrough;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.HostStep;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Step;
import dev.iolite.steps.UndoOrder;
import dev.iolite.trace.TracedCall;
import dev.iolite.uapi.catalog.FdKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The scenario on a machine with an edu at 00:02.0 and an NVMe controller at 00:03.0. */
abstract class PassthroughSuite {
  private static final PciAddress EDU = PciAddress.parse("0000:00:02.0");
  private static final PciAddress NVME = PciAddress.parse("0000:00:03.0");

  /** Not the writes to sysfs: with one the driver gets its device back, and nothing else does. */
  private static final Calls THAT_CAN_BE_UNDONE =
      call ->
          Calls.thatWork().include(call)
              && !(call.name().equals("write") && call.kind().equals(Optional.of(FdKind.FILE)));

  private final Kernel kernel;
  private final List<Faults.When> moments;
  private final List<Step> steps = new ArrayList<>();

  /**
   * Runs it on this kernel.
   *
   * @param moments when its calls are to fail
   */
  PassthroughSuite(Kernel kernel, List<Faults.When> moments) {
    this.kernel = kernel;
    this.moments = moments;
  }

  private Optional<String> driver(PciAddress address) {
    return new Pci(kernel).device(address).driver();
  }

  private long openFiles() {
    SysFs files = new SysFs(kernel);
    return files.list("/proc/self/fd").stream()
        .map(number -> files.linkName("/proc/self/fd/" + number).orElse(""))
        .filter(name -> name.matches("iommu|vfio\\d+|kvm|anon_inode:.*|dmabuf:.*|memfd:.*"))
        .count();
  }

  @Test
  void withoutAnAddressItTakesTheFirstEduAndTheFirstNvme() {
    assertThat(new Passthrough(kernel, steps::add, () -> false).devices())
        .containsExactly(EDU, NVME);
  }

  @Test
  void eduIsDrivenByHostAndGuest() {
    new Passthrough(kernel, steps::add, () -> false).run(EDU);
    assertThat(steps)
        .allMatch(Step::succeeded)
        .extracting(Step::kind)
        .contains(PassthroughStep.COPY_BY_DMA, PassthroughStep.INTERRUPT, PassthroughStep.RUN_GUEST)
        .endsWith(PassthroughStep.CHECK_NOTHING_HELD);
    UndoOrder.check(steps);
    assertThat(steps)
        .filteredOn(step -> step.kind().equals(HostStep.BIND_DEVICE))
        .singleElement()
        .satisfies(step ->
            assertThat(step.calls())
                .extracting(TracedCall::name)
                .contains("VFIO_DEVICE_BIND_IOMMUFD"));
  }

  @Test
  void nvmeIsResetAndSaysWhoItIs() {
    Optional<String> before = driver(NVME);
    new Passthrough(kernel, steps::add, () -> false).run(NVME);
    assertThat(steps).allMatch(Step::succeeded);
    assertThat(steps)
        .filteredOn(step -> step.kind().equals(PassthroughStep.IDENTIFY))
        .singleElement()
        .satisfies(step -> assertThat(step.outcome()).contains("QEMU NVMe Ctrl", "IOLITE-LAB-1"));
    assertThat(driver(NVME)).isEqualTo(before).isPresent();
  }

  @Test
  void aRunThatIsStoppedUndoesWhatItDid() {
    Optional<String> before = driver(EDU);
    long open = openFiles();
    for (int after = 0; after <= 24; after += 6) {
      steps.clear();
      int limit = after;
      Throwable thrown =
          catchThrowable(
              () -> new Passthrough(kernel, steps::add, () -> steps.size() >= limit).run(EDU));
      assertThat(thrown).isInstanceOf(ScenarioException.class).hasMessageStartingWith("stopped");
      assertThat(steps).hasSizeGreaterThanOrEqualTo(limit).allMatch(Step::succeeded);
      UndoOrder.check(steps);
      assertThat(openFiles()).isEqualTo(open);
      assertThat(driver(EDU)).isEqualTo(before);
    }
  }

  @Test
  void whicheverCallFailsNothingStaysOpenOrBound() {
    for (Faults.When moment : moments) {
      assertThat(failEachCallOnce(moment)).as("failure points").isGreaterThan(40);
    }
  }

  /** Walks the scenario's failure points one after the other, until it no longer fails. */
  private int failEachCallOnce(Faults.When moment) {
    Optional<String> before = driver(EDU);
    long open = openFiles();
    for (int nth = 1; ; nth++) {
      FaultyKernel failing =
          new FaultyKernel(kernel, Faults.none().fail(THAT_CAN_BE_UNDONE, nth, Errno.EIO, moment));
      steps.clear();
      Throwable thrown =
          catchThrowable(() -> new Passthrough(failing, steps::add, () -> false).run(EDU));
      if (failing.injected().isEmpty()) {
        assertThat(thrown).isNull();
        return nth - 1;
      }
      if (thrown != null) {
        assertThat(thrown)
            .as("call %d: %s", nth, failing.injected())
            .isInstanceOfSatisfying(
                KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
      }
      UndoOrder.check(steps);
      assertThat(openFiles()).as("open after call %d: %s", nth, failing.injected()).isEqualTo(open);
      assertThat(driver(EDU))
          .as("driver after call %d: %s", nth, failing.injected())
          .isEqualTo(before);
    }
  }
}
