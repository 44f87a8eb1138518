package dev.iolite.vmm;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.VfioKvmDevice;
import dev.iolite.kvm.Vm;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.util.List;

/**
 * The host's devices that a guest gets. They share an address space, in which the guest's RAM is at
 * the guest's addresses.
 */
final class HostDevices {
  private HostDevices() {}

  /** Opens devices and puts them on the guest's bus; closing the stack gives them back. */
  static void add(
      Kernel kernel,
      List<PciAddress> addresses,
      Vm vm,
      GuestMemory memory,
      PciBus bus,
      PciWindow window,
      CloseStack open) {
    if (addresses.isEmpty()) {
      return;
    }
    Pci pci = new Pci(kernel);
    VfioKvmDevice known = vm.createVfioDevice();
    Iommufd iommufd = open.push(Iommufd.open(kernel));
    Ioas ioas = open.push(iommufd.allocIoas());
    InterruptRoutes routes = new InterruptRoutes(vm.interrupts());
    boolean isFirst = true;
    for (PciAddress address : addresses) {
      PciDevice host = pci.device(address);
      host.requireAssignable();
      BoundVfioDevice device = open.push(bind(kernel, host, known, iommufd));
      open.push(device.attach(ioas.id()));
      if (isFirst) {
        // Now the address space has the limits of an IOMMU, and says what does not fit into them.
        memory.mapFor(ioas);
        isFirst = false;
      }
      device.reset();
      bus.add(
          open.push(
              new VfioFunction(kernel, device, vm, window, routes, PciBus.lineOf(bus.nextSlot()))));
    }
  }

  private static BoundVfioDevice bind(
      Kernel kernel, PciDevice host, VfioKvmDevice known, Iommufd iommufd) {
    try (VfioDevice unbound =
        VfioDevice.open(kernel, host.requireVfioCdev(), host.address().toString())) {
      known.add(unbound);
      return unbound.bind(iommufd);
    }
  }
}
