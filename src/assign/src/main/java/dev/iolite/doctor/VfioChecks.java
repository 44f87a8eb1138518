package dev.iolite.doctor;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Remedy;
import dev.iolite.kernel.SysFs;
import java.util.List;
import java.util.Optional;

/** Checks whether VFIO exists, and what it does for a device that nobody uses. */
final class VfioChecks {
  private static final Need VFIO_PCI =
      new Need(
          "vfio-pci",
          Finding.Status.MISSING,
          Need.Codes.ofFiles(FindingCode.NO_VFIO_PCI, FindingCode.VFIO_PCI_UNREAD),
          "it gives a PCI device to user space",
          "modprobe vfio-pci");
  private static final Need CDEV =
      Need.ofKernel(
          "VFIO cdev",
          Finding.Status.MISSING,
          Need.Codes.ofFiles(FindingCode.NO_VFIO_CDEV, FindingCode.VFIO_CDEV_UNREAD),
          "an iommufd takes devices only through it; it is there once the vfio module is loaded",
          "modprobe vfio-pci; if that does not help, a kernel with CONFIG_VFIO_DEVICE_CDEV: ");
  private static final Need DEVICE =
      new Need(
          "device",
          Finding.Status.MISSING,
          new Need.Codes(
              FindingCode.DEVICE_FAILED, FindingCode.DEVICE_FORBIDDEN, FindingCode.DEVICE_FAILED),
          new Advice(
              "an assignment opens its device, binds it to an iommufd and attaches it",
              DeviceTrial.SPARE,
              Remedy.GIVE_SPARE_TO_VFIO));
  private static final Need IN_USE =
      new Need(
          DEVICE.check(),
          DEVICE.without(),
          Need.Codes.only(FindingCode.DEVICE_IN_USE),
          DEVICE.absence());
  private static final String DMA_BUF = "dma-buf export";
  private static final String DMA_BUF_PURPOSE =
      "a device's BARs are mapped through it for the DMA of other devices";

  private final SysFs files;

  VfioChecks(Kernel kernel) {
    this.files = new SysFs(kernel);
  }

  Finding vfioPci(DeviceTrial trial) {
    return VFIO_PCI.look(
        trial,
        () -> {
          Optional<List<String>> driver = files.listIfPresent("/sys/bus/pci/drivers/vfio-pci");
          if (driver.isEmpty()) {
            return VFIO_PCI.absent("no driver of that name");
          }
          List<String> bound = driver.get().stream().filter(name -> name.contains(":")).toList();
          return VFIO_PCI.ok(
              "loaded, bound to " + (bound.isEmpty() ? "nothing" : String.join(" ", bound)));
        });
  }

  Finding cdev(DeviceTrial trial) {
    return CDEV.look(
        trial,
        () -> {
          if (files.read("/proc/devices").lines().noneMatch(line -> line.endsWith(" vfio-dev"))) {
            return CDEV.absent("no vfio-dev in /proc/devices");
          }
          List<String> nodes = files.listIfPresent("/dev/vfio/devices").orElse(List.of());
          return CDEV.ok(nodes.isEmpty() ? "no device yet" : String.join(" ", nodes));
        });
  }

  /** The result of using a device; if every device refuses, an assignment would fail too. */
  Finding device(DeviceTrial trial) {
    return switch (trial) {
      case DeviceTrial.NotTried notTried ->
          Finding.optional(
              DEVICE.check(),
              notTried.summary(),
              FindingCode.DEVICE_UNTRIED,
              new Advice(
                  DEVICE.purpose() + "; only a device can tell whether that works",
                  notTried.next(),
                  notTried.remedy()));
      case DeviceTrial.Failed failed when failed.isInUse() -> IN_USE.failed(failed.failure());
      case DeviceTrial.Failed failed -> DEVICE.failed(failed.failure());
      case DeviceTrial.Done done -> DEVICE.ok(done.summary());
    };
  }

  Finding dmaBuf(DeviceTrial trial) {
    return switch (trial) {
      case DeviceTrial.NotTried notTried ->
          untried(notTried.summary(), notTried.next(), notTried.remedy());
      case DeviceTrial.Failed failed -> untried(failed.summary(), "see device", Remedy.NONE);
      case DeviceTrial.Done done -> shared(done);
    };
  }

  private static Finding untried(String observed, String next, Remedy remedy) {
    Advice advice = new Advice(DMA_BUF_PURPOSE + "; only a device can tell", next, remedy);
    return Finding.optional(DMA_BUF, observed, FindingCode.DMA_BUF_UNTRIED, advice);
  }

  private static Finding shared(DeviceTrial.Done done) {
    Need need =
        Need.ofKernel(
            DMA_BUF,
            Finding.Status.MISSING,
            Need.Codes.only(FindingCode.DMA_BUF_FAILED),
            DMA_BUF_PURPOSE,
            "a kernel with CONFIG_VFIO_PCI_DMABUF and CONFIG_PCI_P2PDMA: ");
    return done.sharing()
        .map(need::failed)
        .orElseGet(() -> need.ok("a BAR of " + done.device() + " exported and mapped"));
  }
}
