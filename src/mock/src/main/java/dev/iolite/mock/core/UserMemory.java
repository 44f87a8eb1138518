package dev.iolite.mock.core;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The caller's memory, at addresses that may be wrong. The model reads and writes it only in this
 * way, so another implementation can serve a caller in another process.
 *
 * <p>Used under the kernel's lock.
 */
public interface UserMemory {
  /**
   * Copies from the caller, as copy_from_user does.
   *
   * @param address where in the caller's memory
   * @param into filled completely, or to an unknown extent if this fails
   * @throws Refused EFAULT if any of it can't be read
   */
  void read(long address, MemorySegment into);

  /**
   * Copies to the caller, as copy_to_user does.
   *
   * @param address where in the caller's memory
   * @throws Refused EFAULT if any of it can't be written; a part before that may have been written
   */
  void write(long address, MemorySegment from);

  /**
   * Asks whether all of a range is mapped for an access, as a driver does before it pins the pages
   * (mm/gup.c:check_vma_flags). No page is touched.
   *
   * @param address where in the caller's memory
   * @throws Refused EFAULT if any of it is not mapped, or not mapped for this access
   */
  void requireMapped(long address, long bytes, boolean write);

  /**
   * A place in a file of the model.
   *
   * @param fd the model's number of the file
   * @param offset where in it, in bytes
   * @param bytes how much of the file is mapped from there on
   */
  record FilePlace(int fd, long offset, long bytes) {}

  /**
   * The registers that the caller has mapped at an address by itself, instead of through the model;
   * empty if there are none.
   */
  default Optional<FilePlace> registersAt(long address) {
    return Optional.empty();
  }

  /**
   * The memory of the process that makes the current call; it can be used after the call, too. It
   * is this memory unless several processes use the model.
   */
  default UserMemory ofCaller() {
    return this;
  }
}
