package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.device.MsiX;
import dev.iolite.mock.pci.IoResource;
import dev.iolite.mock.pci.PciDev;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_ioeventfd;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Eventfds that write a value to a register at each event (VFIO_DEVICE_IOEVENTFD,
 * drivers/vfio/pci/vfio_pci_rdwr.c:vfio_pci_ioeventfd).
 */
final class IoEventFds {
  private static final int MOST = 1000;
  private static final int SIZES = Vfio.VFIO_DEVICE_IOEVENTFD_SIZE_MASK();
  private static final long BYTES = vfio_device_ioeventfd.fd$offset() + Integer.BYTES;

  private final Task task;
  private final VfioPciCore core;
  private final Map<Write, Listener> listeners = new HashMap<>();

  IoEventFds(Task task, VfioPciCore core) {
    this.task = task;
    this.core = core;
  }

  /** A value, and where to write it. */
  private record Write(int bar, long at, int bytes, long value) {}

  private record Listener(EventFdFile event, Runnable action) {
    void end() {
      event.ignore(action);
      event.put();
    }
  }

  int ioctl(long address) {
    MemorySegment ask = UserStructs.head(task, address, BYTES);
    int flags = vfio_device_ioeventfd.flags(ask);
    int fd = vfio_device_ioeventfd.fd(ask);
    refuseIf((flags & ~SIZES) != 0, Errno.EINVAL);
    refuseIf(Integer.bitCount(flags & SIZES) != 1 || fd < -1, Errno.EINVAL);
    long offset = vfio_device_ioeventfd.offset(ask);
    long index = offset >>> Regions.OFFSET_SHIFT;
    long at = offset & ((1L << Regions.OFFSET_SHIFT) - 1);
    int bytes = flags & SIZES;
    refuseIf(index >= PciDev.ROM, Errno.EINVAL);
    int bar = (int) index;
    IoResource resource = core.pci().resource(bar);
    refuseIf(at + bytes > resource.bytes(), Errno.EINVAL);
    refuseIf(bar == core.msixBar() && isInTable(at, bytes), Errno.EINVAL);
    refuseIf(!core.isReserved(bar), Errno.EBUSY);
    refuseIf(fd >= 0 && core.isPrivate(bar, new BarRange(at, bytes)), Errno.EBUSY);
    set(new Write(bar, at, bytes, vfio_device_ioeventfd.data(ask)), fd);
    return 0;
  }

  private boolean isInTable(long at, int bytes) {
    MsiX table = core.pci().shape().msiX().orElseThrow();
    return at + bytes > table.tableOffset() && at < table.tableOffset() + table.tableBytes();
  }

  private void set(Write write, int fd) {
    Listener known = listeners.get(write);
    if (known != null) {
      refuseIf(fd != -1, Errno.EEXIST);
      listeners.remove(write);
      known.end();
      return;
    }
    refuseIf(fd < 0, Errno.ENODEV);
    refuseIf(listeners.size() >= MOST, Errno.ENOSPC);
    EventFdFile event =
        task.descriptors().get(fd, EventFdFile.class).orElseThrow(() -> refused(Errno.EINVAL));
    event.get();
    Listener listener = new Listener(event, () -> run(write));
    listeners.put(write, listener);
    event.listen(listener.action);
  }

  /** vfio_pci_ioeventfd_handler. */
  private void run(Write write) {
    boolean reaches = !core.pci().resource(write.bar).isMemory() || core.isMemoryEnabled();
    if (reaches && !core.isPrivate(write.bar, new BarRange(write.at, write.bytes))) {
      core.write(write.bar, write.at, write.bytes, write.value);
    }
  }

  void clear() {
    listeners.values().forEach(Listener::end);
    listeners.clear();
  }
}
