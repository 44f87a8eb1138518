package dev.iolite.tdi.profile;

import static dev.iolite.tdi.profile.TsmOperation.BIND;
import static dev.iolite.tdi.profile.TsmOperation.EXPORT_PRIVATE;
import static dev.iolite.tdi.profile.TsmOperation.LIST_RUNS;
import static dev.iolite.tdi.profile.TsmOperation.PRIVATE_SLOT;
import static dev.iolite.tdi.profile.TsmOperation.READ_MEASUREMENTS;
import static dev.iolite.tdi.profile.TsmOperation.READ_REPORT;
import static dev.iolite.tdi.profile.TsmOperation.SET_STATE;
import static dev.iolite.tdi.profile.TsmOperation.SHARED_SLOT;
import static dev.iolite.tdi.profile.TsmOperation.UNBIND;
import static dev.iolite.tdi.profile.TsmOperation.VALIDATE_MMIO;

import dev.iolite.iommufd.Vdevice;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.FdKind;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.iommu_vdevice_tsm_read_measurements;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_run;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The flow with a shared and a private dma-buf for each BAR, and slots over parts of them. */
final class Seed2025Profile extends TsmOpProfile {
  private static final int FIRST_GUESS = 64;
  private static final int DMABUF = (int) TsmSeed2025.KVM_MEM_DMABUF();
  private static final int PRIVATE_ONLY = (int) TsmSeed2025.KVM_MEM_PRIVATE_ONLY();

  private static final Ioctl GET_RUNS =
      Ioctl.of(
          FdKind.DMA_BUF,
          "VFIO_DMA_BUF_GET_RUNS",
          TsmSeed2025.VFIO_DMA_BUF_GET_RUNS(),
          vfio_dma_buf_get_runs.layout());

  private final ArchRequest request;

  Seed2025Profile(Arch arch) {
    super(
        ProfileName.SEED_2025,
        arch,
        TsmSeed2025.IOMMU_VDEVICE_TSM_OP(),
        withDma(
            arch,
            BIND,
            UNBIND,
            SET_STATE,
            VALIDATE_MMIO,
            READ_REPORT,
            READ_MEASUREMENTS,
            EXPORT_PRIVATE,
            LIST_RUNS,
            SHARED_SLOT,
            PRIVATE_SLOT));
    request = new ArchRequest(caller(), TsmSeed2025.IOMMU_VDEVICE_TSM_REQ(), arch);
  }

  @Override
  public Abilities abilities(int slots) {
    return new Abilities(SharedSlots.BY_DMABUF, PrivateMmio.SLOTS_OF_ONE_DMABUF, false, slots);
  }

  /** On TDX the type of vIOMMU is the TSM's own; AMD's driver has one that translates. */
  @Override
  public boolean needsNestParent() {
    return arch() != Arch.TDX;
  }

  @Override
  public long hypercallExits() {
    return 1L << TsmSeed2025.KVM_HC_TSM();
  }

  @Override
  TdiBinding binding(Fd iommufd, Vdevice vdevice) {
    return new Binding(iommufd, vdevice);
  }

  @Override
  public DmaBuf exportDmaBuf(BoundVfioDevice device, int bar, List<ByteRange> ranges, Kind kind) {
    int flag =
        switch (kind) {
          case SHARED -> TsmSeed2025.VFIO_DMA_BUF_SHARED();
          case PRIVATE -> TsmSeed2025.VFIO_DMA_BUF_PRIVATE();
        };
    return device.exportDmaBuf(PciRegion.bar(bar), ranges, Libc.O_RDWR(), flag);
  }

  /** VFIO_DMA_BUF_GET_RUNS, again with more room if the kernel has more (EMSGSIZE). */
  @Override
  public Optional<List<DmaBufRun>> runs(DmaBuf dmaBuf) {
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
          return Optional.of(decode(runs, count));
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

  @Override
  public MemorySlot addPrivateSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset) {
    return vm.addDmaBufSlot(gpa, bytes, 0, DMABUF | PRIVATE_ONLY, dmaBuf.fd(), offset);
  }

  @Override
  public MemorySlot addSharedSlot(Vm vm, long gpa, long bytes, DmaBuf dmaBuf, long offset) {
    return vm.addDmaBufSlot(gpa, bytes, 0, DMABUF, dmaBuf.fd(), offset);
  }

  @Override
  public List<Ioctl> ioctls() {
    return List.of(op().command(), request.command(), GET_RUNS);
  }

  private final class Binding extends ArchBinding {
    Binding(Fd iommufd, Vdevice vdevice) {
      super(Seed2025Profile.this, request, iommufd, vdevice);
    }

    @Override
    void unbind() {
      op().unbind(iommufd(), vdevice().id());
    }

    @Override
    public byte[] report() {
      int number = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT();
      return ReportRoom.read(room -> ask(READ_REPORT, number, MemorySegment.NULL, room));
    }

    @Override
    byte[] measure(MemorySegment nonce) {
      int number = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment asked = iommu_vdevice_tsm_read_measurements.allocate(arena);
        iommu_vdevice_tsm_read_measurements.nonce(asked, nonce);
        return ReportRoom.read(room -> ask(READ_MEASUREMENTS, number, asked, room));
      }
    }

    private long ask(
        TsmOperation operation, int number, MemorySegment asked, MemorySegment answer) {
      return request.make(operation, iommufd(), vdevice().id(), number, asked, answer);
    }
  }
}
