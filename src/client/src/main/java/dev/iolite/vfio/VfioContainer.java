package dev.iolite.vfio;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.libc.Libc;

/**
 * {@code /dev/vfio/vfio}: groups that share an address space, or an iommufd that stands in for it.
 * See drivers/vfio/container.c:vfio_fops_unl_ioctl and
 * drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_ioctl.
 *
 * <p>Put a group into it first ({@link VfioGroup#setContainer(VfioContainer)}), then set its IOMMU.
 * Not safe for use by several threads.
 */
public final class VfioContainer implements AutoCloseable {
  /** The path of the device node. */
  public static final String PATH = "/dev/vfio/vfio";

  private final Fd fd;
  private final boolean isOurs;

  private VfioContainer(Fd fd, boolean isOurs) {
    this.fd = fd;
    this.isOurs = isOurs;
  }

  /**
   * Opens a container, which is empty.
   *
   * @throws KernelException what open(2) said: ENOENT (the kernel was built without
   *     CONFIG_VFIO_CONTAINER), EACCES
   */
  public static VfioContainer open(Kernel kernel) {
    return new VfioContainer(Fd.open(kernel, FdKind.VFIO_CONTAINER, PATH, Libc.O_RDWR()), true);
  }

  /**
   * The container that an iommufd stands in for. What is mapped in it is in the IOAS that {@link
   * Iommufd#vfioIoas} tells. Closing it leaves the iommufd open, and once that is closed, the
   * container can no longer be used.
   */
  public static VfioContainer of(Iommufd iommufd) {
    return new VfioContainer(iommufd.fd(), false);
  }

  /** The descriptor. */
  public Fd fd() {
    return fd;
  }

  /** The version of the interface, by VFIO_GET_API_VERSION; 0 so far. */
  public int apiVersion() {
    return fd.ioctl(
        command(VfioIoctls.VFIO_GET_API_VERSION, VfioIoctls.VFIO_GET_API_VERSION_ON_IOMMUFD), 0);
  }

  /**
   * Whether there is an extension, by VFIO_CHECK_EXTENSION: anywhere in the kernel, or once an
   * IOMMU is set, in that. See drivers/vfio/container.c:vfio_container_ioctl_check_extension.
   *
   * @throws KernelException ENODEV: an iommufd without an IOAS of its groups cannot tell of {@link
   *     ContainerExtension#DMA_CC} (drivers/iommu/iommufd/vfio_compat.c:iommufd_vfio_cc_iommu)
   */
  public boolean check(ContainerExtension extension) {
    return fd.ioctl(
            command(VfioIoctls.VFIO_CHECK_EXTENSION, VfioIoctls.VFIO_CHECK_EXTENSION_ON_IOMMUFD),
            extension.number())
        != 0;
  }

  /**
   * Sets the container's IOMMU, by VFIO_SET_IOMMU; once, while it has a group. With an iommufd,
   * type 1 may be set again and again, and tells how it unmaps.
   *
   * @return the IOMMU; without one ({@link ContainerExtension#NOIOMMU_IOMMU}), there is nothing to
   *     map
   * @throws KernelException EINVAL: it has no group, or an IOMMU already, or this is none that can
   *     be set; ENODEV: no driver of the kernel has it, or it is an iommufd that has no group;
   *     EBUSY, EPERM: a group cannot be attached
   */
  public Type1Iommu setIommu(ContainerExtension iommu) {
    fd.ioctl(
        command(VfioIoctls.VFIO_SET_IOMMU, VfioIoctls.VFIO_SET_IOMMU_ON_IOMMUFD), iommu.number());
    return new Type1Iommu(fd, iommu);
  }

  private Ioctl command(Ioctl ofContainer, Ioctl ofIommufd) {
    return fd.kind() == FdKind.IOMMUFD ? ofIommufd : ofContainer;
  }

  @Override
  public void close() {
    if (isOurs) {
      fd.close();
    }
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
