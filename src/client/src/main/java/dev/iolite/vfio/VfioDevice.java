package dev.iolite.vfio;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.CallTarget;
import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.UnboundVfioFile;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.UUID;

/**
 * A VFIO device's character device, opened and not yet bound to an iommufd. The kernel allows only
 * two things with it: passing it to KVM, and then binding it.
 *
 * <p>Not safe for use by several threads.
 */
public final class VfioDevice implements UnboundVfioFile, AutoCloseable {
  private final Fd fd;
  private final String name;
  private boolean bound;

  private VfioDevice(Fd fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /**
   * Opens the character device for reading and writing. Several descriptors of one device may be
   * open, but only one of them can be bound.
   *
   * @param path its node, such as {@code /dev/vfio/devices/vfio0}
   * @param name what the device is called in messages, such as {@code 0000:00:03.0}
   * @throws KernelException what open(2) said: ENOENT (no such node), EACCES, ENODEV (the driver is
   *     letting go of the device), EPERM (a device without an IOMMU needs CAP_SYS_RAWIO). See
   *     drivers/vfio/device_cdev.c:vfio_device_fops_cdev_open
   */
  public static VfioDevice open(Kernel kernel, String path, String name) {
    int number = Fd.tryOpen(kernel, path, Libc.O_RDWR());
    if (number < 0) {
      throw KernelException.of(
          kernel,
          "open",
          new CallTarget(Optional.of(FdKind.VFIO_DEVICE), path, Optional.of(name)),
          "device=" + name,
          -number);
    }
    return new VfioDevice(
        Fd.owned(kernel, FdKind.VFIO_DEVICE, number, name + ", " + path, name), name);
  }

  /** What the device is called in messages. */
  public String name() {
    return name;
  }

  /**
   * {@inheritDoc}
   *
   * <p>Add it to KVM's VFIO device before {@link #bind}.
   */
  @Override
  public Fd fd() {
    requireUnbound();
    return fd;
  }

  /**
   * Binds the device to an iommufd by VFIO_DEVICE_BIND_IOMMUFD, which opens it for use and claims
   * its whole IOMMU group for that iommufd. This object is then used up: the descriptor belongs to
   * the result, and closing this does nothing. If the bind fails, this stays open and unbound.
   *
   * @throws KernelException EINVAL: another descriptor of the device is bound, or its group has
   *     been opened the old way, or the IOMMU is not cache-coherent, or the firmware demands a 1:1
   *     mapping for the device; EPERM: another device of the IOMMU group has a host driver or
   *     belongs to another iommufd, or interrupts are not isolated; EBUSY: a page table other than
   *     the default one is in place, or the group's file is in use; EACCES: a VF token is needed;
   *     EAGAIN: the kernel is busy with the device; ENODEV: no IOMMU group. A positive {@link
   *     KernelException#result}: Intel graphics whose configuration space cannot be read. See
   *     drivers/vfio/device_cdev.c:vfio_df_ioctl_bind_iommufd,
   *     drivers/iommu/iommufd/device.c:iommufd_device_bind and
   *     drivers/vfio/pci/vfio_pci_igd.c:vfio_pci_igd_init
   * @throws IllegalStateException if it is already bound or closed
   */
  public BoundVfioDevice bind(Iommufd iommufd) {
    return bind(iommufd, Optional.empty());
  }

  /**
   * Like {@link #bind(Iommufd)}, with a VF token, which the users of a physical function at
   * vfio-pci and of its virtual functions share. The user of the physical function sets it while no
   * virtual function is in use; the user of a virtual function must give the same one. Other
   * devices accept none. See drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match_token_uuid.
   *
   * @throws KernelException as for {@link #bind(Iommufd)}, and EACCES: the token is wrong; EINVAL:
   *     the device accepts none
   */
  public BoundVfioDevice bind(Iommufd iommufd, Optional<UUID> token) {
    requireUnbound();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bind = vfio_device_bind_iommufd.allocate(arena);
      vfio_device_bind_iommufd.argsz(bind, (int) bind.byteSize());
      vfio_device_bind_iommufd.iommufd(bind, iommufd.fd().number());
      token.ifPresent(uuid -> {
        vfio_device_bind_iommufd.flags(bind, Vfio.VFIO_DEVICE_BIND_FLAG_TOKEN());
        vfio_device_bind_iommufd.token_uuid_ptr(bind, VfToken.bytes(arena, uuid).address());
      });
      fd.ioctl(VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD, bind);
      bound = true;
      return new BoundVfioDevice(fd, new DeviceId(vfio_device_bind_iommufd.out_devid(bind)), name);
    }
  }

  private void requireUnbound() {
    if (bound) {
      throw new IllegalStateException(fd + " has been bound to an iommufd");
    }
  }

  /** Closes the descriptor, unless the device has been bound. */
  @Override
  public void close() {
    if (!bound) {
      fd.close();
    }
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
