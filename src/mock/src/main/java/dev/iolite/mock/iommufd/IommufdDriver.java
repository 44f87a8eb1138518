package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.MiscDevice;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;

/** The iommufd driver (drivers/iommu/iommufd). */
public final class IommufdDriver {
  private IommufdDriver() {}

  /**
   * Adds {@code /dev/iommu}.
   *
   * @param platform the machine's IOMMUs
   * @param calls the calls that the kernel has beyond 7.3
   */
  public static void install(Task task, Tree tree, IommuPlatform platform, GuestDeviceCalls calls) {
    CommandTable commands = new CommandTable(calls);
    MiscDevice.IOMMU.addTo(tree, () -> new IommufdFile(task, platform, commands));
  }
}
