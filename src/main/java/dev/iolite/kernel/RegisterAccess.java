package dev.iolite.kernel;

/**
 * Access to mapped registers that are not memory: those of a model's device, which must see each
 * access. Offsets are in bytes from the start of the mapping; values are little endian.
 *
 * <p>An access that no device answers ends in an {@link InternalError}, as an access to a real
 * device's memory does after a SIGBUS.
 */
public interface RegisterAccess {
  /**
   * Reads a register.
   *
   * @param bytes how wide it is: 1, 2, 4 or 8
   * @return its value, zero-extended
   */
  long read(long offset, int bytes);

  /**
   * Writes a register.
   *
   * @param bytes how wide it is: 1, 2, 4 or 8
   */
  void write(long offset, int bytes, long value);
}
