package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.TsmCcaV7Ioctls;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_object_info;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_read_object;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_regenerate_object;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The proposal in which making a vDEVICE binds it, without a lock, and destroying it unbinds it.
 * Here its objects have two types, whose numbers are this project's own: the interface's report,
 * and the measurements of its device, which exist once they have been regenerated with the guest's
 * nonce. The size of an object is a 64-bit number.
 */
final class CcaV7Uapi {
  private static final int REPORT = Tsm.IOMMU_VDEVICE_TSM_OBJECT_REPORT();
  private static final int MEASUREMENTS = Tsm.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS();

  /** The monitor keeps a report in one granule (TF-RMM). */
  private static final int REPORT_BYTES = 4096;

  private final Task task;
  private final LinkTsm tsm;
  private final TsmRequests requests;

  private CcaV7Uapi(Task task, LinkTsm tsm) {
    this.task = task;
    this.tsm = tsm;
    requests = new TsmRequests(task, tsm, true);
  }

  static TsmUapi of(Task task, LinkTsm tsm, Optional<Arch> arch) {
    AssignedTdis tdis = new AssignedTdis(tsm);
    var request = new ArchRequests(tdis, arch, new CcaV7Uapi(task, tsm).operations());
    return new TsmUapi(
        new VdeviceCalls(
            tdis,
            List.of(request.of(TsmCcaV7Ioctls.IOMMU_VDEVICE_TSM_REQ)),
            device -> tdis.bind(device, Optional.empty()),
            (_, _) -> false),
        new NotedDevices(tdis),
        DmaBufSlots.none(),
        0);
  }

  private Map<Integer, TsmRequests.Operation> operations() {
    Map<Integer, TsmRequests.Operation> operations = requests.operations(_ -> {});
    operations.put(TsmCcaV7.IOMMU_VDEVICE_TSM_READ_OBJECT(), this::read);
    operations.put(TsmCcaV7.IOMMU_VDEVICE_TSM_REGENERATE_OBJECT(), this::regenerate);
    operations.put(TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_INFO(), this::info);
    return operations;
  }

  private MemorySegment object(TeeFunction function, int type) {
    refuseIf(type != REPORT && type != MEASUREMENTS, Errno.EINVAL);
    return MemorySegment.ofArray(
        type == REPORT ? tsm.report(function, REPORT_BYTES) : tsm.keptMeasurements(function));
  }

  /**
   * Returns as much of the object as there is room for, from an offset on; EINVAL beyond its end.
   */
  private int read(TeeFunction function, TsmRequests.Buffers buffers) {
    MemorySegment asked =
        requests.payload(function, buffers, iommu_vdevice_tsm_read_object.sizeof());
    int type = iommu_vdevice_tsm_read_object.type(asked);
    long offset = iommu_vdevice_tsm_read_object.offset(asked);
    MemorySegment object = object(function, type);
    refuseIf(Long.compareUnsigned(offset, object.byteSize()) > 0, Errno.EINVAL);
    return requests.answer(buffers, object.asSlice(offset));
  }

  /** Makes an object anew; from then on it has another nonce. */
  private int regenerate(TeeFunction function, TsmRequests.Buffers buffers) {
    long bytes = iommu_vdevice_tsm_regenerate_object.sizeof();
    MemorySegment asked = requests.payload(function, buffers, bytes);
    int type = iommu_vdevice_tsm_regenerate_object.type(asked);
    long nonce = iommu_vdevice_tsm_regenerate_object.nonce_uptr(asked);
    refuseIf(iommu_vdevice_tsm_regenerate_object.flags(asked) != 0, Errno.EINVAL);
    if (type == MEASUREMENTS) {
      MemorySegment given = task.in(nonce, TeeFunction.NONCE_BYTES);
      tsm.keepMeasurements(function, given.toArray(ValueLayout.JAVA_BYTE));
    } else {
      object(function, type);
      tsm.regenerateReport(function);
    }
    return TsmRequests.residue(buffers, bytes, 0);
  }

  private int info(TeeFunction function, TsmRequests.Buffers buffers) {
    MemorySegment asked =
        requests.payload(function, buffers, iommu_vdevice_tsm_object_info.sizeof());
    long bytes = object(function, iommu_vdevice_tsm_object_info.type(asked)).byteSize();
    MemorySegment size = task.scratch(Long.BYTES);
    size.set(ValueLayout.JAVA_LONG, 0, bytes);
    return requests.answer(buffers, size);
  }
}
