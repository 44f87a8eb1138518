package dev.iolite.mock.core;

import java.util.List;

/**
 * A dma-buf (struct dma_buf), as others see it. Its exporter is a subclass.
 *
 * <p>mmap answers ENODEV here; an exporter without mmap answers as drivers/dma-buf/dma-buf.c does.
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
   * The ranges of a function's BAR that a part of it covers; none if it belongs to another function
   * or BAR.
   *
   * @param offset where in it the part starts, in bytes
   * @param length the length of the part, in bytes
   */
  public abstract List<BarRange> part(TeeFunction owner, int bar, long offset, long length);

  /** Whether it is revoked now. */
  public abstract boolean isRevoked();

  /** Whether a guest that has it is currently kept from the device. */
  public boolean isMute() {
    return false;
  }

  /**
   * Imports it for a memory slot of KVM, with all its ranges.
   *
   * @param isPrivate whether it is for accesses from a guest's private side
   * @param importer is told when it is revoked
   * @throws Refused ENODEV: revoked
   */
  public abstract Import importForKvm(boolean isPrivate, Importer importer);

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
  public abstract Import importForIommufd(Importer importer);
}
