package dev.iolite.tdi.bars;

import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.ledger.SlotAccess;
import dev.iolite.tdi.plan.PlannedSlot;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.util.Optional;

/**
 * A memory slot over a part of a BAR, with the mapping of the BAR behind it. The mapping is removed
 * only after the slot: otherwise, the process could reuse the addresses, and the slot would expose
 * whatever is there to the guest.
 */
final class GuestSlot implements AutoCloseable {
  private final MmioTarget target;
  private final Ledger ledger;
  private Optional<DeviceMemory> memory = Optional.empty();
  private Optional<MemorySlot> slot = Optional.empty();
  private boolean deleted;

  GuestSlot(MmioTarget target, Ledger ledger) {
    this.target = target;
    this.ledger = ledger;
  }

  /** Maps a part of a BAR, and gives it to the guest. */
  void addOfBar(PlannedSlot wanted) {
    DeviceMemory mapped =
        target.vfio().region(PciRegion.bar(wanted.bar())).map(wanted.barOffset(), wanted.bytes());
    memory = Optional.of(mapped);
    MemorySlot made = target.vm().addSlot(wanted.gpa(), wanted.bytes(), mapped.address());
    added(made, wanted, Optional.empty());
  }

  /** Gives a part of a dma-buf to the guest. */
  void addOfDmaBuf(PlannedSlot wanted, DmaBuf dmaBuf, String name) {
    UapiProfile profile = target.profile();
    Vm vm = target.vm();
    long gpa = wanted.gpa();
    MemorySlot made =
        wanted.kind() == Kind.PRIVATE
            ? profile.addPrivateSlot(vm, gpa, wanted.bytes(), dmaBuf, wanted.dmaBufOffset())
            : profile.addSharedSlot(vm, gpa, wanted.bytes(), dmaBuf, wanted.dmaBufOffset());
    added(made, wanted, Optional.of(name));
  }

  private void added(MemorySlot made, PlannedSlot wanted, Optional<String> dmaBuf) {
    slot = Optional.of(made);
    ledger.slotAdded(
        made.number(),
        wanted.gpa(),
        wanted.bytes(),
        wanted.kind() == Kind.PRIVATE ? SlotAccess.PRIVATE : SlotAccess.SHARED,
        dmaBuf);
  }

  /**
   * Asks the kernel to delete it, whatever its recorded state.
   *
   * @return what was still there
   */
  Optional<String> deleteIfThere() {
    boolean wasThere =
        !target.vm().fd().isClosed()
            && slot.map(MemorySlot::number).filter(target.vm()::deleteSlot).isPresent();
    gone();
    return slot.filter(_ -> wasThere).map(MemorySlot::toString);
  }

  private void gone() {
    if (!deleted) {
      slot.ifPresent(made -> ledger.slotDeleted(made.number(), made.gpa()));
      deleted = true;
    }
    memory.ifPresent(DeviceMemory::close);
  }

  /** Deletes it, then unmaps the BAR. After an error, it can be closed again. */
  @Override
  public void close() {
    if (slot.filter(MemorySlot::exists).isPresent()) {
      slot.get().close();
      gone();
    } else {
      deleteIfThere();
    }
  }
}
