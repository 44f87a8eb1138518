package dev.iolite.mock.tsm;

import dev.iolite.mock.Platform;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_run;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** The calls of the seed flow on an endpoint of a TDX host. */
final class SeedCalls {
  static final int SHARED = TsmSeed2025.VFIO_DMA_BUF_SHARED();
  static final int PRIVATE = TsmSeed2025.VFIO_DMA_BUF_PRIVATE();
  private static final int MOST_RUNS = 8;

  private SeedCalls() {}

  static int operate(AssignedEndpoint at, int type) {
    MemorySegment op = at.sized(iommu_vdevice_tsm_op.sizeof());
    iommu_vdevice_tsm_op.type(op, type);
    iommu_vdevice_tsm_op.vdevice_id(op, at.vdevice);
    return at.ioctl(at.iommufd, TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), op);
  }

  static int bind(AssignedEndpoint at) {
    return operate(at, Tsm.IOMMU_VDEVICE_TSM_BIND());
  }

  static int unbind(AssignedEndpoint at) {
    return operate(at, Tsm.IOMMU_VDEVICE_TSM_UNBIND());
  }

  static int setState(AssignedEndpoint at, TdiState state) {
    MemorySegment payload = at.struct(Long.BYTES);
    payload.set(ValueLayout.JAVA_INT, 0, state.number());
    MemorySegment req = request(at, Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE());
    iommu_vdevice_tsm_req.req_len(req, Integer.BYTES);
    iommu_vdevice_tsm_req.req_uptr(req, payload.address());
    return at.ioctl(at.iommufd, TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(), req);
  }

  /** Lets the interface run in a guest that has all of its TEE memory. */
  static int run(AssignedEndpoint at) {
    at.giveTeeMemory(PRIVATE, TsmSeed2025.KVM_MEM_DMABUF() | TsmSeed2025.KVM_MEM_PRIVATE_ONLY());
    return setState(at, TdiState.RUN);
  }

  /** The answer to a request for the report, which is put into a buffer. */
  static int report(AssignedEndpoint at, MemorySegment into) {
    MemorySegment req = request(at, TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT());
    iommu_vdevice_tsm_req.resp_len(req, (int) into.byteSize());
    iommu_vdevice_tsm_req.resp_uptr(req, into.address());
    return at.ioctl(at.iommufd, TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(), req);
  }

  /** The answer to a request for the measurements, with a nonce and room for the message. */
  static int measurements(AssignedEndpoint at, MemorySegment nonce, MemorySegment into) {
    MemorySegment req = request(at, TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS());
    iommu_vdevice_tsm_req.req_len(req, (int) nonce.byteSize());
    iommu_vdevice_tsm_req.req_uptr(req, nonce.address());
    iommu_vdevice_tsm_req.resp_len(req, (int) into.byteSize());
    iommu_vdevice_tsm_req.resp_uptr(req, into.address());
    return at.ioctl(at.iommufd, TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(), req);
  }

  private static MemorySegment request(AssignedEndpoint at, int op) {
    MemorySegment req = at.sized(iommu_vdevice_tsm_req.sizeof());
    iommu_vdevice_tsm_req.vdevice_id(req, at.vdevice);
    iommu_vdevice_tsm_req.op(req, op);
    iommu_vdevice_tsm_req.tvm_arch(
        req,
        at.kernel.platform() == Platform.SEV
            ? Tsm.IOMMU_VDEVICE_TSM_ARCH_SEV()
            : Tsm.IOMMU_VDEVICE_TSM_ARCH_TDX());
    return req;
  }

  static MemorySegment getRuns(AssignedEndpoint at, int room) {
    MemorySegment get = at.sized(vfio_dma_buf_get_runs.sizeof());
    vfio_dma_buf_get_runs.nr_runs(get, room);
    vfio_dma_buf_get_runs.runs_uptr(
        get, at.struct(vfio_dma_buf_run.sizeof() * Math.max(1, room)).address());
    return get;
  }

  /** The runs of a dma-buf, each as "offset in the BAR, offset in it, length". */
  static List<String> runs(AssignedEndpoint at, int fd) {
    MemorySegment get = getRuns(at, MOST_RUNS);
    AssignedEndpoint.ok(at.ioctl(fd, TsmSeed2025.VFIO_DMA_BUF_GET_RUNS(), get));
    MemorySegment runs =
        MemorySegment.ofAddress(vfio_dma_buf_get_runs.runs_uptr(get))
            .reinterpret(vfio_dma_buf_run.sizeof() * MOST_RUNS);
    List<String> found = new ArrayList<>();
    for (int i = 0; i < vfio_dma_buf_get_runs.nr_runs(get); i++) {
      MemorySegment run = vfio_dma_buf_run.asSlice(runs, i);
      found.add(
          "0x%x 0x%x 0x%x"
              .formatted(
                  vfio_dma_buf_run.bar_offset(run),
                  vfio_dma_buf_run.buf_offset(run),
                  vfio_dma_buf_run.length(run)));
    }
    return found;
  }
}
