package dev.iolite.mock.iommufd;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.AddressSpace;
import dev.iolite.mock.core.Pin;

/** Memory of the caller, by address (IOPT_ADDRESS_USER). */
final class UserPages extends PinnedPages {
  private final AddressSpace memory;
  private final long address;

  /**
   * Makes them without looking at the memory yet.
   *
   * @param address the address of the first page
   */
  UserPages(AddressSpace memory, long address, boolean writable) {
    super(writable);
    this.memory = memory;
    this.address = address;
  }

  @Override
  Pin pin(long first, long last) {
    return memory.pin(address + first * Page.BYTES, (last - first + 1) * Page.BYTES, isWritable());
  }

  @Override
  void release() {}

  @Override
  long origin() {
    return address;
  }

  @Override
  String what(long at) {
    return "memory at 0x" + Long.toHexString(address + at);
  }
}
