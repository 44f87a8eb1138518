package dev.iolite.mock.core;

import java.util.List;
import java.util.Optional;

/** A physical device as the IOMMU knows it (struct device with its iommu_group). */
public interface IommuDevice {
  /** A range of addresses, both ends included. */
  record Range(long first, long last) {}

  /** Its name, such as {@code 0000:00:02.0}. */
  String name();

  /** Its group; empty if no IOMMU is in front of it. */
  Optional<IommuGroup> group();

  /** Addresses that are not to be translated (MSI windows, firmware's). */
  List<Range> reserved();

  /** Whether the IOMMU supports PASIDs for it, and how many bits they have; 0: none. */
  int pasidBits();

  /**
   * What translates its DMA from now on; empty: nothing does, and all DMA faults (the blocking
   * domain).
   */
  void translateBy(Optional<Translation> translation);

  /** Page tables: how the device's addresses lead to memory. */
  interface Translation {
    /**
     * A DMA read.
     *
     * @throws Memory.Unreachable the IOMMU faults, or what is mapped is gone; a part before the
     *     faulting address may have been read
     */
    void read(long iova, java.lang.foreign.MemorySegment into);

    /** A DMA write; as {@link #read}. */
    void write(long iova, java.lang.foreign.MemorySegment from);
  }
}
