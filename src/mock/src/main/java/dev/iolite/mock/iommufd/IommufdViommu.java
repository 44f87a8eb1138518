package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.Refused;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A part of an IOMMU that is given to a guest (struct iommufd_viommu). */
public final class IommufdViommu extends ContextObject {
  private final int type;
  private final Iommu iommu;
  private final HwptPaging parent;
  private final ViommuOps ops;
  private final Map<Long, IommufdVdevice> vdevices = new TreeMap<>(Long::compareUnsigned);
  private final List<VeventQueue> queues = new ArrayList<>();

  /**
   * Makes a vIOMMU without an id.
   *
   * @throws Refused an error of the driver; then nothing is kept
   */
  IommufdViommu(
      int type, Iommu iommu, HwptPaging parent, ViommuDriver driver, Optional<UserData> data) {
    super(parent.context());
    this.type = type;
    this.iommu = iommu;
    this.parent = parent;
    parent.get();
    try {
      ops = driver.init(this, parent.table().domain(), data);
    } catch (Refused e) {
      parent.put();
      throw e;
    }
  }

  /** Its type, IOMMU_VIOMMU_TYPE_*. */
  public int type() {
    return type;
  }

  /** The IOMMU that it is a part of. */
  public Iommu iommu() {
    return iommu;
  }

  /** How the host's page table under it leads to memory. */
  public IommuDevice.Translation parentTranslation() {
    return parent.translation();
  }

  /** The device that the guest knows by this id (driver.c:iommufd_viommu_find_dev). */
  public Optional<IommuDevice> device(long virtualId) {
    return Optional.ofNullable(vdevices.get(virtualId)).map(IommufdVdevice::device);
  }

  /**
   * Reports an event of the hardware (driver.c:iommufd_viommu_report_event).
   *
   * @param eventType IOMMU_VEVENTQ_TYPE_*
   * @param data the struct of that type, not empty
   * @return whether there is a queue for it, full or not (EOPNOTSUPP otherwise)
   */
  public boolean report(int eventType, byte[] data) {
    Optional<VeventQueue> queue = queue(eventType);
    queue.ifPresent(its -> its.add(data));
    return queue.isPresent();
  }

  HwptPaging parent() {
    return parent;
  }

  ViommuOps ops() {
    return ops;
  }

  Map<Long, IommufdVdevice> vdevices() {
    return vdevices;
  }

  List<VeventQueue> queues() {
    return queues;
  }

  Optional<VeventQueue> queue(int eventType) {
    return queues.stream().filter(queue -> queue.type() == eventType).findFirst();
  }

  @Override
  String kind() {
    return "vIOMMU";
  }

  /** viommu.c:iommufd_viommu_destroy. */
  @Override
  void destroy() {
    ops.destroy();
    parent.put();
  }
}
