package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.Refused;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A device in a context (struct iommufd_device). It keeps the context open. */
final class IommufdDevice extends ContextObject implements IommufdContext.BoundDevice {
  private static final int NO_PASID = 0;

  private final IommuDevice device;
  private final Iommu iommu;
  private final DeviceGroup group;
  private Optional<IommufdVdevice> vdevice = Optional.empty();

  private IommufdDevice(IommufdFile context, IommuDevice device, Iommu iommu, DeviceGroup group) {
    super(context);
    this.device = device;
    this.iommu = iommu;
    this.group = group;
  }

  /**
   * Binds a device (device.c:iommufd_device_bind).
   *
   * @throws Refused EINVAL: its DMA is not coherent, or must be mapped one to one; ENODEV: it has
   *     no group; EPERM: its interrupts are not isolated, or its DMA has another owner
   */
  static IommufdDevice bind(IommufdFile context, IommuDevice device) {
    IommuDeviceGroup group = device.group().orElseThrow(() -> refused(Errno.ENODEV));
    Iommu iommu = context.platform().of(device);
    refuseIf(!iommu.isCoherent(), Errno.EINVAL);
    refuseIf(!group.interruptsIsolated(), Errno.EPERM);
    // iommu.c:__iommu_device_set_domain: nothing blocks what must be reached one to one.
    refuseIf(group.owner().isEmpty() && group.demandsOneToOne(), Errno.EINVAL);
    refuseIf(!group.claim(context), Errno.EPERM);
    var bound = new IommufdDevice(context, device, iommu, context.groups().get(group));
    context.keepOpen();
    // The driver is a user until it unbinds.
    bound.get();
    context.objects().allocate(bound);
    context.objects().publish(bound);
    return bound;
  }

  IommuDevice device() {
    return device;
  }

  Iommu iommu() {
    return iommu;
  }

  DeviceGroup group() {
    return group;
  }

  Optional<IommufdVdevice> vdevice() {
    return vdevice;
  }

  void setVdevice(Optional<IommufdVdevice> its) {
    vdevice = its;
  }

  @Override
  public int attach(int pageTable) {
    return change(NO_PASID, pageTable);
  }

  @Override
  public int attachPasid(int pasid, int pageTable) {
    return change(pasid, pageTable);
  }

  @Override
  public void detach() {
    detachPasid(NO_PASID);
  }

  /** device.c:iommufd_device_detach. */
  @Override
  public void detachPasid(int pasid) {
    Optional<HwPagetable> was = group.detach(this, pasid);
    was.ifPresent(HwPagetable::putAttached);
    if (was.isPresent()) {
      put();
    }
  }

  @Override
  public boolean isAttached() {
    return isPasidAttached(NO_PASID);
  }

  @Override
  public boolean isPasidAttached(int pasid) {
    return group.isAttached(this, pasid);
  }

  /** device.c:iommufd_device_attach and iommufd_device_replace, with iommufd_device_change_pt. */
  private int change(int pasid, int pageTable) {
    boolean isReplaced = isPasidAttached(pasid);
    ContextObject object = context().objects().find(pageTable);
    if (object == null) {
      throw refused(Errno.ENOENT);
    }
    Change change =
        switch (object) {
          case HwPagetable hwpt -> new Change(hwpt, moveTo(hwpt, pasid, isReplaced));
          case IommufdIoas ioas -> changeTo(ioas, pasid, isReplaced);
          default -> throw refused(Errno.EINVAL);
        };
    change.old.ifPresent(HwPagetable::putAttached);
    if (!isReplaced) {
      get();
    }
    return change.current.id();
  }

  /** A change of page tables; the old one's reference must be released. */
  private record Change(HwPagetable current, Optional<HwPagetable> old) {}

  private Optional<HwPagetable> moveTo(HwPagetable hwpt, int pasid, boolean isReplaced) {
    if (isReplaced) {
      return group.replace(this, pasid, hwpt);
    }
    group.attach(hwpt, this, pasid);
    return Optional.empty();
  }

  /**
   * Takes a suitable automatic page table of the IOAS, or makes one
   * (device.c:iommufd_device_auto_get_domain).
   */
  private Change changeTo(IommufdIoas ioas, int pasid, boolean isReplaced) {
    for (HwptPaging hwpt : List.copyOf(ioas.hwpts())) {
      if (!hwpt.isAutomatic()) {
        continue;
      }
      try {
        return new Change(hwpt, moveTo(hwpt, pasid, isReplaced));
      } catch (Refused e) {
        if (e.errno() != Errno.EINVAL) {
          throw e;
        }
      }
    }
    HwptPaging made =
        HwptPaging.allocate(
            ioas,
            this,
            0,
            Optional.empty(),
            isReplaced ? OptionalInt.empty() : OptionalInt.of(pasid));
    Optional<HwPagetable> old = Optional.empty();
    if (isReplaced) {
      try {
        old = group.replace(this, pasid, made);
      } catch (Refused e) {
        made.abort();
        throw e;
      }
    }
    made.setAutomatic();
    context().objects().publish(made);
    return new Change(made, old);
  }

  /** device.c:iommufd_device_unbind; takes its vDEVICE with it (iommufd_device_pre_destroy). */
  @Override
  public void unbind() {
    vdevice.ifPresent(context().objects()::tombstone);
    context().objects().destroyUser(this);
  }

  @Override
  String kind() {
    return "device";
  }

  /** device.c:iommufd_device_destroy. */
  @Override
  void destroy() {
    group.group().release();
    context().groups().put(group);
    context().letClose();
  }
}
