package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.DmaBufKind;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Pieces;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.pci.PciFunction;
import dev.iolite.mock.pci.TrustedMemory;
import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.dma_buf_export_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_import_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_sync;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A dma-buf over parts of a BAR (struct vfio_pci_dma_buf, and drivers/dma-buf/dma-buf.c for what
 * all dma-bufs have in common).
 */
final class VfioDmaBuf extends DmaBufFile {
  private static final int SYNC = (int) DmaBuf.DMA_BUF_IOCTL_SYNC();
  private static final int SET_NAME = (int) DmaBuf.DMA_BUF_SET_NAME_B();
  private static final int SET_NAME_32 = (int) DmaBuf.DMA_BUF_SET_NAME_A();
  private static final int EXPORT_SYNC_FILE = (int) DmaBuf.DMA_BUF_IOCTL_EXPORT_SYNC_FILE();
  private static final int IMPORT_SYNC_FILE = (int) DmaBuf.DMA_BUF_IOCTL_IMPORT_SYNC_FILE();
  private static final long READ_WRITE = DmaBuf.DMA_BUF_SYNC_RW();
  private static final long END = DmaBuf.DMA_BUF_SYNC_END();
  private static final int LONGEST_NAME = 32;

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

  private String label = "";

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
  public String name() {
    return "/dmabuf:" + label;
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

  /** dma_buf_ioctl. */
  @Override
  public int ioctl(int request, long argument) {
    if (request == SYNC) {
      return sync(argument);
    }
    if (request == SET_NAME || request == SET_NAME_32) {
      label = name(argument);
      return 0;
    }
    if (request == EXPORT_SYNC_FILE) {
      return exportSyncFile(argument);
    }
    return request == IMPORT_SYNC_FILE
        ? importSyncFile(argument)
        : device.calls().dmaBufIoctl(bar, ranges, request, argument);
  }

  /** A BAR needs nothing before or after an access. */
  private int sync(long address) {
    long flags = dma_buf_sync.flags(task().in(address, dma_buf_sync.sizeof()));
    refuseIf((flags & ~(READ_WRITE | END)) != 0 || (flags & READ_WRITE) == 0, Errno.EINVAL);
    return 0;
  }

  /** strndup_user. */
  private String name(long address) {
    MemorySegment text = MemorySegment.ofArray(new byte[LONGEST_NAME]);
    for (int i = 0; i < LONGEST_NAME; i++) {
      task().user().read(address + i, text.asSlice(i, 1));
      if (text.get(ValueLayout.JAVA_BYTE, i) == 0) {
        byte[] characters = text.asSlice(0, i).toArray(ValueLayout.JAVA_BYTE);
        return new String(characters, StandardCharsets.UTF_8);
      }
    }
    throw refused(Errno.EINVAL);
  }

  /** dma_buf_export_sync_file: there are no fences, so the file is already signalled. */
  private int exportSyncFile(long address) {
    MemorySegment ask = task().in(address, dma_buf_export_sync_file.sizeof());
    int flags = dma_buf_export_sync_file.flags(ask);
    refuseIf((flags & ~READ_WRITE) != 0 || (flags & READ_WRITE) == 0, Errno.EINVAL);
    int fd = task().descriptors().install(new SyncFile(task()));
    try {
      dma_buf_export_sync_file.fd(ask, fd);
      task().out(address, ask);
    } catch (Refused e) {
      task().descriptors().close(fd);
      throw e;
    }
    return 0;
  }

  /** dma_buf_import_sync_file. */
  private int importSyncFile(long address) {
    MemorySegment ask = task().in(address, dma_buf_import_sync_file.sizeof());
    int flags = dma_buf_import_sync_file.flags(ask);
    refuseIf((flags & ~READ_WRITE) != 0 || (flags & READ_WRITE) == 0, Errno.EINVAL);
    refuseIf(!SyncFile.is(task(), dma_buf_import_sync_file.fd(ask)), Errno.EINVAL);
    return 0;
  }

  /** dma_buf_llseek: only for asking the size. */
  @Override
  public long lseek(long offset, int whence) {
    refuseIf((whence != 0 && whence != Libc.SEEK_END()) || offset != 0, Errno.EINVAL);
    return whence == Libc.SEEK_END() ? bytes : 0;
  }

  /** dma_buf_mmap_internal. */
  @Override
  public MappedObject mmap(MapRequest request) {
    throw refused(Errno.EINVAL);
  }
}
