package dev.iolite.mock.type1;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.DmaDomain;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommuDevice.Range;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.vfio.Vfio;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The IOMMU of a container (struct vfio_iommu): one address space for all groups of the container.
 *
 * <p>There is one IOMMU in front of all devices, so all groups use one page table (struct
 * vfio_domain), and what is mapped is always pinned.
 */
public final class Type1 {
  /** The module's parameter dma_entry_limit. */
  static final int MOST_MAPPINGS = 0xffff;

  private final Task task;
  private final Function<IommuDevice, DmaDomain> allocate;
  private final boolean isVersion2;
  private final List<IommuDeviceGroup> groups = new ArrayList<>();
  private final DmaMappings mappings = new DmaMappings();
  private Optional<DmaDomain> domain = Optional.empty();
  private List<Range> iovas = List.of();
  private boolean tracksDirty;

  private Type1(Task task, Function<IommuDevice, DmaDomain> allocate, boolean isVersion2) {
    this.task = task;
    this.allocate = allocate;
    this.isVersion2 = isVersion2;
  }

  /**
   * vfio_iommu_type1_open.
   *
   * @param allocate makes a page table for a device (iommu_paging_domain_alloc)
   * @throws dev.iolite.mock.core.Refused EINVAL: an extension that is no type of IOMMU
   */
  public static Type1 open(Task task, long type, Function<IommuDevice, DmaDomain> allocate) {
    boolean isVersion2 = type == Vfio.VFIO_TYPE1v2_IOMMU();
    refuseIf(!isVersion2 && type != Vfio.VFIO_TYPE1_IOMMU(), Errno.EINVAL);
    return new Type1(task, allocate, isVersion2);
  }

  /** vfio_iommu_type1_check_extension while no container has chosen it. */
  public static boolean offers(long extension) {
    return extension == Vfio.VFIO_TYPE1_IOMMU()
        || extension == Vfio.VFIO_TYPE1v2_IOMMU()
        || extension == Vfio.VFIO_UNMAP_ALL();
  }

  /** vfio_iommu_type1_check_extension. */
  public boolean has(long extension) {
    return offers(extension)
        || extension == Vfio.VFIO_UPDATE_VADDR()
        || (extension == Vfio.VFIO_DMA_CC_IOMMU() && domain().enforcesCoherency());
  }

  /**
   * Lets the devices of a group reach what is mapped (vfio_iommu_type1_attach_group).
   *
   * @throws dev.iolite.mock.core.Refused EBUSY: a mapping has no valid address; EINVAL: the devices
   *     reserve what is mapped, or leave nothing to map; EPERM: their interrupts are not isolated
   */
  public void attach(IommuDeviceGroup group) {
    refuseIf(mappings.all().stream().anyMatch(DmaMapping::isAddressInvalid), Errno.EBUSY);
    DmaDomain its = domain.orElseGet(() -> allocate.apply(group.devices().getFirst()));
    for (Range range : reserved(List.of(group))) {
      refuseIf(mappings.find(range.first(), range.last()).isPresent(), Errno.EINVAL);
    }
    List<IommuDeviceGroup> all = new ArrayList<>(groups);
    all.add(group);
    List<Range> ranges = IovaRanges.of(its, reserved(all));
    refuseIf(ranges.isEmpty(), Errno.EINVAL);
    refuseIf(!group.interruptsIsolated(), Errno.EPERM);
    domain = Optional.of(its);
    iovas = ranges;
    groups.add(group);
    group.devices().forEach(device -> device.translateBy(Optional.of(mappings)));
  }

  /** vfio_iommu_type1_detach_group: with the last group, all mappings go. */
  public void detach(IommuDeviceGroup group) {
    group.devices().forEach(device -> device.translateBy(Optional.empty()));
    groups.remove(group);
    if (groups.isEmpty()) {
      mappings.all().forEach(mappings::remove);
    } else {
      iovas = IovaRanges.of(domain(), reserved(groups));
    }
  }

  /** iommu_get_group_resv_regions. */
  private static List<Range> reserved(List<IommuDeviceGroup> groups) {
    return groups.stream()
        .flatMap(group -> group.devices().stream())
        .flatMap(device -> device.reserved().stream())
        .toList();
  }

  /** vfio_iommu_type1_ioctl. */
  public int ioctl(int request, long argument) {
    if (request == Vfio.VFIO_IOMMU_GET_INFO()) {
      InfoCall.give(this, argument);
    } else if (request == Vfio.VFIO_IOMMU_MAP_DMA()) {
      MapCall.map(this, argument);
    } else if (request == Vfio.VFIO_IOMMU_UNMAP_DMA()) {
      UnmapCall.unmap(this, argument);
    } else if (request == Vfio.VFIO_IOMMU_DIRTY_PAGES()) {
      DirtyCall.execute(this, argument);
    } else {
      throw refused(Errno.ENOTTY);
    }
    return 0;
  }

  Task task() {
    return task;
  }

  DmaMappings mappings() {
    return mappings;
  }

  private DmaDomain domain() {
    return domain.orElseThrow();
  }

  /** The ranges of IOVA that can be mapped. */
  List<Range> iovas() {
    return iovas;
  }

  /** A bit for each page size of the IOMMU. */
  long pageSizes() {
    return domain().pageSizes();
  }

  /** The smallest page size, in bytes. */
  long leastPage() {
    return Long.lowestOneBit(pageSizes());
  }

  /** Whether it unmaps whole mappings only (VFIO_TYPE1v2_IOMMU). */
  boolean isVersion2() {
    return isVersion2;
  }

  boolean tracksDirty() {
    return tracksDirty;
  }

  void setTracksDirty(boolean tracks) {
    tracksDirty = tracks;
  }
}
