package dev.iolite.mock.tsm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.AssignedDevice;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.DmaBufKind;
import dev.iolite.mock.core.Task;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.catalog.TsmSeed2025Ioctls;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.vfio_device_feature_dma_buf_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_run;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * VFIO of the seed flow: dma-bufs that have a kind.
 *
 * <ul>
 *   <li>private: ENODEV unless the interface is locked or runs
 *   <li>shared: the whole BAR is shared unless the interface is locked or runs; ENODEV in ERROR
 *   <li>without a kind, and mapping BARs: EBUSY while the interface is locked or runs; existing
 *       mappings are taken away for that time
 *   <li>private memory through the device's file: EIO
 * </ul>
 */
final class SeedDmaBufs extends GuardedDevices {
  private static final int SHARED = TsmSeed2025.VFIO_DMA_BUF_SHARED();
  private static final int PRIVATE = TsmSeed2025.VFIO_DMA_BUF_PRIVATE();
  private static final int GET_RUNS = (int) TsmSeed2025Ioctls.VFIO_DMA_BUF_GET_RUNS.number();

  private final Task task;
  private final LinkTsm tsm;

  SeedDmaBufs(Task task, AssignedTdis tdis) {
    super(tdis);
    this.task = task;
    tsm = tdis.tsm();
  }

  @Override
  public DmaBufKind dmaBufKind(int flags) {
    if (flags == 0) {
      return DmaBufKind.PLAIN;
    }
    refuseIf(flags != SHARED && flags != PRIVATE, Errno.EINVAL);
    return flags == PRIVATE ? DmaBufKind.PRIVATE : DmaBufKind.SHARED;
  }

  @Override
  public void exporting(AssignedDevice device, DmaBufKind kind) {
    switch (kind) {
      case PLAIN -> refuseIf(isLocked(device), Errno.EBUSY);
      case SHARED -> refuseIf(isIn(device, TdiState.ERROR), Errno.ENODEV);
      case PRIVATE -> refuseIf(!isLocked(device), Errno.ENODEV);
    }
  }

  private boolean isIn(AssignedDevice device, TdiState state) {
    return tsm.tdi(device.function()).filter(tdi -> tdi.state() == state).isPresent();
  }

  /** drivers/vfio/pci/vfio_pci_dmabuf.c:vfio_pci_dma_buf_cut. */
  @Override
  public List<BarRange> cover(
      AssignedDevice device, DmaBufKind kind, int bar, List<BarRange> asked) {
    requireNoWrap(asked);
    if (kind == DmaBufKind.PLAIN || !isLocked(device)) {
      return asked;
    }
    List<BarRange> tee = device.function().teeRanges(bar);
    List<BarRange> covered = new ArrayList<>();
    for (BarRange range : asked) {
      long at = range.offset();
      long end = range.offset() + range.bytes();
      for (BarRange one : tee) {
        long from = Math.clamp(one.offset(), at, end);
        long to = Math.clamp(one.offset() + one.bytes(), at, end);
        add(
            covered,
            kind == DmaBufKind.PRIVATE ? from : at,
            kind == DmaBufKind.PRIVATE ? to : from);
        at = to;
      }
      if (kind == DmaBufKind.SHARED) {
        add(covered, at, end);
      }
    }
    refuseIf(covered.isEmpty(), Errno.EINVAL);
    return covered;
  }

  private static void add(List<BarRange> ranges, long from, long to) {
    if (from < to) {
      ranges.add(new BarRange(from, to - from));
    }
  }

  @Override
  public void mapping(AssignedDevice device, int bar, BarRange range) {
    refuseIf(isLocked(device), Errno.EBUSY);
  }

  @Override
  public boolean hidesMappings(AssignedDevice device, int bar, BarRange range) {
    return isLocked(device);
  }

  /** A device with TDISP itself ensures that it does not answer before it runs. */
  @Override
  public boolean isMute(AssignedDevice device) {
    return device.function().isEmulatedTee() && !isIn(device, TdiState.RUN);
  }

  /**
   * VFIO_DMA_BUF_GET_RUNS.
   *
   * @throws dev.iolite.mock.core.Refused ENOTTY: another command; EFAULT; EINVAL: wrong argsz or
   *     flags; EMSGSIZE: there are more runs than fit, and their number is written back
   */
  @Override
  public int dmaBufIoctl(int bar, List<BarRange> ranges, int request, long argument) {
    if (request != GET_RUNS) {
      throw refused(Errno.ENOTTY);
    }
    long bytes = vfio_dma_buf_get_runs.sizeof();
    MemorySegment asked = task.in(argument, bytes);
    refuseIf(
        Integer.toUnsignedLong(vfio_dma_buf_get_runs.argsz(asked)) < bytes
            || vfio_dma_buf_get_runs.flags(asked) != 0,
        Errno.EINVAL);
    boolean fits =
        Integer.compareUnsigned(vfio_dma_buf_get_runs.nr_runs(asked), ranges.size()) >= 0;
    long to = vfio_dma_buf_get_runs.runs_uptr(asked);
    vfio_dma_buf_get_runs.nr_runs(asked, ranges.size());
    vfio_dma_buf_get_runs.region_index(asked, bar);
    task.out(argument, asked);
    refuseIf(!fits, Errno.EMSGSIZE);
    putRuns(to, ranges);
    return 0;
  }

  @Override
  public boolean tellsRuns() {
    return true;
  }

  /** drivers/vfio/pci/vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf_runs. */
  @Override
  public void tellRuns(long address, int bar, DmaBufKind kind, List<BarRange> ranges) {
    long head = vfio_device_feature_dma_buf_runs.sizeof();
    MemorySegment asked = task.in(address, head);
    int room = vfio_device_feature_dma_buf_runs.nr_runs(asked);
    vfio_device_feature_dma_buf_runs.nr_runs(asked, ranges.size());
    vfio_device_feature_dma_buf_runs.region_index(asked, bar);
    vfio_device_feature_dma_buf_runs.flags(
        asked,
        switch (kind) {
          case PLAIN -> 0;
          case SHARED -> SHARED;
          case PRIVATE -> PRIVATE;
        });
    task.out(address, asked);
    refuseIf(Integer.compareUnsigned(room, ranges.size()) < 0, Errno.EMSGSIZE);
    putRuns(address + head, ranges);
  }

  /** drivers/vfio/pci/vfio_pci_dmabuf.c:vfio_pci_dma_buf_put_runs. */
  private void putRuns(long address, List<BarRange> ranges) {
    MemorySegment runs = task.scratch(vfio_dma_buf_run.sizeof() * ranges.size());
    long start = 0;
    for (int i = 0; i < ranges.size(); i++) {
      MemorySegment run = vfio_dma_buf_run.asSlice(runs, i);
      vfio_dma_buf_run.bar_offset(run, ranges.get(i).offset());
      vfio_dma_buf_run.buf_offset(run, start);
      vfio_dma_buf_run.length(run, ranges.get(i).bytes());
      start += ranges.get(i).bytes();
    }
    task.out(address, runs);
  }
}
