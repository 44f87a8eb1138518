package dev.iolite.mock.core;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A physical device as the IOMMU knows it (struct device with its iommu_group). */
public interface IommuDevice {
  /** A range of addresses, both ends included. */
  record Range(long first, long last) {}

  /** Its name, such as {@code 0000:00:02.0}. */
  String name();

  /** Its group; empty if no IOMMU is in front of it. */
  Optional<IommuDeviceGroup> group();

  /** Addresses that are not to be translated (MSI windows, firmware's ranges). */
  List<Range> reserved();

  /** The number of bits of the PASIDs that the IOMMU supports for it; 0 if it supports none. */
  int pasidBits();

  /**
   * Sets what translates its DMA from now on; empty: nothing does, and all DMA faults (the blocking
   * domain).
   */
  void translateBy(Optional<Translation> translation);

  /**
   * Sets what translates its DMA with a PASID from now on; empty: nothing does. Only called for
   * devices that have PASIDs.
   *
   * @param pasid not 0, of at most {@link #pasidBits} bits
   */
  default void translatePasidBy(int pasid, Optional<Translation> translation) {}

  /** Whether it can ask for pages that are missing (PCI PRI), and this is enabled. */
  default boolean requestsPages() {
    return false;
  }

  /**
   * A device's request for a page (struct iommu_fault_page_request).
   *
   * @param flags IOMMU_PGFAULT_FLAGS_* bits
   * @param pasid whose page it is, if a flag says that there is a PASID
   * @param group the number that the answer will carry
   * @param permissions IOMMU_PGFAULT_PERM_* bits
   * @param address what it wants to reach
   */
  record PageRequest(int flags, int pasid, int group, int permissions, long address) {}

  /**
   * What a device reaches at a range of addresses.
   *
   * @param first the first address
   * @param last the last address, unsigned
   * @param readable whether it may read there
   * @param writable whether it may write there
   * @param what what is reached there, in words
   */
  record Mapped(long first, long last, boolean readable, boolean writable, String what) {}

  /** Page tables: how the device's addresses lead to memory. */
  interface Translation {
    /**
     * A DMA read.
     *
     * @throws Memory.Unreachable the IOMMU faults, or what is mapped is gone; a part before the
     *     faulting address may have been read
     */
    void read(long iova, MemorySegment into);

    /** A DMA write; fails as {@link #read} does. */
    void write(long iova, MemorySegment from);

    /**
     * All mappings, by address, without those that were revoked. Also empty if the model does not
     * know them because a guest keeps the tables.
     */
    default List<Mapped> mappings() {
      return List.of();
    }

    /**
     * Makes a group of requests for pages; nobody handles them unless the page table has a fault
     * queue.
     *
     * @param answer called once: whether the device is to try again
     */
    default void requestPages(List<PageRequest> group, Consumer<Boolean> answer) {
      answer.accept(false);
    }
  }
}
