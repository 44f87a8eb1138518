package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.pci.PciFunction;
import dev.iolite.pci.PciRegs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Configuration space as VFIO shows it to the user: partly the hardware's, partly a shadow
 * (drivers/vfio/pci/vfio_pci_config.c). {@link Permissions} describes the bits of a capability;
 * {@link ConfigWrites} handles the writes that the kernel acts on.
 */
final class VirtualConfig {
  private final Task task;
  private final PciFunction function;
  private final ConfigMap map;
  private final ConfigWrites writes;
  private final int size;

  /** The shadow of the hardware's registers (vconfig). */
  private final byte[] shadow;

  /** vfio_config_init. */
  VirtualConfig(Task task, VfioPciCore core) {
    this.task = task;
    function = core.pci().function();
    size = function.configBytes();
    shadow = new byte[size];
    fill(0, PciRegs.HEADER_BYTES);
    // vfio_config_init: the ids of a VF are in its PF.
    if (core.pci().bus().physical(function).isPresent()) {
      setShadow(PciRegs.VENDOR, 2, function.shape().vendor());
      setShadow(PciRegs.DEVICE, 2, function.shape().device());
    }
    map = new ConfigMap(function, this);
    writes = new ConfigWrites(core, this, map);
    if (core.pci().irq() == 0) {
      setShadow(PciRegs.INTERRUPT_PIN, 1, 0);
    }
  }

  /** vfio_fill_vconfig_bytes. */
  void fill(int from, int bytes) {
    for (int i = from; i < from + bytes; i++) {
      shadow[i] = (byte) function.configRead(i, 1);
    }
  }

  int shadow(int at, int width) {
    int value = 0;
    for (int i = 0; i < width; i++) {
      value |= Byte.toUnsignedInt(shadow[at + i]) << (i * Byte.SIZE);
    }
    return value;
  }

  void setShadow(int at, int width, int value) {
    for (int i = 0; i < width; i++) {
      shadow[at + i] = (byte) (value >>> (i * Byte.SIZE));
    }
  }

  /**
   * vfio_pci_config_rw: accesses in aligned pieces that each lie in one capability.
   *
   * @throws dev.iolite.mock.core.Refused EFAULT, for a bad address and beyond the end
   */
  long access(long address, long bytes, long offset, boolean write) {
    for (long done = 0; done < bytes; ) {
      long at = offset + done;
      long left = bytes - done;
      refuseIf(at >= size || at > size - left, Errno.EFAULT);
      int width = map.width((int) at, left);
      if (write) {
        write(address + done, (int) at, width);
      } else {
        read(address + done, (int) at, width);
      }
      done += width;
    }
    return bytes;
  }

  private void read(long address, int at, int width) {
    int value =
        switch (map.kind(at)) {
          case RAW -> function.configRead(at, width);
          case DIRECT -> direct(at, width);
          case MASKED -> {
            writes.beforeRead(at);
            yield masked(at, width);
          }
        };
    MemorySegment out = task.scratch(Integer.BYTES);
    out.set(ValueLayout.JAVA_INT, 0, value);
    task.out(address, out.asSlice(0, width));
  }

  /** vfio_direct_config_read: the links between capabilities come from the shadow. */
  private int direct(int at, int width) {
    int links = at >= PciRegs.CONVENTIONAL_BYTES ? Integer.BYTES : Short.BYTES;
    int linked = Math.clamp(map.start(at) + links - at, 0, width);
    return (function.configRead(at, width) & ~all(linked)) | shadow(at, linked);
  }

  /** vfio_default_config_read. */
  private int masked(int at, int width) {
    Permissions permissions = map.permissions(at);
    int virtual = permissions.virtual(at - map.start(at), width);
    int real = virtual == all(width) ? 0 : function.configRead(at, width);
    return (real & ~virtual) | (shadow(at, width) & virtual);
  }

  private static int all(int width) {
    return width == Integer.BYTES ? -1 : (1 << (width * Byte.SIZE)) - 1;
  }

  private void write(long address, int at, int width) {
    ConfigMap.Kind kind = map.kind(at);
    if (kind == ConfigMap.Kind.DIRECT) {
      return;
    }
    MemorySegment in = task.scratch(Integer.BYTES);
    task.user().read(address, in.asSlice(0, width));
    int value = in.get(ValueLayout.JAVA_INT, 0);
    if (kind == ConfigMap.Kind.RAW) {
      function.configWrite(at, width, value);
    } else {
      writes.write(at, width, value);
    }
  }

  /** vfio_default_config_write. */
  void writeMasked(int at, int width, int value) {
    Permissions permissions = map.permissions(at);
    int offset = at - map.start(at);
    int writable = permissions.writable(offset, width);
    int virtual = permissions.virtual(offset, width);
    if ((writable & virtual) != 0) {
      int mask = writable & virtual;
      setShadow(at, width, (shadow(at, width) & ~mask) | (value & mask));
    }
    if ((writable & ~virtual) != 0) {
      int mask = writable & ~virtual;
      function.configWrite(at, width, (function.configRead(at, width) & ~mask) | (value & mask));
    }
  }
}
