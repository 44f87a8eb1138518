package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.DmaDomain;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.type1.Type1;
import dev.iolite.uapi.vfio.Vfio;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * An open {@code /dev/vfio/vfio} (struct vfio_container): groups that share an IOMMU's address
 * space. A group that is in it keeps it open.
 */
final class ContainerFile extends OpenFile {
  private final Function<IommuDevice, DmaDomain> domains;
  private final Deque<VfioGroup> groups = new ArrayDeque<>();
  private Optional<Type1> iommu = Optional.empty();

  /** vfio_fops_open. */
  ContainerFile(Task task, Function<IommuDevice, DmaDomain> domains) {
    super(task);
    this.domains = domains;
  }

  @Override
  public String name() {
    return "/dev/vfio/vfio";
  }

  /** vfio_fops_unl_ioctl: a container without an IOMMU says EINVAL to what it does not know. */
  @Override
  public int ioctl(int request, long argument) {
    if (request == Vfio.VFIO_GET_API_VERSION()) {
      return Vfio.VFIO_API_VERSION();
    } else if (request == Vfio.VFIO_CHECK_EXTENSION()) {
      return hasExtension(argument) ? 1 : 0;
    } else if (request == Vfio.VFIO_SET_IOMMU()) {
      setIommu(argument);
      return 0;
    }
    refuseIf(iommu.isEmpty(), Errno.EINVAL);
    return iommu.get().ioctl(request, argument);
  }

  /** vfio_container_ioctl_check_extension; no-IOMMU mode is off. */
  private boolean hasExtension(long extension) {
    return iommu.map(its -> its.has(extension)).orElse(Type1.offers(extension));
  }

  /** vfio_ioctl_set_iommu: type 1 is the only driver for groups that have an IOMMU. */
  private void setIommu(long type) {
    refuseIf(groups.isEmpty() || iommu.isPresent(), Errno.EINVAL);
    refuseIf(!Type1.offers(type), Errno.ENODEV);
    Type1 opened = Type1.open(task(), type, domains);
    List<VfioGroup> attached = new ArrayList<>();
    try {
      for (VfioGroup group : groups) {
        opened.attach(group.iommuGroup());
        attached.add(group);
      }
    } catch (Refused e) {
      attached.reversed().forEach(group -> opened.detach(group.iommuGroup()));
      throw e;
    }
    iommu = Optional.of(opened);
  }

  /** Whether an IOMMU was chosen. */
  boolean hasIommu() {
    return iommu.isPresent();
  }

  /**
   * vfio_container_attach_group.
   *
   * @throws Refused EPERM: the group's DMA belongs to somebody; EBUSY, EINVAL, EPERM: the IOMMU
   *     does not take the group
   */
  void attach(VfioGroup group) {
    group.iommuGroup().claimOnce(group);
    try {
      iommu.ifPresent(its -> its.attach(group.iommuGroup()));
    } catch (Refused e) {
      group.iommuGroup().release();
      throw e;
    }
    groups.addFirst(group);
    get();
  }

  /** vfio_group_detach_container: with its last group, a container loses its IOMMU. */
  void detach(VfioGroup group) {
    iommu.ifPresent(its -> its.detach(group.iommuGroup()));
    group.iommuGroup().release();
    groups.remove(group);
    if (groups.isEmpty()) {
      iommu = Optional.empty();
    }
    put();
  }
}
