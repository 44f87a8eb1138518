package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.dma_buf_export_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_import_sync_file;
import dev.iolite.uapi.dmabuf.dma_buf_sync;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A dma-buf (struct dma_buf), with what all of them have in common (drivers/dma-buf/dma-buf.c). Its
 * exporter is a subclass. Unless that says otherwise, it is no device's memory: of no kind, never
 * revoked, and imported by nobody.
 */
public abstract class DmaBufFile extends OpenFile {
  private static final int SYNC = (int) DmaBuf.DMA_BUF_IOCTL_SYNC();
  private static final int SET_NAME = (int) DmaBuf.DMA_BUF_SET_NAME_B();
  private static final int SET_NAME_32 = (int) DmaBuf.DMA_BUF_SET_NAME_A();
  private static final int EXPORT_SYNC_FILE = (int) DmaBuf.DMA_BUF_IOCTL_EXPORT_SYNC_FILE();
  private static final int IMPORT_SYNC_FILE = (int) DmaBuf.DMA_BUF_IOCTL_IMPORT_SYNC_FILE();
  private static final long READ_WRITE = DmaBuf.DMA_BUF_SYNC_RW();
  private static final long END = DmaBuf.DMA_BUF_SYNC_END();
  private static final int LONGEST_NAME = 32;

  private String label = "";

  /** A new dma-buf with one reference. */
  protected DmaBufFile(Task task) {
    super(task);
  }

  @Override
  public final String name() {
    return "/dmabuf:" + label;
  }

  /** Its size in bytes, fixed. */
  public abstract long bytes();

  /** What may be done with it. */
  public DmaBufKind kind() {
    return DmaBufKind.PLAIN;
  }

  /**
   * The ranges of a function's BAR that a part of it covers; none if it belongs to another function
   * or BAR.
   *
   * @param offset where in it the part starts, in bytes
   * @param length the length of the part, in bytes
   */
  public List<BarRange> part(TeeFunction owner, int bar, long offset, long length) {
    return List.of();
  }

  /** Whether it is revoked now. */
  public boolean isRevoked() {
    return false;
  }

  /** Whether a guest that has it is currently kept from the device. */
  public boolean isMute() {
    return false;
  }

  /**
   * Imports it for a memory slot of KVM, with all its ranges.
   *
   * @param isPrivate whether it is for accesses from a guest's private side
   * @param importer is told when it is revoked
   * @throws Refused EOPNOTSUPP: not from VFIO; ENODEV: revoked
   */
  public Import importForKvm(boolean isPrivate, Importer importer) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /** An importer. It is told when the memory that it imported is about to go away. */
  public interface Importer {
    /**
     * Called when the memory is revoked (invalidate_mappings): after this call the importer must
     * not touch it.
     */
    void revoked();
  }

  /** An import of the memory. */
  public interface Import {
    /**
     * The memory, from the dma-buf's start.
     *
     * @throws Memory.Unreachable from its methods, if the device is gone
     */
    Memory memory();

    /** Ends the import (dma_buf_detach), once. */
    void detach();
  }

  /**
   * Imports it for iommufd: dma_buf_dynamic_attach and the exporter's private way to physical
   * addresses (drivers/vfio/pci/vfio_pci_dmabuf.c:vfio_pci_dma_buf_iommufd_map). The import keeps
   * the dma-buf alive.
   *
   * @throws Refused EOPNOTSUPP: not from VFIO, private, or of no kind and more than one range;
   *     ENODEV: revoked
   */
  public Import importForIommufd(Importer importer) {
    throw refused(Errno.EOPNOTSUPP);
  }

  /** dma_buf_ioctl. */
  @Override
  public final int ioctl(int request, long argument) {
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
        : exporterIoctl(request, argument);
  }

  /**
   * A command that not all dma-bufs have.
   *
   * @throws Refused ENOTTY: nor has this one
   */
  protected int exporterIoctl(int request, long argument) {
    throw refused(Errno.ENOTTY);
  }

  private int sync(long address) {
    long flags = dma_buf_sync.flags(task().in(address, dma_buf_sync.sizeof()));
    refuseIf((flags & ~(READ_WRITE | END)) != 0 || (flags & READ_WRITE) == 0, Errno.EINVAL);
    if ((flags & END) == 0) {
      beginAccess();
    } else {
      endAccess();
    }
    return 0;
  }

  /** dma_buf_begin_cpu_access; most memory needs nothing before an access. */
  protected void beginAccess() {}

  /** dma_buf_end_cpu_access; most memory needs nothing after an access. */
  protected void endAccess() {}

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
  public final long lseek(long offset, int whence) {
    refuseIf((whence != 0 && whence != Libc.SEEK_END()) || offset != 0, Errno.EINVAL);
    return whence == Libc.SEEK_END() ? bytes() : 0;
  }

  /** dma_buf_mmap_internal, for an exporter without mmap. */
  @Override
  public MappedObject mmap(MapRequest request) {
    throw refused(Errno.EINVAL);
  }
}
