package dev.iolite.mock.pci;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.PositionedFile;
import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A device's {@code config} file: configuration space itself, unfiltered
 * (drivers/pci/pci-sysfs.c:pci_read_config, pci_write_config). It is accessed in the widest aligned
 * pieces.
 */
final class ConfigFile extends PositionedFile {
  private final PciDev device;

  ConfigFile(Task task, PciDev device) {
    super(task);
    this.device = device;
  }

  @Override
  public String name() {
    return "/sys/bus/pci/devices/" + device + "/config";
  }

  @Override
  public long pread(long address, long bytes, long offset) {
    int count = count(bytes, offset);
    MemorySegment buffer = task().scratch(count);
    for (int done = 0; done < count; ) {
      int at = (int) offset + done;
      int width = width(at, count - done);
      int value = device.function().configRead(at, width);
      for (int i = 0; i < width; i++) {
        buffer.set(ValueLayout.JAVA_BYTE, done + i, (byte) (value >>> (i * Byte.SIZE)));
      }
      done += width;
    }
    task().out(address, buffer);
    return count;
  }

  /** fs/kernfs/file.c:kernfs_fop_write_iter, fs/sysfs/file.c:sysfs_kf_bin_write. */
  @Override
  public long pwrite(long address, long bytes, long offset) {
    MemorySegment buffer = task().in(address, Math.min(bytes, Page.BYTES));
    int count = count(buffer.byteSize(), offset);
    refuseIf(offset >= device.function().configBytes(), Errno.EFBIG);
    for (int done = 0; done < count; ) {
      int at = (int) offset + done;
      int width = width(at, count - done);
      int value = 0;
      for (int i = 0; i < width; i++) {
        value |= Byte.toUnsignedInt(buffer.get(ValueLayout.JAVA_BYTE, done + i)) << (i * Byte.SIZE);
      }
      device.function().configWrite(at, width, value);
      done += width;
    }
    return count;
  }

  private int count(long bytes, long offset) {
    PciFiles.requireRegistered(device);
    return (int) Math.clamp(device.function().configBytes() - offset, 0, bytes);
  }

  private static int width(int at, int left) {
    if (at % 4 == 0 && left >= 4) {
      return 4;
    }
    return at % 2 == 0 && left >= 2 ? 2 : 1;
  }

  /** fs/kernfs/file.c:kernfs_fop_llseek. */
  @Override
  public long lseek(long offset, int whence) {
    PciFiles.requireRegistered(device);
    return moveWithin(device.function().configBytes(), offset, whence);
  }
}
