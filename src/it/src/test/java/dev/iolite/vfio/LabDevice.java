package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import java.util.ArrayList;
import java.util.List;

/** A device of the lab, at vfio-pci and bound to an iommufd of its own until it is closed. */
final class LabDevice implements AutoCloseable {
  static final Kernel KERNEL = new HostKernel();
  static final String EDU = "0000:00:02.0";
  static final String NVME = "0000:00:03.0";
  static final String VFIO_PCI = "vfio-pci";

  private final CloseStack opened;
  private final Iommufd iommufd;
  private final BoundVfioDevice device;

  private LabDevice(CloseStack opened, Iommufd iommufd, BoundVfioDevice device) {
    this.opened = opened;
    this.iommufd = iommufd;
    this.device = device;
  }

  static LabDevice of(String address) {
    try (CloseStack opening = new CloseStack()) {
      DriverBinding binding = opening.push(DriverBinding.bind(pci(address), VFIO_PCI));
      Iommufd iommufd = opening.push(Iommufd.open(KERNEL));
      VfioDevice unbound = opening.push(open(binding.device()));
      BoundVfioDevice device = opening.push(unbound.bind(iommufd));
      return new LabDevice(opening.release(), iommufd, device);
    }
  }

  static PciDevice pci(String address) {
    return new Pci(KERNEL).device(PciAddress.parse(address));
  }

  static VfioDevice open(PciDevice pci) {
    return VfioDevice.open(KERNEL, pci.requireVfioCdev(), pci.toString());
  }

  /** What this process has open, but for the jars and libraries that the JVM opens as it goes. */
  static List<String> openFiles() {
    SysFs proc = new SysFs(KERNEL);
    List<String> targets = new ArrayList<>();
    for (String fd : proc.list("/proc/self/fd")) {
      try {
        targets.add(proc.readlink("/proc/self/fd/" + fd));
      } catch (KernelException e) {
        // The directory's own descriptor is closed by now.
        assertThat(e.errno()).isEqualTo(Errno.ENOENT);
      }
    }
    targets.removeIf(target -> target.endsWith(".jar") || target.startsWith("/java/"));
    return targets;
  }

  BoundVfioDevice device() {
    return device;
  }

  Iommufd iommufd() {
    return iommufd;
  }

  /** Closes something before the device. */
  <T extends AutoCloseable> T push(T resource) {
    return opened.push(resource);
  }

  @Override
  public void close() {
    opened.close();
  }
}
