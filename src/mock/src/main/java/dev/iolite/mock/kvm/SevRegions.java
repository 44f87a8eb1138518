package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Pin;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import java.util.ArrayList;
import java.util.List;

/** The memory of a VM's owner that is encrypted, and pinned so that it does not move. */
final class SevRegions {
  private record Region(long address, long bytes, Pin pin) {}

  private final Task task;
  private final List<Region> regions = new ArrayList<>();

  SevRegions(Task task) {
    this.task = task;
  }

  void register(long address, long bytes) {
    regions.add(new Region(address, bytes, pin(task, address, bytes, false)));
  }

  /** arch/x86/kvm/svm/sev.c:sev_pin_memory: ENOMEM if any of it can't be pinned. */
  static Pin pin(Task task, long address, long bytes, boolean write) {
    refuseIf(bytes == 0 || Long.compareUnsigned(address + bytes, address) < 0, Errno.EINVAL);
    try {
      return task.memory().pin(address, bytes, write);
    } catch (Refused e) {
      throw refused(Errno.ENOMEM);
    }
  }

  /** find_enc_region: only a region of exactly this address and size. */
  void unregister(long address, long bytes) {
    Region found =
        regions.stream()
            .filter(region -> region.address == address && region.bytes == bytes)
            .findFirst()
            .orElseThrow(() -> refused(Errno.EINVAL));
    regions.remove(found);
    found.pin.release();
  }

  void moveFrom(SevRegions other) {
    regions.addAll(other.regions);
    other.regions.clear();
  }

  void release() {
    regions.forEach(region -> region.pin.release());
    regions.clear();
  }
}
