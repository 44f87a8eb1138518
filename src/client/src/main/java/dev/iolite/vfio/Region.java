package dev.iolite.vfio;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Registers;
import dev.iolite.kernel.Remedy;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A region of a bound device: a BAR, configuration space and so on.
 *
 * <p>Reads and writes go through pread(2) and pwrite(2) on the device's file; the kernel turns each
 * into a single access to the device if it is 1, 2, 4 or 8 bytes at a multiple of that size
 * (drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_core_do_io_rw). An access beyond the region's end
 * throws {@link IndexOutOfBoundsException}. Safe for use by several threads.
 */
public final class Region implements Registers {
  private static final ValueLayout.OfLong INT64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Fd device;
  private final RegionInfo info;
  private final String name;

  Region(Fd device, RegionInfo info, String deviceName) {
    this.device = device;
    this.info = info;
    this.name = deviceName + " " + info.name();
  }

  /** What the kernel says about it. */
  public RegionInfo info() {
    return info;
  }

  /**
   * {@inheritDoc}
   *
   * @throws KernelException EIO: memory decode is off, or the device does not answer
   */
  @Override
  public long read(long offset, int bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(INT64);
      read(value.asSlice(0, bytes), offset);
      return value.get(INT64, 0);
    }
  }

  /**
   * {@inheritDoc}
   *
   * @throws KernelException EIO: memory decode is off; EINVAL: the region cannot be written
   */
  @Override
  public void write(long offset, int bytes, long value) {
    try (Arena arena = Arena.ofConfined()) {
      write(arena.allocateFrom(INT64, value).asSlice(0, bytes), offset);
    }
  }

  /**
   * Reads as many bytes as the segment has.
   *
   * @return the segment
   * @throws KernelException EIO: memory decode is off, or the device does not answer
   * @throws PreconditionException if the kernel stops before the end
   */
  public MemorySegment read(MemorySegment into, long offset) {
    move("read", offset, into, device::pread);
    return into;
  }

  /**
   * Writes all bytes of the segment.
   *
   * @throws KernelException EIO: memory decode is off; EINVAL: the region cannot be written
   * @throws PreconditionException if the kernel stops before the end
   */
  public void write(MemorySegment from, long offset) {
    move("write", offset, from, device::pwrite);
  }

  /** One call that moves some bytes. */
  @FunctionalInterface
  private interface Transfer {
    long call(MemorySegment memory, long offset);
  }

  /**
   * Moves all bytes, with more calls if one moves too few: the kernel moves less than 2 GiB with
   * one (fs/read_write.c:vfs_read, MAX_RW_COUNT), and a driver may stop anywhere.
   */
  private void move(String call, long offset, MemorySegment memory, Transfer transfer) {
    check(offset, memory.byteSize());
    long done = 0;
    while (done < memory.byteSize()) {
      long moved = transfer.call(memory.asSlice(done), info.offset() + offset + done);
      if (moved == 0) {
        throw new PreconditionException(
            call
                + " "
                + memory.byteSize()
                + " bytes at 0x"
                + Long.toHexString(offset)
                + " of "
                + name,
            "the kernel did only " + done,
            new Advice(
                "the driver does not give access to all of the region",
                "keep to the part that it does",
                Remedy.SHOW_DEVICE));
      }
      done += moved;
    }
  }

  /**
   * Maps a part of the region into this process, readable and writable as far as the region is. The
   * mapping keeps the kernel's side of the device open until it is closed too.
   *
   * @param offset a multiple of the page size
   * @param bytes more than 0
   * @throws PreconditionException if the region cannot be mapped
   * @throws KernelException EINVAL: the offset is not aligned, or the part is not one of {@link
   *     RegionInfo#mappableAreas}. See drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_mmap
   */
  public DeviceMemory map(long offset, long bytes) {
    if (!info.canMap()) {
      throw new PreconditionException(
          "map " + name + " into this process",
          "the region can not be mapped",
          new Advice(
              "it is no memory BAR, or smaller than a page and not alone in it",
              "use its read and write methods",
              Remedy.SHOW_DEVICE));
    }
    check(offset, bytes);
    int protection =
        (info.canRead() ? Libc.PROT_READ() : 0) | (info.canWrite() ? Libc.PROT_WRITE() : 0);
    return new DeviceMemory(Mapping.of(device, info.offset() + offset, bytes, protection), name);
  }

  /** Maps the whole region, like {@link #map(long, long)}. */
  public DeviceMemory map() {
    return map(0, info.bytes());
  }

  /**
   * Has the kernel write a value to a register each time an eventfd is signalled, by
   * VFIO_DEVICE_IOEVENTFD. With an ioeventfd of KVM, a guest's doorbell then reaches the device
   * without this process.
   *
   * @param bytes the width: 1, 2, 4 or 8
   * @param event the eventfd, which stays the caller's; the kernel takes its count
   * @throws KernelException EINVAL: not inside a BAR, or in the MSI-X table; EEXIST: the same write
   *     has an eventfd already; ENOSPC: the device has 1000 of them. See
   *     drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_ioeventfd
   */
  public IoEventFd connectWrite(long offset, int bytes, long value, EventFd event) {
    check(offset, bytes);
    return IoEventFd.connect(device, info.offset() + offset, bytes, value, event);
  }

  private void check(long offset, long bytes) {
    if (offset < 0 || bytes < 0 || offset > info.bytes() - bytes) {
      throw new IndexOutOfBoundsException(
          bytes
              + " bytes at 0x"
              + Long.toHexString(offset)
              + " are not inside "
              + name
              + ", which has 0x"
              + Long.toHexString(info.bytes())
              + " bytes");
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
