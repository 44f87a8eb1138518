package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.UnboundVfioFile;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_device_attr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;

/**
 * The device of a VM through which KVM and VFIO learn of each other. Made by {@link
 * Vm#createVfioDevice}; a VM has at most one.
 *
 * <p>A file that was added is kept open by KVM until it is removed or this device is closed,
 * whatever happens to its descriptor.
 *
 * <p>Safe for use by several threads.
 */
public final class VfioKvmDevice implements AutoCloseable {
  private final Fd fd;
  private final Consumer<VfioKvmDevice> onClose;

  VfioKvmDevice(Fd fd, Consumer<VfioKvmDevice> onClose) {
    this.fd = fd;
    this.onClose = onClose;
  }

  /**
   * Tells the device's driver which VM the device is for. The bind to an iommufd looks that up
   * once, so it must come after this call.
   *
   * <p>KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE_ADD, virt/kvm/vfio.c:kvm_vfio_file_add.
   *
   * @throws KernelException EINVAL: not a VFIO file; EEXIST: already added; ENOMEM
   */
  public void add(UnboundVfioFile device) {
    set(device.fd(), dev.iolite.uapi.kvm.Kvm.KVM_DEV_VFIO_FILE_ADD());
  }

  /**
   * Removes a file again, after the guest's last access to the device.
   *
   * <p>KVM_SET_DEVICE_ATTR, KVM_DEV_VFIO_FILE_DEL, virt/kvm/vfio.c:kvm_vfio_file_del.
   *
   * @param device the descriptor of a device that was added
   * @throws KernelException ENOENT: it was not added
   */
  public void remove(Fd device) {
    set(device, dev.iolite.uapi.kvm.Kvm.KVM_DEV_VFIO_FILE_DEL());
  }

  /** The attributes of the device. Those of KVM_DEV_VFIO_FILE take the address of a descriptor. */
  public DeviceAttributes attributes() {
    return DeviceAttributes.ofDevice(fd);
  }

  private void set(Fd device, int attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, device.number());
      MemorySegment argument = kvm_device_attr.allocate(arena);
      kvm_device_attr.group(argument, dev.iolite.uapi.kvm.Kvm.KVM_DEV_VFIO_FILE());
      kvm_device_attr.attr(argument, attribute);
      kvm_device_attr.addr(argument, number.address());
      fd.ioctl(KvmIoctls.KVM_SET_DEVICE_ATTR_ON_DEVICE, argument);
    }
  }

  /** Closes the device, once, and with it KVM's hold on every file. */
  @Override
  public void close() {
    onClose.accept(this);
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
