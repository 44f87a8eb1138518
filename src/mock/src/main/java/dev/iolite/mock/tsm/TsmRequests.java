package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_set_tdi_state;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_sev_validate_mmio;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_validate_mmio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * The requests that guests make to a TSM through the VMM (drivers/pci/tsm.c:pci_tsm_guest_req, and
 * what a TSM's driver does with them). The payloads are the same in all proposals that describe
 * them.
 */
final class TsmRequests {
  private final Task task;
  private final LinkTsm tsm;
  private final boolean validationMaps;

  /**
   * Makes requests to a TSM.
   *
   * @param validationMaps whether it maps what it has validated into the VM
   */
  TsmRequests(Task task, LinkTsm tsm, boolean validationMaps) {
    this.task = task;
    this.tsm = tsm;
    this.validationMaps = validationMaps;
  }

  /**
   * The buffers of a request.
   *
   * @param address the request's address
   * @param bytes the request's length, unsigned
   * @param answerAddress the address for the answer
   * @param answerBytes the room for the answer, in bytes, unsigned
   */
  record Buffers(long address, int bytes, long answerAddress, int answerBytes) {}

  /** The operation that a request asks for. */
  @FunctionalInterface
  interface Operation {
    /**
     * Executes a request.
     *
     * @return the residue
     * @throws dev.iolite.mock.core.Refused an error of the TSM
     */
    int execute(TeeFunction function, Buffers buffers);
  }

  /**
   * The operations, by number, of all proposals with an architecture in each request; a proposal
   * adds its own.
   *
   * @param beforeLock may refuse a lock
   */
  Map<Integer, Operation> operations(Consumer<TeeFunction> beforeLock) {
    Map<Integer, Operation> all = new HashMap<>();
    all.put(Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO(), this::validateMmio);
    all.put(
        Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE(),
        (function, buffers) -> setState(function, buffers, beforeLock));
    return all;
  }

  /** The operations for SEV, in place of the others. */
  Map<Integer, Operation> sevOperations() {
    return Map.of(
        Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO(),
        this::validateSevMmio,
        Tsm.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA(),
        this::switchDma,
        Tsm.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA(),
        this::switchDma);
  }

  /**
   * A request's payload.
   *
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EIO: the link is lost; EINVAL: too
   *     short; EFAULT
   */
  MemorySegment payload(TeeFunction function, Buffers buffers, long bytes) {
    tsm.requireReached(function);
    refuseIf(Integer.toUnsignedLong(buffers.bytes) < bytes, Errno.EINVAL);
    return task.in(buffers.address, bytes);
  }

  /** The unused part of a buffer: the answer's, or else the request's. */
  static int residue(Buffers buffers, long taken, long given) {
    long unused =
        buffers.answerBytes != 0
            ? Integer.toUnsignedLong(buffers.answerBytes) - given
            : Integer.toUnsignedLong(buffers.bytes) - taken;
    return (int) Math.min(unused, Integer.MAX_VALUE);
  }

  /**
   * VALIDATE_MMIO.
   *
   * @return the residue
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EINVAL: too short; EFAULT; or an error
   *     of {@link LinkTsm#validateMmio}
   */
  private int validateMmio(TeeFunction function, Buffers buffers) {
    long bytes = iommu_vdevice_tsm_validate_mmio.sizeof();
    MemorySegment asked = payload(function, buffers, bytes);
    tsm.validateMmio(
        function,
        new MmioRange(
            iommu_vdevice_tsm_validate_mmio.gpa_base(asked),
            iommu_vdevice_tsm_validate_mmio.gpa_top(asked),
            iommu_vdevice_tsm_validate_mmio.pa_base(asked)),
        validationMaps);
    return residue(buffers, bytes, 0);
  }

  /**
   * VALIDATE_MMIO of SEV, which names the range of the report; otherwise as {@link #validateMmio}.
   */
  private int validateSevMmio(TeeFunction function, Buffers buffers) {
    long bytes = iommu_vdevice_tsm_sev_validate_mmio.sizeof();
    MemorySegment asked = payload(function, buffers, bytes);
    tsm.validateMmio(
        function,
        new MmioRange(
            iommu_vdevice_tsm_sev_validate_mmio.gpa_base(asked),
            iommu_vdevice_tsm_sev_validate_mmio.gpa_top(asked),
            iommu_vdevice_tsm_sev_validate_mmio.pa_base(asked),
            OptionalInt.of(iommu_vdevice_tsm_sev_validate_mmio.range_id(asked))),
        validationMaps);
    return residue(buffers, bytes, 0);
  }

  /**
   * SET_TDI_STATE; fails as {@link #validateMmio} does.
   *
   * @param beforeLock may refuse a lock
   */
  int setState(TeeFunction function, Buffers buffers, Consumer<TeeFunction> beforeLock) {
    long bytes = iommu_vdevice_tsm_set_tdi_state.sizeof();
    MemorySegment asked = payload(function, buffers, bytes);
    int state = iommu_vdevice_tsm_set_tdi_state.state(asked);
    if (state == TdiState.CONFIG_LOCKED.number()) {
      beforeLock.accept(function);
    }
    tsm.setState(function, state);
    return residue(buffers, bytes, 0);
  }

  /**
   * SEV_ENABLE_DMA and SEV_DISABLE_DMA: the host's half of an interface's way through the IOMMU;
   * the model does not have the other half.
   *
   * @return the residue
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EIO: it does not run
   */
  private int switchDma(TeeFunction function, Buffers buffers) {
    tsm.requireBound(function);
    refuseIf(tsm.tdi(function).filter(tdi -> tdi.state() == TdiState.RUN).isEmpty(), Errno.EIO);
    return residue(buffers, 0, 0);
  }

  /**
   * Answers with as much as there is room for.
   *
   * @return the residue
   * @throws dev.iolite.mock.core.Refused EFAULT
   */
  int answer(Buffers buffers, MemorySegment answer) {
    long room = Integer.toUnsignedLong(buffers.answerBytes);
    long given = Math.min(room, answer.byteSize());
    task.out(buffers.answerAddress, answer.asSlice(0, given));
    return residue(buffers, buffers.bytes, given);
  }

  /**
   * Answers with the interface's report.
   *
   * @return the residue
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; EIO: not locked; ENOSPC: the report does
   *     not fit; EFAULT
   */
  int report(TeeFunction function, Buffers buffers) {
    return answerWhole(buffers, tsm.report(function));
  }

  /**
   * Answers with the measurements of the interface's device.
   *
   * @param nonce the request's nonce
   * @return the residue
   * @throws dev.iolite.mock.core.Refused ENXIO: not bound; ENOSPC: the message does not fit; EFAULT
   */
  int measurements(TeeFunction function, Buffers buffers, MemorySegment nonce) {
    return answerWhole(buffers, tsm.measurements(function, nonce.toArray(ValueLayout.JAVA_BYTE)));
  }

  private int answerWhole(Buffers buffers, byte[] answer) {
    refuseIf(Integer.toUnsignedLong(buffers.answerBytes) < answer.length, Errno.ENOSPC);
    task.out(buffers.answerAddress, MemorySegment.ofArray(answer));
    return residue(buffers, 0, answer.length);
  }
}
