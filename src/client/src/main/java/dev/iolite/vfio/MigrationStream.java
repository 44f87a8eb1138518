package dev.iolite.vfio;

import dev.iolite.kernel.Fd;

/**
 * The stream of a device's state, made by a change of its {@link MigrationState}. What is in it is
 * the driver's own.
 *
 * <p>For use by one thread at a time.
 */
public sealed interface MigrationStream extends AutoCloseable
    permits MigrationReader, MigrationWriter {
  /** The descriptor. */
  Fd fd();

  /** Closes the descriptor; the device keeps its state. */
  @Override
  void close();
}
