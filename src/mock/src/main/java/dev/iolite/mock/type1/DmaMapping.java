package dev.iolite.mock.type1;

import dev.iolite.mock.core.IommuDevice.Mapped;
import dev.iolite.mock.core.Pin;
import java.util.Optional;

/** A range of IOVA and the pinned memory that it leads to (struct vfio_dma). */
final class DmaMapping {
  /** Its first and last IOVA, unsigned. */
  final long first;

  final long last;

  final boolean readable;
  final boolean writable;

  private final Pin pin;
  private long address;
  private boolean isAddressInvalid;
  private Optional<DirtyBitmap> bitmap = Optional.empty();

  /**
   * Makes a mapping.
   *
   * @param address of the memory in the caller
   * @param pin the memory, which the mapping releases
   */
  DmaMapping(long first, long last, boolean readable, boolean writable, long address, Pin pin) {
    this.first = first;
    this.last = last;
    this.readable = readable;
    this.writable = writable;
    this.address = address;
    this.pin = pin;
  }

  /** Its length in bytes; 0 stands for 2^64. */
  long bytes() {
    return last - first + 1;
  }

  Pin memory() {
    return pin;
  }

  /** Whether the caller said that its memory is going to have another address (vaddr_invalid). */
  boolean isAddressInvalid() {
    return isAddressInvalid;
  }

  void setAddressInvalid(boolean invalid) {
    isAddressInvalid = invalid;
  }

  /** The same pages have another address now. */
  void moveTo(long newAddress) {
    address = newAddress;
    isAddressInvalid = false;
  }

  /** The pages that were written; empty while they are not tracked. */
  Optional<DirtyBitmap> bitmap() {
    return bitmap;
  }

  void setBitmap(Optional<DirtyBitmap> pages) {
    bitmap = pages;
  }

  Mapped listed() {
    return new Mapped(first, last, readable, writable, "memory at 0x" + Long.toHexString(address));
  }
}
