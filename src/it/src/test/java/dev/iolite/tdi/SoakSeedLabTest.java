package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.pci.PciRegs;
import dev.iolite.steps.Holdings;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.guest.SwProtectedAgent;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.TsmCallException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random lives of the lab's ivshmem on its kernel seed-2025, for as long as one likes: after each,
 * nothing is held, and the kernel has nothing to report. {@code scripts/lab --kernel seed-2025
 * --sanitised soak} runs it where the kernel looks hardest.
 */
@Tag("soak")
@ExtendWith(Soak.class)
class SoakSeedLabTest {
  private static final int MOST_ACTS = 30;
  private static final int LONGEST_DELAY_MILLIS = 20;
  private static final int STAGES_OF_A_BIND = 5;

  @TempDir private Path directory;

  private final SeedLife life = new SeedLife();
  private final TsmSim tsm = new TsmSim(SeedLife.IVSHMEM);
  private final Map<Act, Integer> done = new EnumMap<>(Act.class);
  private final Map<Act, Integer> refused = new EnumMap<>(Act.class);

  /** What may happen to an assignment. */
  private enum Act {
    BIND,
    START,
    UNBIND,
    PROVE_RELEASED,
    REFRESH,
    RESET,
    SLEEP,
    WAKE,
    GUEST_READS_PRIVATE,
    GUEST_READS_SHARED,
    GUEST_WRITES,
    GUEST_ASKS,
    DECODE_OFF,
    DECODE_ON,
    TSM_ERROR,
    LINK_LOST,
    BIND_WILL_FAIL,
    TSM_IS_SLOW,
    TSM_IS_INTERRUPTED
  }

  @Test
  void whateverHappensNothingIsHeldAndTheKernelIsWell(Duration time)
      throws IOException, InterruptedException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    System.out.printf("seed %d, %s, %s%n", seed, time, KernelReports.checks());
    Holdings before = life.holdings();
    long end = System.nanoTime() + time.toNanos();
    int lives = 0;
    int kills = 0;
    while (System.nanoTime() - end < 0) {
      String where;
      if (random.nextInt(4) == 0) {
        KilledCommand victim = new KilledCommand(directory, random);
        victim.kill();
        kills += victim.hadEnded() ? 0 : 1;
        victim.recover();
        where = victim.toString();
      } else {
        where = "life %d of seed %d".formatted(++lives, seed);
        live(random, where);
      }
      tsm.close();
      assertThat(life.holdings()).as(where).isEqualTo(before);
      life.requireFree(where);
      assertThat(directory).as(where).isEmptyDirectory();
      life.steps.clear();
      life.states.clear();
      life.stages.clear();
      life.remarks.clear();
    }
    KernelReports.requireNone();
    System.out.printf(
        "%d lives, %d processes killed; done %s; refused %s%n", lives, kills, done, refused);
    assertThat(lives).isPositive();
  }

  private void live(Random random, String where) {
    TdiAssignment assignment = life.assignment();
    List<Act> acts = new ArrayList<>();
    try {
      assignment.assign();
      SwProtectedAgent guest = life.guest(assignment);
      if (random.nextBoolean()) {
        acts.add(Act.BIND);
        acts.add(Act.START);
        attempt(Act.BIND, assignment, guest, random);
        attempt(Act.START, assignment, guest, random);
      }
      int more = random.nextInt(MOST_ACTS);
      for (int i = 0; i < more && assignment.state() != State.UNASSIGNED; i++) {
        Act act = Act.values()[random.nextInt(Act.values().length)];
        acts.add(act);
        attempt(act, assignment, guest, random);
      }
      tsm.close();
      if (assignment.state() == State.QUARANTINED) {
        assignment.endQuarantine();
      }
    } catch (RuntimeException e) {
      throw new AssertionError("%s: %s".formatted(where, acts), e);
    } finally {
      release(assignment);
    }
  }

  /** An interface that failed behind our back can't be stopped; all is given back nevertheless. */
  private void release(TdiAssignment assignment) {
    try {
      assignment.close();
    } catch (TsmCallException e) {
      refused.merge(Act.UNBIND, 1, Integer::sum);
    }
  }

  private void attempt(Act act, TdiAssignment assignment, SwProtectedAgent guest, Random random) {
    try {
      perform(act, assignment, guest, random);
      done.merge(act, 1, Integer::sum);
    } catch (PreconditionException
        | ScenarioException
        | TsmCallException
        | KernelException
        | IllegalStateException e) {
      refused.merge(act, 1, Integer::sum);
    }
  }

  private void perform(Act act, TdiAssignment assignment, SwProtectedAgent guest, Random random) {
    long bar = assignment.barAddresses().values().stream().findFirst().orElse(0L);
    long place = bar + random.nextInt(64) * Page.BYTES;
    switch (act) {
      case BIND -> assignment.bind();
      case START -> assignment.start();
      case UNBIND -> assignment.unbind();
      case PROVE_RELEASED -> assignment.endQuarantine();
      case REFRESH -> assignment.refresh();
      case RESET -> assignment.reset();
      case SLEEP -> assignment.enterLowPower();
      case WAKE -> assignment.leaveLowPower();
      case GUEST_READS_PRIVATE -> guest.read(place, Integer.BYTES, Kind.PRIVATE);
      case GUEST_READS_SHARED -> guest.read(place, Integer.BYTES, Kind.SHARED);
      case GUEST_WRITES -> guest.write(place, Integer.BYTES, random.nextInt(), Kind.PRIVATE);
      case GUEST_ASKS -> guest.ask(wish(bar, random));
      case DECODE_OFF -> assignment.writeConfig(PciRegs.COMMAND, Short.BYTES, 0);
      case DECODE_ON ->
          assignment.writeConfig(PciRegs.COMMAND, Short.BYTES, PciRegs.COMMAND_MEMORY);
      case TSM_ERROR -> tsm.set("error", 1);
      case LINK_LOST -> tsm.set("link_lost", 1);
      case BIND_WILL_FAIL -> tsm.set("bind_fail", 1 + random.nextInt(STAGES_OF_A_BIND));
      case TSM_IS_SLOW -> tsm.set("delay_ms", random.nextInt(LONGEST_DELAY_MILLIS));
      case TSM_IS_INTERRUPTED -> tsm.set("eintr", 1);
    }
  }

  /** Sensible or not. */
  private static GuestAsk wish(long bar, Random random) {
    long ram = random.nextInt(16) * Page.BYTES;
    long bytes = (1 + random.nextInt(4)) * Page.BYTES;
    Kind kind = random.nextBoolean() ? Kind.SHARED : Kind.PRIVATE;
    return switch (random.nextInt(7)) {
      case 0 -> new GuestAsk.Bind();
      case 1 -> new GuestAsk.Unbind();
      case 2 -> new GuestAsk.SetState(random.nextInt(4));
      case 3 -> new GuestAsk.ValidateMmio(bar, bar + bytes, ram, 0);
      case 4 -> new GuestAsk.ReadReport(ram, bytes);
      case 5 -> new GuestAsk.ReadMeasurements(ram, bytes);
      default -> new GuestAsk.Convert(ram, bytes, kind);
    };
  }
}
