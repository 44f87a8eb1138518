package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;
import static java.lang.Long.compareUnsigned;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hw_queue_alloc;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Commands for vIOMMUs, their devices and their queues (viommu.c). */
final class ViommuCommands {
  /** The most pages for which the kernel can allocate a table (INT_MAX bytes of pointers). */
  private static final long MOST_QUEUE_PAGES = Integer.MAX_VALUE / Long.BYTES;

  private ViommuCommands() {}

  /**
   * IOMMU_VIOMMU_ALLOC (iommufd_viommu_alloc_ioctl): the type is checked before the HWPT, which
   * must be a nest parent unless the vIOMMU does not belong to the IOMMU.
   */
  static void viommu(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int type = iommu_viommu_alloc.type(cmd);
    refuseIf(
        iommu_viommu_alloc.flags(cmd) != 0 || type == Iommufd.IOMMU_VIOMMU_TYPE_DEFAULT(),
        Errno.EOPNOTSUPP);
    ObjectTable objects = ucmd.context().objects();
    IommufdDevice device = objects.get(iommu_viommu_alloc.dev_id(cmd), IommufdDevice.class);
    int dataBytes = iommu_viommu_alloc.data_len(cmd);
    boolean isOther = ucmd.context().guestDeviceCalls().hasViommu(device.device(), type);
    refuseIf(isOther && dataBytes != 0, Errno.EINVAL);
    ViommuDriver driver =
        isOther
            ? (_, _, _) -> new ViommuOps() {}
            : device
                .iommu()
                .viommus(device.device(), type)
                .orElseThrow(() -> refused(Errno.EOPNOTSUPP));
    HwptPaging parent = objects.get(iommu_viommu_alloc.hwpt_id(cmd), HwptPaging.class);
    refuseIf(!isOther && !parent.isNestParent(), Errno.EINVAL);
    var data = new UserData(ucmd.task(), type, iommu_viommu_alloc.data_uptr(cmd), dataBytes);
    var viommu =
        new IommufdViommu(
            type,
            device.iommu(),
            parent,
            driver,
            dataBytes == 0 ? Optional.empty() : Optional.of(data));
    objects.allocate(viommu);
    iommu_viommu_alloc.out_viommu_id(cmd, viommu.id());
    try {
      ucmd.respond();
    } catch (Refused e) {
      viommu.destroy();
      objects.abort(viommu);
      throw e;
    }
    objects.publish(viommu);
  }

  /** IOMMU_VDEVICE_ALLOC (iommufd_vdevice_alloc_ioctl). */
  static void vdevice(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    ObjectTable objects = ucmd.context().objects();
    IommufdViommu viommu = objects.get(iommu_vdevice_alloc.viommu_id(cmd), IommufdViommu.class);
    IommufdDevice device = objects.get(iommu_vdevice_alloc.dev_id(cmd), IommufdDevice.class);
    IommufdVdevice vdevice =
        IommufdVdevice.allocate(viommu, device, iommu_vdevice_alloc.virt_id(cmd));
    iommu_vdevice_alloc.out_vdevice_id(cmd, vdevice.id());
    try {
      ucmd.respond();
    } catch (Refused e) {
      vdevice.abort();
      throw e;
    }
    objects.publish(vdevice);
  }

  /** IOMMU_HW_QUEUE_ALLOC (iommufd_hw_queue_alloc_ioctl). */
  static void hwQueue(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    int type = iommu_hw_queue_alloc.type(cmd);
    refuseIf(
        iommu_hw_queue_alloc.flags(cmd) != 0 || type == Iommufd.IOMMU_HW_QUEUE_TYPE_DEFAULT(),
        Errno.EOPNOTSUPP);
    long iova = iommu_hw_queue_alloc.nesting_parent_iova(cmd);
    long bytes = iommu_hw_queue_alloc.length(cmd);
    refuseIf(bytes == 0, Errno.EINVAL);
    refuseIf(compareUnsigned(iova + bytes - 1, iova) < 0, Errno.EOVERFLOW);
    ObjectTable objects = ucmd.context().objects();
    IommufdViommu viommu = objects.get(iommu_hw_queue_alloc.viommu_id(cmd), IommufdViommu.class);
    refuseIf(!viommu.ops().hasHwQueues(type), Errno.EOPNOTSUPP);
    requireTable(iova, bytes);
    var queue = new HwQueue(viommu, iommu_hw_queue_alloc.index(cmd), iova, bytes);
    iommu_hw_queue_alloc.out_hw_queue_id(cmd, queue.id());
    try {
      ucmd.respond();
    } catch (Refused e) {
      queue.abort();
      throw e;
    }
    objects.publish(queue);
  }

  /** Refuses what iommufd_hw_queue_alloc_phys can't count or can't record page by page. */
  private static void requireTable(long iova, long bytes) {
    long offset = iova & (Page.BYTES - 1);
    long end = offset + bytes;
    refuseIf(compareUnsigned(end, bytes) < 0, Errno.ERANGE);
    refuseIf(compareUnsigned(end, -Page.BYTES) > 0, Errno.ERANGE);
    long pages = (end + Page.BYTES - 1) >>> 12;
    refuseIf(pages > MOST_QUEUE_PAGES, Errno.ENOMEM);
  }
}
