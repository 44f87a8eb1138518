package dev.iolite.mock.vfio;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.MappableMemory;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.device.SparseMemory;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Those BARs of a device that are memory, and that its user has mapped from files of the host: an
 * access does not come to the model. As in the kernel (vfio_pci_zap_bars), an access is a SIGBUS
 * while memory is disabled.
 */
final class MappableBars {
  private record Shared(String name, MappableMemory mappable, SparseMemory memory) {}

  private final Task task;
  private final VfioPciCore core;
  private final Map<Integer, Shared> byBar = new HashMap<>();

  MappableBars(Task task, VfioPciCore core) {
    this.task = task;
    this.core = core;
  }

  /**
   * A file of the host that has a BAR where the device's file has it.
   *
   * @param name the name that the file has or is to have
   * @return empty if the BAR has registers or may have to be hidden in part, or if its file already
   *     has another name
   */
  OptionalInt file(int bar, String name) {
    Shared shared = byBar.get(bar);
    if (shared == null) {
      Optional<SparseMemory> memory =
          core.pci().function().plainMemory(bar).filter(plain -> plain.bytes() >= Page.BYTES);
      if (memory.isEmpty() || core.device().calls().locksDevices()) {
        return OptionalInt.empty();
      }
      long start = (long) bar << Regions.OFFSET_SHIFT;
      shared = new Shared(name, task.newMappable(name, start, memory.get().bytes()), memory.get());
      byBar.put(bar, shared);
      update();
    }
    return shared.name.equals(name)
        ? OptionalInt.of(shared.mappable.hostFd())
        : OptionalInt.empty();
  }

  /** Shows or hides them, after a call that may have enabled or disabled memory. */
  void update() {
    byBar.forEach((bar, shared) -> {
      boolean isReachable =
          core.isMappable(bar, new BarRange(0, shared.memory.bytes()))
              && core.pci().function().answers(bar);
      if (isReachable && !shared.memory.isShown()) {
        shared.memory.moveTo(shared.mappable);
      } else if (!isReachable && shared.memory.isShown()) {
        shared.memory.takeBack();
      }
    });
  }

  /** The device is closed, and nothing of it is mapped any longer. */
  void close() {
    for (Shared shared : byBar.values()) {
      if (shared.memory.isShown()) {
        shared.memory.takeBack();
      }
      shared.mappable.close();
    }
    byBar.clear();
  }
}
