package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.DmaBufKind;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Pieces;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.pci.PciFunction;
import dev.iolite.mock.pci.TrustedMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A dma-buf over parts of a BAR (struct vfio_pci_dma_buf). */
final class VfioDmaBuf extends DmaBufFile {
  private final VfioPciDevice device;
  private final DmaBufKind kind;
  private final PciFunction function;
  private final int bar;
  private final List<BarRange> ranges;
  private final long bytes;
  private final List<Importer> importers = new ArrayList<>();
  private boolean revoked;

  /** Whether it is permanently revoked. */
  private boolean dead;

  VfioDmaBuf(
      Task task,
      VfioPciDevice device,
      DmaBufKind kind,
      int bar,
      List<BarRange> ranges,
      int openFlags) {
    super(task);
    this.device = device;
    this.function = device.pci().function();
    this.bar = bar;
    this.ranges = ranges;
    this.kind = kind;
    this.bytes = ranges.stream().mapToLong(BarRange::bytes).sum();
    access(openFlags);
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  protected void release() {
    device.core().dmaBufs().released(this);
  }

  @Override
  public DmaBufKind kind() {
    return kind;
  }

  @Override
  public List<BarRange> part(TeeFunction owner, int index, long offset, long length) {
    List<BarRange> part = new ArrayList<>();
    if (!owner.equals(function) || index != bar) {
      return part;
    }
    long start = 0;
    for (BarRange range : ranges) {
      long from = Math.max(offset, start);
      long to = Math.min(offset + length, start + range.bytes());
      if (from < to) {
        part.add(new BarRange(range.offset() + from - start, to - from));
      }
      start += range.bytes();
    }
    return part;
  }

  @Override
  public boolean isRevoked() {
    return revoked;
  }

  /** Revokes or restores it. When it is revoked, importers forget what they have of it. */
  void setRevoked(boolean nowRevoked) {
    boolean before = revoked;
    revoked = nowRevoked || dead;
    if (revoked && !before) {
      List.copyOf(importers).forEach(Importer::revoked);
    }
  }

  /** Permanently revokes it. */
  void kill() {
    dead = true;
    setRevoked(true);
  }

  /** Whether it is permanently revoked. */
  boolean isDead() {
    return dead;
  }

  @Override
  public boolean isMute() {
    return kind == DmaBufKind.PRIVATE && device.calls().isMute(device);
  }

  /** vfio_pci_dma_buf_attach, then vfio_pci_dma_buf_iommufd_map. */
  @Override
  public Import importForIommufd(Importer importer) {
    refuseIf(revoked, Errno.ENODEV);
    refuseIf(ranges.size() != 1 || kind == DmaBufKind.PRIVATE, Errno.EOPNOTSUPP);
    importers.add(importer);
    return imported(
        new RunsMemory(ranges, range -> new BarMemory(function, bar, range.offset())),
        () -> importers.remove(importer));
  }

  @Override
  public Import importForKvm(boolean isPrivate, Importer importer) {
    refuseIf(revoked, Errno.ENODEV);
    importers.add(importer);
    Function<BarRange, Memory> run =
        range ->
            isPrivate
                ? new TrustedMemory(function, bar, range.offset())
                : new BarMemory(function, bar, range.offset());
    return imported(new RunsMemory(ranges, run), () -> importers.remove(importer));
  }

  private Import imported(Memory memory, Runnable onDetach) {
    get();
    return new Import() {
      @Override
      public Memory memory() {
        return memory;
      }

      @Override
      public void detach() {
        onDetach.run();
        put();
      }
    };
  }

  /** A BAR as others on the bus reach it. */
  private record BarMemory(PciFunction function, int bar, long start) implements Memory {
    @Override
    public void read(long offset, MemorySegment into) {
      Pieces.read(start + offset, into, (at, width) -> function.barRead(bar, at, width));
    }

    @Override
    public void write(long offset, MemorySegment from) {
      Pieces.write(
          start + offset, from, (at, width, value) -> function.barWrite(bar, at, width, value));
    }
  }

  /** Answers VFIO_DEVICE_FEATURE_DMA_BUF_RUNS. */
  void tellRuns(long address) {
    device.calls().tellRuns(address, bar, kind, ranges);
  }

  @Override
  protected int exporterIoctl(int request, long argument) {
    return device.calls().dmaBufIoctl(bar, ranges, request, argument);
  }
}
