package dev.iolite.kernel;

/**
 * A hardware page table (HWPT) of an iommufd.
 *
 * @param value the id, unsigned, unique within its iommufd
 */
public record HwptId(int value) implements PageTableId {
  @Override
  public String toString() {
    return "HWPT " + Integer.toUnsignedString(value);
  }
}
