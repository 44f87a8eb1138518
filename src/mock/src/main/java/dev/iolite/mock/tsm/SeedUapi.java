package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.GuestDeviceCalls.Call;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.TsmSeed2025Ioctls;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_read_measurements;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The flow with a shared and a private dma-buf for each BAR, as in the lab's kernel of that name. A
 * lock is EBUSY while the device has a dma-buf; when an interface is no longer locked or running,
 * all its dma-bufs with a kind are permanently revoked.
 */
final class SeedUapi {
  private static final int FIRST_OPERATION = Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();
  private static final int LAST_OPERATION = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();

  /** drivers/iommu/iommufd/tsm.c: TSM_REQ_MAX. */
  private static final int MOST_BYTES = 64 << 10;

  private final Task task;
  private final LinkTsm tsm;
  private final AssignedTdis tdis;
  private final Optional<Arch> arch;
  private final Map<Integer, TsmRequests.Operation> operations;

  private SeedUapi(Task task, LinkTsm tsm, Optional<Arch> arch) {
    this.task = task;
    this.tsm = tsm;
    this.arch = arch;
    tdis = new AssignedTdis(tsm);
    TsmRequests requests = new TsmRequests(task, tsm, false);
    operations = requests.operations(this::requireNoDmaBufs);
    operations.put(TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT(), requests::report);
    operations.put(
        TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS(),
        (function, buffers) -> {
          MemorySegment asked =
              requests.payload(function, buffers, iommu_vdevice_tsm_read_measurements.sizeof());
          MemorySegment nonce = iommu_vdevice_tsm_read_measurements.nonce(asked);
          return requests.measurements(function, buffers, nonce);
        });
    if (arch.equals(Optional.of(Arch.SEV))) {
      operations.putAll(requests.sevOperations());
    }
  }

  /**
   * The calls.
   *
   * @param arch the architecture whose requests the TSM accepts; empty: it is software and accepts
   *     all
   */
  static TsmUapi of(Task task, LinkTsm tsm, Optional<Arch> arch) {
    SeedUapi uapi = new SeedUapi(task, tsm, arch);
    tsm.listen(uapi::changed);
    tsm.mapsBySlots();
    return new TsmUapi(
        new VdeviceCalls(
            uapi.tdis,
            List.of(
                new OpCommand(uapi.tdis, uapi::requireNoDmaBufs)
                    .of(TsmSeed2025Ioctls.IOMMU_VDEVICE_TSM_OP),
                ArchRequests.command(TsmSeed2025Ioctls.IOMMU_VDEVICE_TSM_REQ, uapi::request)),
            _ -> {},
            uapi::hasViommu),
        new SeedDmaBufs(task, uapi.tdis),
        new SeedSlots(),
        1L << TsmSeed2025.KVM_HC_TSM());
  }

  /** drivers/iommu/iommufd/tsm.c:tsm_req, and what a TSM's driver adds. */
  private boolean takes(int asked) {
    return arch.map(Stream::of)
        .orElseGet(() -> Stream.of(Arch.values()))
        .anyMatch(one -> one.number() == asked);
  }

  private void changed(TeeFunction function) {
    if (!tsm.isLocked(function)) {
      tdis.revoke(function);
    }
  }

  /**
   * drivers/iommu/iommufd/tsm.c:iommufd_vdevice_tsm_req_ioctl. A code is returned whenever the
   * vDEVICE exists; it is 0 if the TSM was not reached.
   */
  private int request(Call call) {
    MemorySegment asked = call.argument();
    GuestDevice device = call.guestDevice(iommu_vdevice_tsm_req.vdevice_id(asked));
    iommu_vdevice_tsm_req.tsm_code(asked, 0);
    try {
      int residue = forward(device, asked);
      call.respond();
      return residue;
    } catch (Refused e) {
      call.respond();
      throw e;
    }
  }

  /** drivers/iommu/iommufd/tsm.c:tsm_req. */
  private int forward(GuestDevice device, MemorySegment asked) {
    TeeFunction function = tdis.function(device);
    int operation = iommu_vdevice_tsm_req.op(asked);
    refuseIf(!takes(iommu_vdevice_tsm_req.tvm_arch(asked)), Errno.EINVAL);
    refuseIf(operation < FIRST_OPERATION || operation > LAST_OPERATION, Errno.EINVAL);
    int bytes = iommu_vdevice_tsm_req.req_len(asked);
    int room = iommu_vdevice_tsm_req.resp_len(asked);
    refuseIf(Integer.compareUnsigned(bytes, MOST_BYTES) > 0 || room < 0, Errno.E2BIG);
    task.in(iommu_vdevice_tsm_req.req_uptr(asked), bytes);
    tsm.requireBound(function);
    try {
      return ArchRequests.execute(operations, function, asked);
    } catch (Refused e) {
      iommu_vdevice_tsm_req.tsm_code(asked, -e.errno().negated());
      throw e;
    }
  }

  /** drivers/vfio/pci/vfio_pci_tdi.c:prepare_lock. Mapped BARs are just taken away. */
  private void requireNoDmaBufs(TeeFunction function) {
    boolean becomesLocked = !tsm.isLocked(function);
    refuseIf(becomesLocked && tdis.hasLiveDmaBufs(function), Errno.EBUSY);
  }

  /** drivers/iommu/iommufd/tsm.c:iommufd_tsm_viommu_ops. */
  private boolean hasViommu(IommuDevice device, int type) {
    return type == Tsm.IOMMU_VIOMMU_TYPE_TDX()
        && tsm.function(device.name()).filter(tsm::isConnected).isPresent();
  }
}
