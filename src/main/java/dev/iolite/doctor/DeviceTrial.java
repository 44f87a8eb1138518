package dev.iolite.doctor;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.FeatureSupport;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What came of using a device as an assignment does.
 *
 * <p>Only a device that a VFIO driver has already is used, and none that a process uses: the kernel
 * refuses to bind that a second time before it touches it (drivers/vfio/vfio_main.c:vfio_df_open).
 */
sealed interface DeviceTrial {
  /** How much memory is locked for it, in bytes: as much as {@code iolite passthrough} does. */
  long LOCKED_BYTES = 2 << 20;

  /** What was tried, as part of a sentence. */
  String summary();

  /**
   * There was nothing to try it on, or with.
   *
   * @param reason what is not there
   * @param next what to do about it
   */
  record NotTried(String reason, String next) implements DeviceTrial {
    @Override
    public String summary() {
      return "not tried: " + reason;
    }
  }

  /**
   * No device could be used.
   *
   * @param failure the first one's
   */
  record Failed(RuntimeException failure) implements DeviceTrial {
    private static final Set<Errno> THIS_DEVICE =
        EnumSet.of(Errno.EINVAL, Errno.EBUSY, Errno.EPERM);

    /** Whether that says nothing of other devices: this one or its group is in use. */
    boolean isOfThisDeviceOnly() {
      return failure instanceof KernelException e
          && e.call().equals("VFIO_DEVICE_BIND_IOMMUFD")
          && THIS_DEVICE.contains(e.errno());
    }

    @Override
    public String summary() {
      return "not tried: no device could be bound and attached";
    }
  }

  /**
   * A device was opened, bound and attached.
   *
   * @param device which
   * @param dmaBuf what a probe of dma-buf export said
   * @param locking what the kernel said when memory was to be mapped for the device; empty if that
   *     went well
   */
  record Done(PciAddress device, FeatureSupport dmaBuf, Optional<KernelException> locking)
      implements DeviceTrial {
    @Override
    public String summary() {
      return device + " opened, bound and attached";
    }
  }

  /** Tries it on the first device that can be had. */
  static DeviceTrial of(Kernel kernel) {
    try {
      Iommufd.open(kernel).close();
    } catch (KernelException e) {
      return new NotTried(Need.said(e), "see iommufd");
    }
    try {
      return of(kernel, candidates(kernel));
    } catch (RuntimeException e) {
      return new Failed(e);
    }
  }

  private static DeviceTrial of(Kernel kernel, List<PciDevice> devices) {
    DeviceTrial result =
        new NotTried(
            "no PCI device is bound to vfio-pci",
            "iolite pci bind BDF, with a device that the host can spare; then iolite doctor again");
    for (PciDevice device : devices) {
      DeviceTrial trial = of(kernel, device.address());
      if (trial instanceof Done) {
        return trial;
      }
      result = result instanceof NotTried ? trial : result;
    }
    return result;
  }

  private static DeviceTrial of(Kernel kernel, PciAddress address) {
    try (DeviceInspection inspection = new DeviceInspection(kernel, address)) {
      return new Done(address, inspection.dmaBuf(), inspection.lock(LOCKED_BYTES));
    } catch (RuntimeException e) {
      return new Failed(e);
    }
  }

  /** Those with a VFIO driver and an IOMMU. */
  private static List<PciDevice> candidates(Kernel kernel) {
    return new Pci(kernel)
        .devices().stream()
            .filter(device -> device.driver().isPresent())
            .filter(device -> device.vfioCdev().isPresent() && device.hasIommu())
            .toList();
  }
}
