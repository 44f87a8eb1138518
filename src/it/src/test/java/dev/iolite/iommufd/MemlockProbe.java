package dev.iolite.iommufd;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;

/**
 * A program that maps as much as a memlock limit of 64 KiB allows, and then a page more. It is a
 * process of its own because root's memory is not charged.
 */
final class MemlockProbe {
  private static final long LIMIT = 64 * 1024;
  private static final long PAGE = 4096;

  private MemlockProbe() {}

  public static void main(String[] arguments) {
    Kernel kernel = new HostKernel();
    try (Iommufd iommufd = Iommufd.open(kernel);
        VfioDevice cdev = VfioDevice.open(kernel, arguments[0], "edu");
        BoundVfioDevice device = cdev.bind(iommufd);
        Mapping ram = Mapping.anonymous(kernel, LIMIT + PAGE)) {
      Ioas ioas = iommufd.allocIoas();
      device.attach(ioas.id());
      ioas.map(0, ram.segment().asSlice(0, LIMIT), IovaAccess.READ_WRITE);
      System.out.println("64 KiB mapped");
      ioas.map(LIMIT, ram.segment().asSlice(LIMIT, PAGE), IovaAccess.READ_WRITE);
      System.out.println("more than the limit mapped");
    } catch (KernelException e) {
      System.out.println(e.getMessage());
    }
  }
}
