package dev.iolite.vfio;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_ioeventfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A write of a fixed value to a device that the kernel does each time an eventfd is signalled. Made
 * by {@link Region#connectWrite}; closing it ends that.
 *
 * <p>Safe for use by several threads.
 */
public final class IoEventFd implements AutoCloseable {
  private static final int NO_EVENTFD = -1;

  private final Fd device;
  private final long offset;
  private final int bytes;
  private final long value;
  private boolean connected = true;

  private IoEventFd(Fd device, long offset, int bytes, long value) {
    this.device = device;
    this.offset = offset;
    this.bytes = bytes;
    this.value = value;
  }

  static IoEventFd connect(Fd device, long offset, int bytes, long value, EventFd event) {
    call(device, offset, bytes, value, event.fd().number());
    return new IoEventFd(device, offset, bytes, value);
  }

  private static void call(Fd device, long offset, int bytes, long value, int eventFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment call = vfio_device_ioeventfd.allocate(arena);
      vfio_device_ioeventfd.argsz(call, (int) call.byteSize());
      vfio_device_ioeventfd.flags(call, width(bytes));
      vfio_device_ioeventfd.offset(call, offset);
      vfio_device_ioeventfd.data(call, value);
      vfio_device_ioeventfd.fd(call, eventFd);
      device.ioctl(VfioIoctls.VFIO_DEVICE_IOEVENTFD, call);
    }
  }

  private static int width(int bytes) {
    return switch (bytes) {
      case Byte.BYTES -> Vfio.VFIO_DEVICE_IOEVENTFD_8();
      case Short.BYTES -> Vfio.VFIO_DEVICE_IOEVENTFD_16();
      case Integer.BYTES -> Vfio.VFIO_DEVICE_IOEVENTFD_32();
      case Long.BYTES -> Vfio.VFIO_DEVICE_IOEVENTFD_64();
      default -> throw new IllegalArgumentException("a register of " + bytes + " bytes");
    };
  }

  /**
   * Ends it, by VFIO_DEVICE_IOEVENTFD, unless the device is closed.
   *
   * @throws KernelException ENODEV: the kernel has none such
   */
  @Override
  public synchronized void close() {
    if (connected && !device.isClosed()) {
      call(device, offset, bytes, value, NO_EVENTFD);
    }
    connected = false;
  }

  @Override
  public String toString() {
    return "a write of 0x%x, %d bytes at 0x%x of %s".formatted(value, bytes, offset, device);
  }
}
