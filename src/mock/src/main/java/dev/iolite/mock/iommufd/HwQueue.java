package dev.iolite.mock.iommufd;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.IommuDevice.Translation;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Refused;
import java.lang.foreign.MemorySegment;

/** A guest's queue that the IOMMU uses itself (struct iommufd_hw_queue). */
public final class HwQueue extends ContextObject {
  private final IommufdViommu viommu;
  private final KernelAccess access;

  /**
   * Makes a queue that has an id and that the driver knows.
   *
   * @param index its index among the vIOMMU's queues
   * @param iova its address in the vIOMMU's IOAS
   * @param bytes its length; not 0
   * @throws Refused an error of pinning it or of the driver; then nothing is kept
   */
  HwQueue(IommufdViommu viommu, int index, long iova, long bytes) {
    super(viommu.context());
    this.viommu = viommu;
    context().objects().allocate(this);
    try {
      access =
          KernelAccess.open(
              viommu.parent().ioas(), iova & -Page.BYTES, ((iova + bytes - 1) | (Page.BYTES - 1)));
    } catch (Refused e) {
      context().objects().abort(this);
      throw e;
    }
    viommu.get();
    try {
      viommu.ops().initHwQueue(this, index, memory(viommu.parentTranslation(), iova));
    } catch (Refused e) {
      access.close();
      viommu.put();
      context().objects().abort(this);
      throw e;
    }
  }

  private static Memory memory(Translation table, long iova) {
    return new Memory() {
      @Override
      public void read(long offset, MemorySegment into) {
        table.read(iova + offset, into);
      }

      @Override
      public void write(long offset, MemorySegment from) {
        table.write(iova + offset, from);
      }
    };
  }

  /** Undoes its creation before it is published. */
  void abort() {
    destroy();
    context().objects().abort(this);
  }

  @Override
  String kind() {
    return "HW queue";
  }

  /** viommu.c:iommufd_hw_queue_destroy. */
  @Override
  void destroy() {
    viommu.ops().destroyHwQueue(this);
    access.close();
    viommu.put();
  }
}
