package dev.iolite.kernel;

/**
 * An I/O address space (IOAS) of an iommufd.
 *
 * @param value the id, unsigned, unique within its iommufd
 */
public record IoasId(int value) implements PageTableId {
  @Override
  public String toString() {
    return "IOAS " + Integer.toUnsignedString(value);
  }
}
