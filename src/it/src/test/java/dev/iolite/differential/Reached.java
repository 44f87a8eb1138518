package dev.iolite.differential;

import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.vfio.Vfio;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** How often programs came to what is worth comparing. */
final class Reached {
  /** What is counted, and how often it must happen in 100,000 calls of programs for seed-2025. */
  enum Goal {
    BOUND("interfaces bound", 1000),
    BUSY("binds refused for a dma-buf that was open", 250),
    RUNNING("interfaces that run", 300),
    REPORT("reports read", 150),
    MEASUREMENTS("measurements read", 20),
    VALIDATED("validations of private memory", 20),
    PRIVATE_BUF("private dma-bufs", 250),
    RUNS("answers of what runs a dma-buf has", 250),
    PRIVATE_SLOT("private slots", 100),
    SHARED_SLOT("shared slots", 150),
    PRIVATE_READ("reads of private memory by a guest", 60),
    SHARED_READ("reads of shared memory by a guest", 60),
    REVOKED("slots that were read and then found revoked", 50),
    IMPORTED("dma-bufs mapped into an IOAS", 150),
    TAKEN_AWAY("mapped pages that a lock had taken away", 150),
    HYPERCALL("hypercalls that left to the VMM", 100),
    ASLEEP("devices put into low power", 100),
    WRITTEN_BY_EVENT("ioeventfds of a device's memory", 300),
    LOST("requests to a device whose link is lost", 30);

    private final String label;
    private final int least;

    Goal(String label, int least) {
      this.label = label;
      this.least = least;
    }
  }

  private static final String MARKED = Integer.toHexString(MapCalls.MARK >>> 16);
  private static final int STATE_RUN = 2;
  private static final long LOW_POWER_ENTRY = Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY();

  private final Map<Goal, Long> counts = new EnumMap<>(Goal.class);
  private long calls;

  Reached() {
    for (Goal goal : Goal.values()) {
      counts.put(goal, 0L);
    }
  }

  /** Counts what the calls of a program answered. */
  void add(Program program, List<String> answers) {
    OneProgram one = new OneProgram();
    int count = Math.min(program.ops().size(), answers.size());
    for (int i = 0; i < count; i++) {
      one.add(program.ops().get(i), answers.get(i));
    }
    calls += count;
  }

  /** What happened less often than it must. */
  List<Goal> missed() {
    return counts.entrySet().stream()
        .filter(goal -> goal.getValue() * 100_000 < goal.getKey().least * calls)
        .map(Map.Entry::getKey)
        .toList();
  }

  /** A line for each. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    counts.forEach((goal, count) -> text.append("%8d %s%n".formatted(count, goal.label)));
    return text.toString();
  }

  private record Slot(boolean isPrivate, long gpa) {}

  /** What has to be known of a program's calls so far. */
  private final class OneProgram {
    /** The slots over dma-bufs, of whatever VM, by number. */
    private final Map<Long, Slot> slots = new HashMap<>();

    /** Whether a link was lost before. */
    private boolean lost;

    /** Where a guest has read one. */
    private final Set<Long> read = new HashSet<>();

    private void count(Goal goal, boolean happened) {
      if (happened) {
        counts.merge(goal, 1L, Long::sum);
      }
    }

    private void add(Op op, String answer) {
      boolean done = !answer.startsWith("E");
      switch (op.kind()) {
        case TSM_OP -> {
          boolean binds = op.arg(1) == Tsm.IOMMU_VDEVICE_TSM_BIND();
          count(Goal.BOUND, binds && done);
          count(Goal.BUSY, binds && answer.equals("EBUSY"));
        }
        case TSM_REQ -> {
          request(op, done);
          count(Goal.LOST, lost && answer.startsWith("EIO code 5"));
        }
        case TSM_FAULT -> lost |= op.arg(1) != 0;
        case LOW_POWER -> count(Goal.ASLEEP, done && op.arg(1) == LOW_POWER_ENTRY);
        case IOEVENTFD -> count(Goal.WRITTEN_BY_EVENT, done);
        case EXPORT ->
            count(Goal.PRIVATE_BUF, done && op.arg(1) == TsmSeed2025.VFIO_DMA_BUF_PRIVATE());
        case RUNS, DEVICE_RUNS -> count(Goal.RUNS, done);
        case BUF_SLOT -> slot(op, done);
        case SLOT -> {
          if (done) {
            forget(op.arg(2));
          }
        }
        case GUEST_READ -> read(op.arg(1), answer);
        case MAP_FILE -> count(Goal.IMPORTED, done && op.arg(2) != 0);
        case TOUCH -> count(Goal.TAKEN_AWAY, answer.equals("SIGBUS"));
        case GUEST_CALL -> count(Goal.HYPERCALL, answer.contains("call "));
        default -> {}
      }
    }

    private void request(Op op, boolean done) {
      long operation = op.arg(1);
      if (operation == Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE()) {
        count(Goal.RUNNING, done && op.arg(6) == STATE_RUN);
      } else if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT()) {
        count(Goal.REPORT, done);
      } else if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS()) {
        count(Goal.MEASUREMENTS, done);
      } else if (operation == Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO()) {
        count(Goal.VALIDATED, done);
      }
    }

    private void forget(long number) {
      Slot slot = slots.remove(number);
      if (slot != null) {
        read.remove(slot.gpa);
      }
    }

    private void slot(Op op, boolean done) {
      if (!done) {
        return;
      }
      forget(op.arg(1));
      if (op.arg(4) != 0) {
        boolean isPrivate = (op.arg(2) & TsmSeed2025.KVM_MEM_PRIVATE_ONLY()) != 0;
        count(isPrivate ? Goal.PRIVATE_SLOT : Goal.SHARED_SLOT, true);
        slots.put(op.arg(1), new Slot(isPrivate, op.arg(3)));
      }
    }

    private void read(long gpa, String answer) {
      count(Goal.REVOKED, answer.contains("EIO") && read.contains(gpa));
      if (answer.contains("out " + MARKED)) {
        read.add(gpa);
        for (Slot slot : slots.values()) {
          if (slot.gpa == gpa) {
            count(slot.isPrivate ? Goal.PRIVATE_READ : Goal.SHARED_READ, true);
          }
        }
      }
    }
  }
}
