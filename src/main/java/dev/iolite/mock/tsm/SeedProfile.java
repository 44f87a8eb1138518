package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDeviceCalls;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_read_measurements;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_req;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * The flow with a shared and a private dma-buf for each BAR, as in the lab's kernel of that name. A
 * lock fails with EBUSY while there is a dma-buf of the device; once an interface is neither locked
 * nor running, all dma-bufs with a kind are revoked for good.
 */
final class SeedProfile extends VdeviceProfile {
  private static final int FIRST_OPERATION = TsmSeed2025.IOMMU_VDEVICE_TSM_VALIDATE_MMIO();
  private static final int LAST_OPERATION = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();

  /** drivers/iommu/iommufd/tsm.c: TSM_REQ_MAX. */
  private static final int MOST_BYTES = 64 << 10;

  private final TsmRequests requests;
  private final SeedDmaBufs dmaBufs;
  private final Task task;
  private final IntPredicate archs;
  private final boolean isSev;

  /**
   * The calls.
   *
   * @param arch whose requests the TSM takes; 0: it is software, and takes all
   */
  SeedProfile(Task task, LinkTsm tsm, int arch) {
    super(new AssignedTdis(tsm));
    requests = new TsmRequests(task, tsm, false);
    this.task = task;
    archs = takes(arch);
    dmaBufs = new SeedDmaBufs(task, tdis());
    isSev = arch == TsmSeed2025.IOMMU_VDEVICE_TSM_ARCH_SEV();
    tsm.listen(this::changed);
  }

  /** drivers/iommu/iommufd/tsm.c:tsm_req, and what a TSM's driver adds. */
  private static IntPredicate takes(int arch) {
    return arch == 0
        ? asked ->
            asked >= TsmSeed2025.IOMMU_VDEVICE_TSM_ARCH_CCA()
                && asked <= TsmSeed2025.IOMMU_VDEVICE_TSM_ARCH_TDX()
        : asked -> asked == arch;
  }

  private void changed(TeeFunction function) {
    if (!tdis().tsm().isLocked(function)) {
      tdis().revoke(function);
    }
  }

  @Override
  public AssignedDeviceCalls assignedDevices() {
    return dmaBufs;
  }

  @Override
  public DmaBufSlots slots() {
    return new SeedSlots();
  }

  @Override
  public List<Command> commands() {
    return List.of(
        bindOrUnbind(TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), this::requireNoDmaBufs),
        new Command(
            TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(),
            iommu_vdevice_tsm_req.layout(),
            "tsm_code",
            this::request));
  }

  /**
   * drivers/iommu/iommufd/tsm.c:iommufd_vdevice_tsm_req_ioctl. A code comes back whenever there is
   * the vDEVICE; it is 0 if the TSM was not reached.
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
    TeeFunction function = tdis().function(device);
    int operation = iommu_vdevice_tsm_req.op(asked);
    refuseIf(!archs.test(iommu_vdevice_tsm_req.tvm_arch(asked)), Errno.EINVAL);
    refuseIf(operation < FIRST_OPERATION || operation > LAST_OPERATION, Errno.EINVAL);
    int bytes = iommu_vdevice_tsm_req.req_len(asked);
    int room = iommu_vdevice_tsm_req.resp_len(asked);
    refuseIf(Integer.compareUnsigned(bytes, MOST_BYTES) > 0 || room < 0, Errno.E2BIG);
    long address = iommu_vdevice_tsm_req.req_uptr(asked);
    task.in(address, bytes);
    tdis().tsm().requireBound(function);
    try {
      long answer = iommu_vdevice_tsm_req.resp_uptr(asked);
      return execute(function, operation, new TsmRequests.Buffers(address, bytes, answer, room));
    } catch (Refused e) {
      iommu_vdevice_tsm_req.tsm_code(asked, -e.errno().negated());
      throw e;
    }
  }

  /** drivers/vfio/pci/vfio_pci_tdi.c:prepare_lock. BARs that are mapped are just taken away. */
  private void requireNoDmaBufs(TeeFunction function) {
    boolean becomesLocked = !tdis().tsm().isLocked(function);
    refuseIf(becomesLocked && tdis().hasLiveDmaBufs(function), Errno.EBUSY);
  }

  /** drivers/iommu/iommufd/tsm.c:iommufd_tsm_viommu_ops. */
  @Override
  public boolean hasViommu(IommuDevice device, int type) {
    return type == TsmSeed2025.IOMMU_VIOMMU_TYPE_TDX()
        && tdis().tsm().function(device.name()).filter(tdis().tsm()::isConnected).isPresent();
  }

  @Override
  public long hypercallExits() {
    return 1L << TsmSeed2025.KVM_HC_TSM();
  }

  private int execute(TeeFunction function, int operation, TsmRequests.Buffers buffers) {
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_VALIDATE_MMIO()) {
      return requests.validateMmio(function, buffers);
    }
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_SET_TDI_STATE()) {
      return requests.setState(function, buffers, this::requireNoDmaBufs);
    }
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT()) {
      return requests.report(function, buffers);
    }
    if (operation == TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS()) {
      MemorySegment asked =
          requests.payload(function, buffers, iommu_vdevice_tsm_read_measurements.sizeof());
      MemorySegment nonce = iommu_vdevice_tsm_read_measurements.nonce(asked);
      return requests.measurements(function, buffers, nonce);
    }
    boolean isDma =
        operation == TsmSeed2025.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA()
            || operation == TsmSeed2025.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA();
    if (isSev && isDma) {
      return requests.switchDma(function, buffers);
    }
    throw refused(Errno.EINVAL);
  }
}
