package dev.iolite.steps;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;

/** The steps that every assignment of a device begins with; each is undone when its steps are. */
public final class HostSteps {
  private HostSteps() {}

  /** Opens KVM. */
  public static Kvm openKvm(Steps steps) {
    return steps.open(
        "open KVM",
        () -> Kvm.open(steps.kernel()),
        kvm -> "API version " + kvm.apiVersion(),
        "close KVM",
        "closed");
  }

  /** Opens iommufd. */
  public static Iommufd openIommufd(Steps steps) {
    return steps.open(
        "open iommufd",
        () -> Iommufd.open(steps.kernel()),
        Iommufd::toString,
        "close iommufd",
        "closed");
  }

  /**
   * Makes memory for a guest, which host and devices can reach, and maps it here.
   *
   * @param bytes how much
   */
  public static Mapping makeRam(Steps steps, long bytes) {
    MemFd memory =
        steps.open(
            "make the guest's memory",
            () -> MemFd.create(steps.kernel(), "guest-ram", bytes),
            made -> made.bytes() + " bytes",
            "free the guest's memory",
            "freed");
    return steps.open(
        "map the guest's memory here",
        memory::map,
        mapping -> "at 0x" + Long.toHexString(mapping.address()),
        "unmap the guest's memory here",
        "unmapped");
  }

  /**
   * Opens a device and binds it to iommufd. KVM is told of it before the bind, because the bind
   * looks up the device's VM once.
   */
  public static BoundVfioDevice bind(
      Steps steps, PciDevice pci, VfioKvmDevice vfioKvm, Iommufd iommufd) {
    CloseStack descriptor = new CloseStack();
    VfioDevice unbound =
        steps.step(
            "open the device",
            () -> {
              VfioDevice opened =
                  VfioDevice.open(steps.kernel(), pci.requireVfioCdev(), pci.address().toString());
              steps.undo("close the device", "closed and unbound", descriptor::close);
              return descriptor.push(opened);
            },
            VfioDevice::toString);
    steps.step("tell KVM of the device, before the bind", "told", () -> vfioKvm.add(unbound));
    BoundVfioDevice device =
        steps.step(
            "bind the device to iommufd",
            () -> descriptor.push(unbound.bind(iommufd.fd())),
            bound -> bound.deviceId().toString());
    steps.undo("take the device from KVM", "taken", () -> vfioKvm.remove(device.fd()));
    return device;
  }
}
