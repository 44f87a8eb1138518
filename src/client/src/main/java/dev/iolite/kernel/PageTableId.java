package dev.iolite.kernel;

/**
 * The id of something that a device can be attached to: an IOAS, for which the kernel picks or
 * makes a page table, or a page table itself. Such ids pass from iommufd to VFIO, so they are
 * defined below both.
 *
 * <p>Its implementations are values: safe for use by several threads.
 */
public sealed interface PageTableId permits IoasId, HwptId {
  /** The id, unsigned, unique within its iommufd. */
  int value();
}
