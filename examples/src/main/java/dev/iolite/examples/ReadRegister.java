package dev.iolite.examples;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.Attachment;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.VfioDevice;

/** Reads the first register of a PCI device. */
public final class ReadRegister {
  private ReadRegister() {}

  /** Reads the identification register of the model's edu device. */
  public static void main(String[] args) {
    try (MockKernel kernel = MockKernel.plain()) {
      System.out.printf("register 0: %08x%n", read(kernel, PciAddress.parse("0000:00:02.0")));
    }
  }

  /** Gives the device to vfio-pci, reads 32 bits at the start of BAR 0, and gives it back. */
  static int read(Kernel kernel, PciAddress address) {
    PciDevice function = new Pci(kernel).device(address);
    try (DriverBinding bound = DriverBinding.bind(function, "vfio-pci");
        Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice opened =
            VfioDevice.open(kernel, function.requireVfioCdev(), address.toString());
        BoundVfioDevice device = opened.bind(iommufd);
        Ioas ioas = iommufd.allocIoas();
        Attachment attached = device.attach(ioas.id());
        DeviceMemory bar = device.region(PciRegion.BAR0).map()) {
      device.config().setMemoryDecode(true);
      return bar.read32(0);
    }
  }
}
