package dev.iolite.mock.core;

import dev.iolite.kernel.Registers;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/** The object behind a mapping. */
public sealed interface MappedObject {
  /**
   * Memory: the caller touches it directly, and a driver can pin its pages.
   *
   * @param ram the pages; the mapping takes its own reference
   * @param offset where the mapping starts in them, in bytes
   */
  record Pages(Ram ram, long offset) implements MappedObject {}

  /**
   * A device's registers (VM_PFNMAP): no pages, so few drivers can pin them; KVM can map them.
   *
   * @param access how they are reached; offsets count from the start of the mapping
   * @param memory the same for a guest or a device
   * @param present whether an access would find them, as the driver's fault handler decides
   * @param file how a caller that maps them itself reaches them without the model
   */
  record DeviceRegisters(Registers access, Memory memory, BooleanSupplier present, HostFile file)
      implements MappedObject {}

  /** A file of the host that is a part of a device's file. */
  @FunctionalInterface
  interface HostFile {
    /**
     * Provides it; under the model's lock.
     *
     * @param name the name that the file is to have
     * @return a descriptor of this process, which stays open as long as the device; empty if each
     *     access has to go through the model
     */
    OptionalInt named(String name);
  }
}
