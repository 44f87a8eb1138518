package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.READ_MEASUREMENTS;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;

import dev.iolite.kernel.Errno;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tsm.Arch;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.TsmSeed2025Ioctls;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_read_measurements;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_run;
import dev.iolite.vfio.DmaBuf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The flow with a shared and a private dma-buf for each BAR, and slots over parts of them. */
final class Seed2025Profile {
  private Seed2025Profile() {}

  static List<Ability> abilities(TsmCaller caller, Arch arch) {
    ArchRequest request = new ArchRequest(caller, TsmSeed2025Ioctls.IOMMU_VDEVICE_TSM_REQ, arch);
    int dmaBuf = (int) TsmSeed2025.KVM_MEM_DMABUF();
    int privateOnly = (int) TsmSeed2025.KVM_MEM_PRIVATE_ONLY();
    List<Ability> abilities =
        List.of(
            new TsmOp(caller, TsmSeed2025Ioctls.IOMMU_VDEVICE_TSM_OP),
            request,
            new Evidence(request),
            new DmaBufs(),
            new Ability.SharedSlots(dmaBuf),
            new Ability.PrivateSlots(dmaBuf | privateOnly, false),
            new Ability.HypercallExits(1L << TsmSeed2025.KVM_HC_TSM()));
    return Stream.concat(onlyOn(arch, request).stream(), abilities.stream()).toList();
  }

  /** On TDX the type of vIOMMU is the TSM's own; AMD's driver has one that translates. */
  private static Optional<Ability> onlyOn(Arch arch, ArchRequest request) {
    return switch (arch) {
      case CCA -> Optional.empty();
      case SEV -> Optional.of(new SevRequests(request));
      case TDX -> Optional.of(new Ability.TsmViommus());
    };
  }

  /** The requests for the report and the measurements. */
  private record Evidence(ArchRequest request) implements Ability.ReadsReport, Ability.Measures {
    @Override
    public byte[] report(TdiBinding binding) {
      int number = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT();
      return ReportRoom.read(
          room -> request.make(READ_REPORT, binding, number, MemorySegment.NULL, room));
    }

    @Override
    public byte[] measurements(TdiBinding binding, MemorySegment nonce) {
      int number = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment asked = iommu_vdevice_tsm_read_measurements.allocate(arena);
        iommu_vdevice_tsm_read_measurements.nonce(asked, nonce);
        return ReportRoom.read(
            room -> request.make(READ_MEASUREMENTS, binding, number, asked, room));
      }
    }
  }

  /** Dma-bufs of a kind, which can list their runs. */
  private record DmaBufs() implements Ability.ExportsPrivate, Ability.ListsRuns {
    private static final int FIRST_GUESS = 64;
    private static final Ioctl GET_RUNS = TsmSeed2025Ioctls.VFIO_DMA_BUF_GET_RUNS;

    @Override
    public int flags(Kind kind) {
      return switch (kind) {
        case SHARED -> TsmSeed2025.VFIO_DMA_BUF_SHARED();
        case PRIVATE -> TsmSeed2025.VFIO_DMA_BUF_PRIVATE();
      };
    }

    /**
     * Makes VFIO_DMA_BUF_GET_RUNS, and repeats it with more room if the kernel has more (EMSGSIZE).
     */
    @Override
    public List<DmaBufRun> runs(DmaBuf dmaBuf) {
      int room = FIRST_GUESS;
      while (true) {
        try (Arena arena = Arena.ofConfined()) {
          MemorySegment runs = vfio_dma_buf_run.allocateArray(room, arena);
          MemorySegment get = vfio_dma_buf_get_runs.allocate(arena);
          vfio_dma_buf_get_runs.argsz(get, (int) vfio_dma_buf_get_runs.sizeof());
          vfio_dma_buf_get_runs.nr_runs(get, room);
          vfio_dma_buf_get_runs.runs_uptr(get, runs.address());
          int result = dmaBuf.fd().ioctl(GET_RUNS, get, Errno.EMSGSIZE);
          int count = vfio_dma_buf_get_runs.nr_runs(get);
          if (result == 0 && Integer.compareUnsigned(count, room) > 0) {
            throw dmaBuf
                .fd()
                .malformed(GET_RUNS, get, result, ", and more runs than there was room for");
          }
          if (result == 0) {
            return decode(runs, count);
          }
          if (count <= room) {
            throw dmaBuf.fd().failed(GET_RUNS, get, result);
          }
          room = count;
        }
      }
    }

    private static List<DmaBufRun> decode(MemorySegment array, int count) {
      List<DmaBufRun> runs = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        MemorySegment run = vfio_dma_buf_run.asSlice(array, i);
        runs.add(
            new DmaBufRun(
                vfio_dma_buf_run.bar_offset(run),
                vfio_dma_buf_run.buf_offset(run),
                vfio_dma_buf_run.length(run)));
      }
      return List.copyOf(runs);
    }
  }
}
