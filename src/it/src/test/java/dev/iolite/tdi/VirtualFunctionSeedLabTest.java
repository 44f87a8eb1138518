package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.steps.Holdings;
import dev.iolite.tdi.guest.SwProtectedAgent;
import dev.iolite.tdi.layout.Kind;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Interfaces that are virtual functions: the lab's machine {@code sriov} with its kernel seed-2025.
 * Their PF keeps its driver and has the connection of all of them.
 */
@Tag("seed-sriov")
class VirtualFunctionSeedLabTest {
  private final VirtualFunctions functions;
  private final SeedLife first = new SeedLife(VirtualFunctions.FIRST);
  private final SeedLife second = new SeedLife(VirtualFunctions.SECOND);

  VirtualFunctionSeedLabTest() throws IOException {
    functions = new VirtualFunctions();
  }

  @AfterEach
  void removeThem() throws IOException {
    functions.close();
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
    functions.connect();
    Holdings before = first.holdings();
    first.live(first.assignment());
    assertThat(first.states).contains(State.SPLIT, State.RUNNING);
    assertThat(first.holdings()).isEqualTo(before);
    first.requireFree("afterwards");
    assertThat(functions.connected()).isTrue();
  }

  @Test
  void twoVmsHaveOneEachAndLoseTheirOwnAlone() {
    functions.connect();
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
    functions.connect();
    try (TdiAssignment one = first.assignment()) {
      run(first, one);
      // An assignment must end with what the process held at its start: the other one's things too.
      try (TdiAssignment two = second.assignment()) {
        run(second, two);
        functions.disconnect();
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
          .anyMatch(text ->
              text.contains(
                  "no tsm/ in sysfs before a TSM is connected to " + VirtualFunctions.PF));
    }
  }
}
