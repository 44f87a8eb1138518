package dev.iolite.mock.core;

import java.util.List;

/**
 * A dma-buf (struct dma_buf): what others need to know about it. Its exporter is a subclass.
 *
 * <p>mmap answers ENODEV here; an exporter that has none says what drivers/dma-buf/dma-buf.c says.
 */
public abstract class DmaBufFile extends OpenFile {
  /** A new dma-buf with one reference. */
  protected DmaBufFile(Task task) {
    super(task);
  }

  /** Its size in bytes, fixed. */
  public abstract long bytes();

  /** What may be done with it. */
  public abstract DmaBufKind kind();

  /**
   * What of a function's BAR a part of it has; nothing if it is another's.
   *
   * @param offset where in it the part starts, in bytes
   * @param length how long the part is, in bytes
   */
  public abstract List<BarRange> part(TeeFunction owner, int bar, long offset, long length);

  /** Whether it is revoked now. */
  public abstract boolean isRevoked();

  /** Whether a guest that has it is kept from the device for now. */
  public boolean isMute() {
    return false;
  }

  /**
   * Imports it for a memory slot of KVM's, with all its ranges.
   *
   * @param isPrivate whether it is for accesses from a guest's private side
   * @param importer is told when it is revoked
   * @throws Refused ENODEV: revoked
   */
  public abstract Import importForKvm(boolean isPrivate, Importer importer);

  /** An importer: is told when what it imported is about to go away. */
  public interface Importer {
    /**
     * The memory is revoked (invalidate_mappings): after this call the importer must not touch it.
     */
    void revoked();
  }

  /** What iommufd has imported. */
  public interface Import {
    /**
     * The memory, from the dma-buf's start.
     *
     * @throws Memory.Unreachable out of its methods if the device is gone
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
  public abstract Import importForIommufd(Importer importer);
}
