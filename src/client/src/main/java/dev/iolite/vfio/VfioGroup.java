package dev.iolite.vfio;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.UnboundVfioFile;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_group_status;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.UUID;

/**
 * An IOMMU group, {@code /dev/vfio/N}: VFIO's older way to its devices. It enters a container,
 * whose IOMMU is then set, and gives out the descriptors of its devices. See
 * drivers/vfio/group.c:vfio_group_fops_unl_ioctl.
 *
 * <p>Add it to KVM's VFIO device before a device of it is opened. Close its devices first. Not safe
 * for use by several threads.
 */
public final class VfioGroup implements UnboundVfioFile, AutoCloseable {
  private final Fd fd;

  private VfioGroup(Fd fd) {
    this.fd = fd;
  }

  /**
   * Opens a group.
   *
   * @param path {@code /dev/vfio/N}, or {@code /dev/vfio/noiommu-N}, where N is the group's number
   * @throws KernelException what open(2) said: ENOENT (no device of the group is at a VFIO driver),
   *     EBUSY (it is open, or one of its devices is by its own file), EACCES, EPERM (a group
   *     without an IOMMU needs CAP_SYS_RAWIO). See drivers/vfio/group.c:vfio_group_fops_open
   */
  public static VfioGroup open(Kernel kernel, String path) {
    return new VfioGroup(Fd.open(kernel, FdKind.VFIO_GROUP, path, Libc.O_RDWR()));
  }

  @Override
  public Fd fd() {
    return fd;
  }

  /**
   * Whether it can be used, and is in a container, by VFIO_GROUP_GET_STATUS.
   *
   * @throws KernelException ENODEV: its last device is gone
   */
  public GroupStatus status() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = vfio_group_status.allocate(arena);
      vfio_group_status.argsz(status, (int) status.byteSize());
      fd.ioctl(VfioIoctls.VFIO_GROUP_GET_STATUS, status);
      int flags = vfio_group_status.flags(status);
      return new GroupStatus(
          (flags & Vfio.VFIO_GROUP_FLAGS_VIABLE()) != 0,
          (flags & Vfio.VFIO_GROUP_FLAGS_CONTAINER_SET()) != 0);
    }
  }

  /**
   * Puts the group into a container, by VFIO_GROUP_SET_CONTAINER. If the container has an IOMMU,
   * the group's devices see at once what is mapped in it.
   *
   * @throws KernelException EINVAL: it is in a container; ENODEV: its last device is gone; EPERM: a
   *     device of the group has a host driver; or the group has no IOMMU, and needs CAP_SYS_RAWIO
   *     and a container of its own; EBUSY: the kernel has given the group a page table, or one of
   *     its PASIDs; otherwise what the container's IOMMU says. See
   *     drivers/vfio/container.c:vfio_container_attach_group and
   *     drivers/iommu/iommu.c:iommu_group_claim_dma_owner
   */
  public void setContainer(VfioContainer container) {
    setContainer(container.fd());
  }

  /**
   * Uses an iommufd in place of a container, by VFIO_GROUP_SET_CONTAINER. The kernel makes an IOAS
   * for the group's devices, unless the iommufd has one for that ({@link Iommufd#vfioIoas}).
   *
   * @throws KernelException EINVAL: it is in a container, or the iommufd has groups of the other
   *     kind (without an IOMMU, or with). See
   *     drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_compat_ioas_create
   */
  public void setContainer(Iommufd iommufd) {
    setContainer(iommufd.fd());
  }

  private void setContainer(Fd container) {
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(
          VfioIoctls.VFIO_GROUP_SET_CONTAINER,
          arena.allocateFrom(ValueLayout.JAVA_INT, container.number()));
    }
  }

  /**
   * Takes the group out of its container, by VFIO_GROUP_UNSET_CONTAINER. The last group that leaves
   * takes the container's IOMMU and its mappings along.
   *
   * <p>With an iommufd, devices of the group may be open and go on, and its IOAS stays with all
   * that is mapped.
   *
   * @throws KernelException EINVAL: it is in none; EBUSY: a device of it is open, in a container.
   *     See drivers/vfio/group.c:vfio_group_ioctl_unset_container
   */
  public void unsetContainer() {
    fd.ioctl(VfioIoctls.VFIO_GROUP_UNSET_CONTAINER, 0);
  }

  /**
   * Opens a device of the group, by VFIO_GROUP_GET_DEVICE_FD.
   *
   * @param name the device's name on its bus, such as {@code 0000:00:03.0}
   * @throws KernelException ENODEV: it has no such device; EINVAL: it is in no container, or its
   *     container has no IOMMU; EACCES: a VF token is needed; EPERM: with an iommufd, another
   *     device of the group has a host driver. See
   *     drivers/vfio/group.c:vfio_group_ioctl_get_device_fd
   */
  public GroupVfioDevice device(String name) {
    return device(name, name);
  }

  /**
   * Like {@link #device(String)}, with a VF token; see {@link VfioDevice#bind(Iommufd,
   * java.util.Optional)}. It follows the device's name in the argument
   * (drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match).
   *
   * @throws KernelException as there, and EACCES: the token is wrong; EINVAL: the device accepts
   *     none
   */
  public GroupVfioDevice device(String name, UUID token) {
    return device(name, name + " vf_token=" + token);
  }

  private GroupVfioDevice device(String name, String argument) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(argument);
      int number = fd.tryIoctl(VfioIoctls.VFIO_GROUP_GET_DEVICE_FD, text.address());
      if (number < 0) {
        throw KernelException.of(
            fd.kernel(),
            VfioIoctls.VFIO_GROUP_GET_DEVICE_FD.name(),
            fd.target(),
            "device=" + name,
            -number);
      }
      Fd device = Fd.owned(fd.kernel(), FdKind.VFIO_DEVICE, number, name + " of " + fd, name);
      return new GroupVfioDevice(device, name);
    }
  }

  /** Closes the descriptor, which takes the group out of its container. */
  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
