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
import java.util.Optional;

/**
 * The proposal in which making the vDEVICE binds it, without a lock, and destroying it unbinds it.
 * Its objects have two types here, whose numbers are this project's own: the interface's report,
 * and the measurements of its device, which exist once they have been regenerated with the guest's
 * nonce. The size of an object is a 64-bit number.
 */
final class CcaV7Profile extends VdeviceProfile {
  private static final int REPORT = TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_REPORT();
  private static final int MEASUREMENTS = TsmCcaV7.IOMMU_VDEVICE_TSM_OBJECT_MEASUREMENTS();

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

  private MemorySegment object(TeeFunction function, int type) {
    refuseIf(type != REPORT && type != MEASUREMENTS, Errno.EINVAL);
    return MemorySegment.ofArray(
        type == REPORT ? tsm.report(function) : tsm.keptMeasurements(function));
  }

  /** As much of the object as there is room for, from an offset on; EINVAL beyond its end. */
  private int read(TeeFunction function, TsmRequests.Buffers buffers) {
    MemorySegment asked =
        requests.payload(function, buffers, iommu_vdevice_tsm_read_object.sizeof());
    int type = iommu_vdevice_tsm_read_object.type(asked);
    long offset = iommu_vdevice_tsm_read_object.offset(asked);
    MemorySegment object = object(function, type);
    refuseIf(Long.compareUnsigned(offset, object.byteSize()) > 0, Errno.EINVAL);
    return requests.answer(buffers, object.asSlice(offset));
  }

  /** The report is always fresh: there is nothing to do but to look at it. */
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

  @Override
  public void added(GuestDevice device) {
    tdis().bind(device, Optional.empty());
  }
}
