package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.pci.TsmState;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tsm.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The machine's power is cut after each change of the journal: whatever has become of those that
 * were not synced, recovery finds what was held then, and releases it.
 */
class PowerCutTest {
  private static final String DRIVER = "accel";

  @TempDir private Path directory;

  private final Life life =
      new Life(
          Platform.TDX,
          Profile.SEED_2025,
          TdispEndpoint.model(),
          machine -> machine.driver(Life.ENDPOINT.toString(), DRIVER));

  /** What outlives the process that made it. */
  private record Left(Optional<String> driver, Optional<String> override, Optional<String> tsm) {}

  private final List<Left> left = new ArrayList<>();

  @AfterEach
  void close() {
    life.close();
  }

  private PciDevice device() {
    return new Pci(life.kernel).device(Life.ENDPOINT);
  }

  private Left look() {
    PciDevice device = device();
    return new Left(
        device.driver(), device.driverOverride(), device.tsm().flatMap(TsmState::connect));
  }

  /** Does by hand what an assignment had done. */
  private void leave(Left what) {
    SysFs files = new SysFs(life.kernel);
    PciDevice device = device();
    if (!device.driver().equals(what.driver)) {
      device
          .driver()
          .ifPresent(_ -> files.write(device.path() + "/driver/unbind", Life.ENDPOINT.toString()));
    }
    files.write(device.path() + "/driver_override", what.override.orElse("\n"));
    if (!device.driver().equals(what.driver)) {
      what.driver.ifPresent(
          name -> files.write("/sys/bus/pci/drivers/" + name + "/bind", Life.ENDPOINT.toString()));
    }
    what.tsm.ifPresent(tsm -> new Tsm(life.kernel).connect(device, tsm));
    assertThat(look()).isEqualTo(what);
  }

  private void crash(WriteLog log, int first) throws IOException {
    Holdings before = life.holdings();
    left.add(look());
    Path cut = directory.resolve("cut");
    try (Journals journals = new Journals(new HostKernel(), cut)) {
      for (int count = first; count <= log.changes(); count++) {
        for (WriteLog.Rest rest : WriteLog.Rest.values()) {
          Optional<byte[]> content = log.after(count, rest);
          if (content.isPresent()) {
            Files.write(journals.file(Life.ENDPOINT), content.get());
          }
          // As it was just before the next change: what is done after a change is done by then.
          leave(left.get(count));
          journals.recover(life.kernel, Life.ENDPOINT);
          String where = "%d changes, the rest %s".formatted(count, rest);
          assertThat(life.holdings()).as(where).isEqualTo(before);
          assertThat(journals.directory().names()).as(where).isEmpty();
        }
      }
    }
  }

  @Test
  void recoveryFindsWhatWasHeldAfterEachChange() throws IOException {
    WriteLog log = new WriteLog(() -> left.add(look()));
    try (Journals journals = new Journals(log, directory.resolve("run"));
        TdiAssignment assignment =
            new TdiAssignment(
                life.options(life.kernel).withJournal(() -> journals.begin(Life.ENDPOINT)))) {
      assignment.assign();
      assignment.bind();
      assignment.start();
      assignment.unbind();
    }
    assertThat(left.stream().distinct()).hasSizeGreaterThan(2);
    crash(log, 0);
  }

  /** The steps of a long life are forgotten; what must last is not. */
  @Test
  void aJournalThatHasForgottenItsStepsStillSaysWhatIsHeld() throws IOException {
    WriteLog log = new WriteLog(() -> left.add(look()));
    int full;
    try (Journals journals = new Journals(log, directory.resolve("run"));
        Journal journal = journals.begin(Life.ENDPOINT)) {
      journal.driver(Map.of("driver", DRIVER));
      leave(new Left(Optional.of("vfio-pci"), Optional.of("vfio-pci"), Optional.empty()));
      long size = 0;
      while (Files.size(journals.file(Life.ENDPOINT)) >= size) {
        size = Files.size(journals.file(Life.ENDPOINT));
        journal.state(State.RUNNING);
      }
      full = log.changes();
      journal.state(State.SHARED);
      assertThat(size).isBetween(1L << 20, (1L << 20) + 200);
      leave(new Left(Optional.of(DRIVER), Optional.empty(), Optional.empty()));
    }
    crash(log, full - 4);
  }
}
