package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.SwProtectedAgent;
import dev.iolite.tdi.layout.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Interfaces that are virtual functions: the lab's machine {@code sriov} with its kernel seed-2025.
 * Their PF keeps its driver and has the connection of all of them.
 */
@Tag("seed-sriov")
class VirtualFunctionSeedLabTest {
  private static final PciAddress PF = PciAddress.parse("0000:02:00.0");
  private static final String TSM = "tsm0";

  private final Path directory = Path.of("/sys/bus/pci/devices", PF.toString());
  private final HostKernel kernel = new HostKernel();
  private final Tsm tsms = new Tsm(kernel);
  private final PciDevice pf = new Pci(kernel).device(PF);
  private final SeedLife first = new SeedLife(PciAddress.parse("0000:02:00.1"));
  private final SeedLife second = new SeedLife(PciAddress.parse("0000:02:00.2"));

  @BeforeEach
  void makeThem() throws IOException {
    // QEMU's VFs are offline, and nvme would wait for them.
    put("sriov_drivers_autoprobe", "0");
    put("sriov_numvfs", "2");
  }

  @AfterEach
  void removeThem() throws IOException {
    if (pf.tsm().orElseThrow().connect().isPresent()) {
      tsms.disconnect(pf, TSM);
    }
    put("sriov_numvfs", "0");
  }

  private void put(String file, String text) throws IOException {
    Files.writeString(directory.resolve(file), text);
  }

  private static long bar(TdiAssignment assignment) {
    return assignment.barAddresses().values().stream().findFirst().orElseThrow();
  }

  private static SwProtectedAgent run(SeedLife life, TdiAssignment assignment) {
    assignment.assign();
    assignment.bind();
    assignment.start();
    return life.guest(assignment);
  }

  private static boolean reaches(SwProtectedAgent guest, TdiAssignment assignment) {
    return guest.read(bar(assignment), Integer.BYTES, Kind.PRIVATE).reached();
  }

  @Test
  void oneGoesThroughItsWholeLife() {
    tsms.connect(pf, TSM);
    Holdings before = first.holdings();
    first.live(first.assignment());
    assertThat(first.states).contains(State.SPLIT, State.RUNNING);
    assertThat(first.holdings()).isEqualTo(before);
    first.requireFree("afterwards");
    assertThat(pf.tsm().orElseThrow().connect()).contains(TSM);
  }

  @Test
  void twoVmsHaveOneEachAndLoseTheirOwnAlone() {
    tsms.connect(pf, TSM);
    Holdings before = first.holdings();
    try (TdiAssignment one = first.assignment();
        TdiAssignment two = second.assignment()) {
      SwProtectedAgent guest = run(first, one);
      SwProtectedAgent neighbour = run(second, two);
      assertThat(reaches(guest, one)).isTrue();
      assertThat(reaches(neighbour, two)).isTrue();

      new TsmSim(first.address).set("error", 1);
      assertThat(one.refresh()).isEqualTo(State.ERROR);
      assertThat(reaches(neighbour, two)).isTrue();
      assertThat(two.refresh()).isEqualTo(State.RUNNING);

      one.bind();
      one.start();
      assertThat(reaches(guest, one)).isTrue();
    }
    assertThat(first.holdings()).isEqualTo(before);
    first.requireFree("afterwards");
    second.requireFree("afterwards");
  }

  @Test
  void whatTheirPfLosesTheyAllLose() {
    tsms.connect(pf, TSM);
    try (TdiAssignment one = first.assignment()) {
      run(first, one);
      // An assignment must end with what the process held at its start: the other one's things too.
      try (TdiAssignment two = second.assignment()) {
        run(second, two);
        tsms.disconnect(pf, TSM);
        assertThat(two.refresh()).isEqualTo(State.ERROR);
      }
      assertThat(one.refresh()).isEqualTo(State.ERROR);
    }
    first.requireFree("afterwards");
    second.requireFree("afterwards");
  }

  @Test
  void withoutAConnectionOfTheirPfTheSharedHalfIsDone() {
    try (TdiAssignment assignment = first.assignment()) {
      assignment.assign();
      assertThat(assignment.state()).isEqualTo(State.SHARED);
      assertThat(assignment.obstacles())
          .anyMatch(text -> text.contains("no tsm/ in sysfs before a TSM is connected to " + PF));
    }
  }
}
