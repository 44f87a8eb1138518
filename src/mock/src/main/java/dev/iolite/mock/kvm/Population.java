package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/** Puts the initial content of a confidential VM into its private memory. */
final class Population {
  private Population() {}

  /**
   * virt/kvm/guest_memfd.c:kvm_gmem_populate, for one page.
   *
   * @param source the content's address in the process's memory; 0 for a page of zeros
   * @param added the pages that are there already, to which this one is added
   * @param twice the errno for a page that is there already
   */
  static void addPage(KvmVm vm, long gpa, long source, Set<Long> added, Errno twice) {
    KvmMemorySlot slot = vm.slots().at(gpa);
    if (slot == null || !slot.hasGuestMemfd()) {
      throw refused(Errno.EINVAL);
    }
    GuestMemfdFile file = slot.guestMemfd().orElseThrow(() -> refused(Errno.EFAULT));
    MemorySegment page = vm.task().scratch(Page.BYTES);
    if (source != 0) {
      try {
        vm.task().memory().asSeenByGuest(source).read(0, page);
      } catch (Memory.Unreachable e) {
        throw refused(Errno.EFAULT);
      }
    }
    refuseIf(!vm.attributes().isPrivate(gpa), Errno.EINVAL);
    refuseIf(!added.add(gpa), twice);
    file.pages().write(slot.guestMemfdOffset() + (gpa - slot.gpa()), page);
  }
}
