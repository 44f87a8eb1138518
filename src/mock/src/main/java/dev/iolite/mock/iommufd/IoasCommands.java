package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;
import static java.lang.Long.compareUnsigned;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_allow_iovas;
import dev.iolite.uapi.iommufd.iommu_ioas_change_process;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_ioas_noiommu_get_pa;
import dev.iolite.uapi.iommufd.iommu_iova_range;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Commands on an IOAS as a whole (ioas.c). */
final class IoasCommands {
  private static final long RANGE_BYTES = iommu_iova_range.sizeof();

  private IoasCommands() {}

  /** IOMMU_IOAS_ALLOC (iommufd_ioas_alloc_ioctl). */
  static void alloc(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_ioas_alloc.flags(cmd) != 0, Errno.EOPNOTSUPP);
    ObjectTable objects = ucmd.context().objects();
    var ioas = new IommufdIoas(ucmd.context());
    objects.allocate(ioas);
    iommu_ioas_alloc.out_ioas_id(cmd, ioas.id());
    try {
      ucmd.respond();
    } catch (Refused e) {
      objects.abort(ioas);
      throw e;
    }
    objects.publish(ioas);
  }

  /** IOMMU_IOAS_IOVA_RANGES (iommufd_ioas_iova_ranges). */
  static void iovaRanges(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_ioas_iova_ranges.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    IoPageTable table =
        ucmd.context()
            .objects()
            .get(iommu_ioas_iova_ranges.ioas_id(cmd), IommufdIoas.class)
            .table();
    long room = Integer.toUnsignedLong(iommu_ioas_iova_ranges.num_iovas(cmd));
    List<AllowedIovas.Span> spans = table.reserved().holes(0, -1);
    MemorySegment range = ucmd.task().scratch(RANGE_BYTES);
    for (int i = 0; i < spans.size() && i < room; i++) {
      iommu_iova_range.start(range, spans.get(i).first());
      iommu_iova_range.last(range, spans.get(i).last());
      ucmd.task().out(iommu_ioas_iova_ranges.allowed_iovas(cmd) + i * RANGE_BYTES, range);
    }
    iommu_ioas_iova_ranges.num_iovas(cmd, spans.size());
    iommu_ioas_iova_ranges.out_iova_alignment(cmd, table.alignment());
    ucmd.respond();
    refuseIf(spans.size() > room, Errno.EMSGSIZE);
  }

  /** IOMMU_IOAS_ALLOW_IOVAS (iommufd_ioas_allow_iovas). */
  static void allowIovas(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_ioas_allow_iovas.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    IommufdIoas ioas =
        ucmd.context().objects().get(iommu_ioas_allow_iovas.ioas_id(cmd), IommufdIoas.class);
    var ranges = new AllowedIovas();
    long count = Integer.toUnsignedLong(iommu_ioas_allow_iovas.num_iovas(cmd));
    MemorySegment range = ucmd.task().scratch(RANGE_BYTES);
    for (long i = 0; i < count; i++) {
      ucmd.task().user().read(iommu_ioas_allow_iovas.allowed_iovas(cmd) + i * RANGE_BYTES, range);
      load(ranges, iommu_iova_range.start(range), iommu_iova_range.last(range));
    }
    ioas.table().allow(ranges);
  }

  /** iommufd_ioas_load_iovas. */
  private static void load(AllowedIovas ranges, long first, long last) {
    refuseIf(compareUnsigned(first, last) >= 0, Errno.EINVAL);
    refuseIf(ranges.overlaps(first, last), Errno.EINVAL);
    ranges.add(first, last);
  }

  /** IOMMU_IOAS_CHANGE_PROCESS (iommufd_ioas_change_process): there is one process. */
  static void changeProcess(Ucmd ucmd) {
    refuseIf(iommu_ioas_change_process.__reserved(ucmd.argument()) != 0, Errno.EOPNOTSUPP);
    ObjectTable objects = ucmd.context().objects();
    for (int id = 0; id < objects.end(); id++) {
      if (objects.find(id) instanceof IommufdIoas ioas) {
        ioas.table().forEach(area -> refuseIf(!area.pages.isFile(), Errno.EINVAL));
      }
    }
  }

  /**
   * IOMMU_IOAS_NOIOMMU_GET_PA (iommufd_ioas_noiommu_get_pa): only for an IOAS whose devices have no
   * IOMMU, and there are none.
   */
  static void physicalAddress(Ucmd ucmd) {
    MemorySegment cmd = ucmd.argument();
    refuseIf(iommu_ioas_noiommu_get_pa.flags(cmd) != 0, Errno.EOPNOTSUPP);
    refuseIf(iommu_ioas_noiommu_get_pa.__reserved(cmd) != 0, Errno.EOPNOTSUPP);
    refuseIf(iommu_ioas_noiommu_get_pa.length(cmd) == 0, Errno.EINVAL);
    long iova = iommu_ioas_noiommu_get_pa.iova(cmd);
    refuseIf(iova == -1, Errno.EOVERFLOW);
    IommufdIoas ioas =
        ucmd.context().objects().get(iommu_ioas_noiommu_get_pa.ioas_id(cmd), IommufdIoas.class);
    Area area = ioas.table().areas().at(iova);
    if (area == null) {
      throw refused(Errno.ENOENT);
    }
    throw refused(area.pages.isRevoked() ? Errno.EINVAL : Errno.EOPNOTSUPP);
  }
}
