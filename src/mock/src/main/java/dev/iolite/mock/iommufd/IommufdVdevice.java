package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.GuestDevice;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.Refused;
import java.util.Optional;

/** A device as a guest's IOMMU knows it (struct iommufd_vdevice). */
public final class IommufdVdevice extends ContextObject implements GuestDevice {
  private final IommufdViommu viommu;
  private final IommufdDevice device;
  private final long virtualId;
  private boolean isKnown;

  private IommufdVdevice(IommufdViommu viommu, IommufdDevice device, long virtualId) {
    super(viommu.context());
    this.viommu = viommu;
    this.device = device;
    this.virtualId = virtualId;
  }

  /**
   * Makes a vDEVICE that has an id but can't be found yet (viommu.c:iommufd_vdevice_alloc_ioctl).
   *
   * @throws Refused EINVAL: the device is behind another IOMMU; EEXIST: the device has one, or the
   *     id is taken; or an error of the driver
   */
  static IommufdVdevice allocate(IommufdViommu viommu, IommufdDevice device, long virtualId) {
    refuseIf(!viommu.iommu().equals(device.iommu()), Errno.EINVAL);
    refuseIf(device.vdevice().isPresent(), Errno.EEXIST);
    var vdevice = new IommufdVdevice(viommu, device, virtualId);
    viommu.context().objects().allocate(vdevice);
    viommu.get();
    device.get();
    device.setVdevice(Optional.of(vdevice));
    try {
      refuseIf(viommu.vdevices().containsKey(virtualId), Errno.EEXIST);
      viommu.ops().initVdevice(vdevice);
      viommu.vdevices().put(virtualId, vdevice);
      vdevice.isKnown = true;
      viommu.context().guestDeviceCalls().added(vdevice);
      return vdevice;
    } catch (Refused e) {
      vdevice.abort();
      throw e;
    }
  }

  /** Undoes {@link #allocate} before it is published. */
  void abort() {
    destroy();
    context().objects().abort(this);
  }

  @Override
  public IommuDevice device() {
    return device.device();
  }

  /** The vIOMMU that it belongs to. */
  public IommufdViommu viommu() {
    return viommu;
  }

  @Override
  public long virtualId() {
    return virtualId;
  }

  @Override
  String kind() {
    return "vDEVICE";
  }

  /** viommu.c:iommufd_vdevice_destroy. */
  @Override
  void destroy() {
    if (isKnown) {
      context().guestDeviceCalls().removed(this);
      viommu.ops().destroyVdevice(this);
      viommu.vdevices().remove(virtualId);
    }
    viommu.put();
    device.setVdevice(Optional.empty());
    device.put();
  }
}
