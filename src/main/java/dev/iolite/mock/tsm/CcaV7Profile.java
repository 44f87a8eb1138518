package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsmccav7.TsmCcaV7;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_object_info;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_read_object;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_regenerate_object;
import dev.iolite.uapi.tsmccav7.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The proposal in which making the vDEVICE binds it, without a lock, and destroying it unbinds it.
 * Its objects are of one type here, {@link #REPORT}, and of its size a 64-bit number is told.
 */
final class CcaV7Profile extends VdeviceProfile {
  /** The only type of object that the model has: the interface's report; the number is ours. */
  static final int REPORT = 0;

  private final Task task;
  private final LinkTsm tsm;
  private final TsmRequests requests;
  private final ArchRequests archRequests;

  CcaV7Profile(Task task, LinkTsm tsm, int arch) {
    super(new AssignedTdis(tsm));
    this.task = task;
    this.tsm = tsm;
    requests = new TsmRequests(task, tsm, true);
    archRequests = new ArchRequests(tdis(), arch, this::execute);
  }

  @Override
  public List<Command> commands() {
    return List.of(
        new Command(
            TsmCcaV7.IOMMU_VDEVICE_TSM_REQ(),
            iommu_vdevice_tsm_req.layout(),
            "tsm_code",
            archRequests::execute));
  }

  private int execute(TeeFunction function, int operation, TsmRequests.Buffers buffers) {
    if (operation == TsmCcaV7.IOMMU_VDEVICE_TSM_VALIDATE_MMIO()) {
      return requests.validateMmio(function, buffers);
    } else if (operation == TsmCcaV7.IOMMU_VDEVICE_TSM_SET_TDI_STATE()) {
      return requests.setState(function, buffers, _ -> {});
    } else if (operation == TsmCcaV7.IOMMU_VDEVICE_TSM_READ_OBJECT()) {
      return read(function, buffers);
    } else if (operation == TsmCcaV7.IOMMU_VDEVICE_TSM_REGENERATE_OBJECT()) {
      return regenerate(function, buffers);
    } else if (operation == TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_INFO()) {
      return info(function, buffers);
    }
    throw refused(Errno.EINVAL);
  }

  private static void requireReport(int type) {
    refuseIf(type != REPORT, Errno.EINVAL);
  }

  /** As much of the object as there is room for, from an offset on; EINVAL beyond its end. */
  private int read(TeeFunction function, TsmRequests.Buffers buffers) {
    MemorySegment asked =
        requests.payload(function, buffers, iommu_vdevice_tsm_read_object.sizeof());
    requireReport(iommu_vdevice_tsm_read_object.type(asked));
    long offset = iommu_vdevice_tsm_read_object.offset(asked);
    MemorySegment report = MemorySegment.ofArray(tsm.report(function));
    refuseIf(Long.compareUnsigned(offset, report.byteSize()) > 0, Errno.EINVAL);
    return requests.answer(buffers, report.asSlice(offset));
  }

  /** The report is always fresh: there is nothing to do but to look at it. */
  private int regenerate(TeeFunction function, TsmRequests.Buffers buffers) {
    long bytes = iommu_vdevice_tsm_regenerate_object.sizeof();
    MemorySegment asked = requests.payload(function, buffers, bytes);
    requireReport(iommu_vdevice_tsm_regenerate_object.type(asked));
    refuseIf(iommu_vdevice_tsm_regenerate_object.flags(asked) != 0, Errno.EINVAL);
    tsm.report(function);
    return TsmRequests.residue(buffers, bytes, 0);
  }

  private int info(TeeFunction function, TsmRequests.Buffers buffers) {
    MemorySegment asked =
        requests.payload(function, buffers, iommu_vdevice_tsm_object_info.sizeof());
    requireReport(iommu_vdevice_tsm_object_info.type(asked));
    MemorySegment size = task.scratch(Long.BYTES);
    size.set(ValueLayout.JAVA_LONG, 0, tsm.report(function).length);
    return requests.answer(buffers, size);
  }

  @Override
  public void added(GuestDevice device) {
    tdis().bind(device, false);
  }
}
