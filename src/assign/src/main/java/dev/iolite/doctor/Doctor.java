package dev.iolite.doctor;

import dev.iolite.kernel.HostPlatform;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import java.util.List;

/**
 * Finds out what a host can do for device assignment, by trying the very calls that an assignment
 * makes. Everything that it opens or makes for this is gone when the checks are over.
 */
public final class Doctor {
  private final Kernel kernel;

  /** Examines this kernel. */
  public Doctor(Kernel kernel) {
    this.kernel = kernel;
  }

  /**
   * Makes every check. An exception from a check is a finding as well. {@link
   * Finding.Status#MISSING} marks what would make an assignment with these devices fail; if a
   * device could be used, files that say otherwise do not count.
   *
   * <p>A device that is bound to a VFIO driver and that no process uses is opened, bound, attached
   * and closed again; the kernel resets it in the course of that. One that a host driver has, or a
   * process uses, is left alone.
   */
  public List<Finding> examine() {
    HostPlatform platform = HostPlatform.of(new SysFs(kernel));
    HostChecks host = new HostChecks(kernel, platform);
    IommufdChecks iommufd = new IommufdChecks(kernel);
    VfioChecks vfio = new VfioChecks(kernel);
    KvmChecks kvm = new KvmChecks(kernel, platform);
    DeviceTrial trial = DeviceTrial.of(kernel);
    return List.of(
        host.kernelVersion(),
        host.iommu(trial),
        host.iommuGroups(trial),
        iommufd.iommufd(),
        iommufd.memlock(trial),
        vfio.vfioPci(trial),
        vfio.cdev(trial),
        vfio.device(trial),
        vfio.dmaBuf(trial),
        kvm.kvm(),
        kvm.vmTypes(),
        host.tsm(),
        host.hugePages());
  }
}
