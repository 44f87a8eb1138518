package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.CallTarget;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.uapi.catalog.FdKind;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a user of the command is told to run. */
class RemediesTest {
  private static final int EBUSY = 16;
  private static final Pattern COMMAND = Pattern.compile("iolite ([a-z]+)(?: ([a-z]+))?");
  private static final String DEVICE = "0000:03:00.1";

  @Test
  void namesTheDeviceInTheCommand() {
    assertThat(Remedies.message(refused("VFIO_DEVICE_BIND_IOMMUFD", FdKind.VFIO_DEVICE)))
        .contains("; iolite pci show 0000:03:00.1 shows its driver and its IOMMU group");
    assertThat(Remedies.message(refused("write", FdKind.FILE)))
        .contains("Next: stop what uses the device; iolite pci show 0000:03:00.1 ");
    assertThat(Remedies.message(refused("tsm/connect", FdKind.FILE)))
        .endsWith("Next: iolite tsm list; iolite tsm disconnect 0000:03:00.1");
  }

  private static KernelException refused(String call, FdKind kind) {
    CallTarget on = new CallTarget(Optional.of(kind), "x", Optional.of(DEVICE));
    return new KernelException(call, on, "", EBUSY);
  }

  @Test
  void aDeviceThatIsNotKnownIsSpokenOf() {
    CallTarget on = CallTarget.of(FdKind.VFIO_DEVICE, "x");
    assertThat(Remedies.message(new KernelException("VFIO_DEVICE_RESET", on, "", 22)))
        .contains("iolite vfio info (with the device's address) shows");
  }

  @Test
  void aCommandForEachDevice() {
    Advice advice =
        new Advice(
            "why", "bind both", Remedy.GIVE_TO_VFIO, List.of("0000:00:03.2", "0000:00:03.3"));
    assertThat(Remedies.message(new PreconditionException("tried", "seen", advice)))
        .isEqualTo(
            "tried: seen. Usual cause: why. Next: iolite pci bind 0000:00:03.2; iolite pci bind"
                + " 0000:00:03.3");
  }

  @Test
  void anExceptionAroundItKeepsItsWords() {
    KernelException cause = refused("write", FdKind.FILE);
    assertThat(Remedies.message(new IllegalStateException("step 3: " + cause.getMessage(), cause)))
        .startsWith("step 3: write on x: EBUSY. ")
        .contains("iolite pci show 0000:03:00.1");
    assertThat(Remedies.message(new IllegalStateException("no advice"))).isEqualTo("no advice");
  }

  @ParameterizedTest
  @EnumSource
  void everyCommandExists(Remedy remedy) {
    Matcher command =
        COMMAND.matcher(Remedies.next(new Advice("why", "words", remedy, List.of(DEVICE))));
    while (command.find()) {
      Cli help =
          remedy == Remedy.CHECK_HOST
              ? Cli.run(command.group(1), "--help")
              : Cli.run(command.group(1), command.group(2), "--help");
      assertThat(help.err()).as(command.group()).isEmpty();
      assertThat(help.out()).contains("Usage: iolite " + command.group(1));
    }
  }
}
