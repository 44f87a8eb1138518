package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice.Mapped;
import dev.iolite.mock.core.IommuDevice.PageRequest;
import dev.iolite.mock.core.IommuDevice.Translation;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a group's devices have while they are attached (struct iommufd_attach_handle).
 *
 * @param hwpt the page table
 * @param device the first one attached, to which page requests are attributed
 */
record AttachedTranslation(HwPagetable hwpt, IommufdDevice device) implements Translation {
  @Override
  public void read(long iova, MemorySegment into) {
    hwpt.translation().read(iova, into);
  }

  @Override
  public void write(long iova, MemorySegment from) {
    hwpt.translation().write(iova, from);
  }

  @Override
  public List<Mapped> mappings() {
    return hwpt.translation().mappings();
  }

  @Override
  public void requestPages(List<PageRequest> group, Consumer<Boolean> answer) {
    hwpt.faults()
        .ifPresentOrElse(queue -> queue.deliver(this, group, answer), () -> answer.accept(false));
  }

  /**
   * Ends the remaining requests, which nobody will handle (eventq.c:iommufd_auto_response_faults).
   */
  void endRequests() {
    hwpt.faults().ifPresent(queue -> queue.refuseAllOf(this));
  }
}
