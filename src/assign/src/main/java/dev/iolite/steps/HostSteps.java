package dev.iolite.steps;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.util.Optional;
import java.util.UUID;

/**
 * The steps with which every assignment of a device begins; each is undone together with the
 * assignment's steps.
 */
public final class HostSteps {
  private HostSteps() {}

  /** Opens KVM. */
  public static Kvm openKvm(Steps steps) {
    return steps.open(
        HostStep.OPEN_KVM,
        () -> Kvm.open(steps.kernel()),
        kvm -> "API version " + kvm.apiVersion(),
        "closed");
  }

  /** Opens iommufd. */
  public static Iommufd openIommufd(Steps steps) {
    return steps.open(
        HostStep.OPEN_IOMMUFD, () -> Iommufd.open(steps.kernel()), Iommufd::toString, "closed");
  }

  /**
   * Makes memory for a guest that the host and devices can reach, and maps it here.
   *
   * @param bytes its length
   */
  public static Mapping makeRam(Steps steps, long bytes) {
    MemFd memory =
        steps.open(
            HostStep.MAKE_MEMORY,
            () -> MemFd.create(steps.kernel(), "guest-ram", bytes),
            made -> made.bytes() + " bytes",
            "freed");
    return steps.open(
        HostStep.MAP_MEMORY,
        memory::map,
        mapping -> "at 0x" + Long.toHexString(mapping.address()),
        "unmapped");
  }

  /**
   * Opens a device and binds it to iommufd. KVM learns of it before the bind, because the bind
   * looks up the device's VM once.
   *
   * @param token the VF token, for a device that requires one
   */
  public static BoundVfioDevice bind(
      Steps steps, PciDevice pci, VfioKvmDevice vfioKvm, Iommufd iommufd, Optional<UUID> token) {
    CloseStack descriptor = new CloseStack();
    VfioDevice unbound =
        steps.step(
            HostStep.OPEN_DEVICE,
            () -> {
              VfioDevice opened =
                  VfioDevice.open(steps.kernel(), pci.requireVfioCdev(), pci.address().toString());
              steps.undo(HostStep.OPEN_DEVICE, "closed and unbound", descriptor::close);
              return descriptor.push(opened);
            },
            VfioDevice::toString);
    steps.step(
        HostStep.TELL_KVM,
        "told",
        () -> {
          Fd file = unbound.fd();
          vfioKvm.add(unbound);
          steps.undo(HostStep.TELL_KVM, "taken", () -> vfioKvm.remove(file));
        });
    return steps.step(
        HostStep.BIND_DEVICE,
        () -> descriptor.push(unbound.bind(iommufd, token)),
        bound -> bound.deviceId().toString());
  }
}
