package dev.iolite.doctor;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Remedy;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import java.util.List;
import java.util.Optional;

/**
 * The result of using a device the way an assignment does.
 *
 * <p>Only a device that already has a VFIO driver is tried. One that a process uses is not
 * disturbed: the kernel refuses a second bind before it touches the device
 * (drivers/vfio/vfio_main.c:vfio_df_open).
 */
sealed interface DeviceTrial {
  /** How much memory is locked for it, in bytes: as much as a passthrough locks. */
  long LOCKED_BYTES = 2 << 20;

  /** What to do if there is no device to try. */
  String SPARE = "give a device that the host can spare to vfio-pci";

  /** What was tried, as part of a sentence. */
  String summary();

  /**
   * There was nothing to try it on, or with.
   *
   * @param reason what is missing
   * @param next what to do about it
   * @param remedy the same, as data
   */
  record NotTried(String reason, String next, Remedy remedy) implements DeviceTrial {
    @Override
    public String summary() {
      return "not tried: " + reason;
    }
  }

  /**
   * No device could be used.
   *
   * @param failure the failure of the first device
   * @param isInUse whether somebody else has that device enabled
   */
  record Failed(RuntimeException failure, boolean isInUse) implements DeviceTrial {
    @Override
    public String summary() {
      return "not tried: no device could be bound and attached";
    }
  }

  /**
   * A device was opened, bound and attached.
   *
   * @param device which device
   * @param sharing what the kernel said when a BAR was exported as a dma-buf and mapped; empty if
   *     that succeeded
   * @param locking what the kernel said when memory was mapped for the device; empty if that
   *     succeeded
   */
  record Done(
      PciAddress device, Optional<KernelException> sharing, Optional<KernelException> locking)
      implements DeviceTrial {
    @Override
    public String summary() {
      return device + " opened, bound and attached";
    }
  }

  /** Tries it on the first device that is available. */
  static DeviceTrial of(Kernel kernel) {
    List<PciDevice> devices;
    try {
      Iommufd.open(kernel).close();
      devices = new Pci(kernel).devices();
    } catch (KernelException e) {
      return e.subject().equals(Iommufd.PATH)
          ? new NotTried(Need.said(e), "see iommufd", Remedy.NONE)
          : new NotTried(Need.said(e), "see what sysfs has", Remedy.LIST_FUNCTIONS);
    }
    DeviceTrial result =
        new NotTried("no PCI device is bound to vfio-pci", SPARE, Remedy.GIVE_SPARE_TO_VFIO);
    for (PciDevice device : devices) {
      Optional<DeviceTrial> trial = of(kernel, device);
      if (trial.filter(Done.class::isInstance).isPresent()) {
        return trial.get();
      }
      result = result instanceof NotTried ? trial.orElse(result) : result;
    }
    return result;
  }

  /** Empty if the device has no VFIO driver or no IOMMU. */
  private static Optional<DeviceTrial> of(Kernel kernel, PciDevice device) {
    try {
      if (device.driver().isEmpty() || device.vfioCdev().isEmpty() || !device.hasIommu()) {
        return Optional.empty();
      }
      try (DeviceInspection inspection =
          new DeviceInspection(kernel, device.address(), Optional.empty())) {
        return Optional.of(
            new Done(device.address(), inspection.shareBar(), inspection.lock(LOCKED_BYTES)));
      }
    } catch (RuntimeException e) {
      return Optional.of(new Failed(e, isEnabled(device)));
    }
  }

  /** Whether a device is known to be enabled; its file may be what could not be read before. */
  private static boolean isEnabled(PciDevice device) {
    try {
      return device.isEnabled();
    } catch (KernelException _) {
      return false;
    }
  }
}
