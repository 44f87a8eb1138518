package dev.iolite.doctor;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import java.util.List;
import java.util.Optional;

/** Whether VFIO is there, and what it does for a device that nobody uses. */
final class VfioChecks {
  private static final Need VFIO_PCI =
      new Need(
          "vfio-pci",
          Finding.Status.MISSING,
          "it gives a PCI device to user space",
          "modprobe vfio-pci");
  private static final Need CDEV =
      new Need(
          "VFIO cdev",
          Finding.Status.MISSING,
          "an iommufd takes devices only through it; it is there once the vfio module is loaded",
          "modprobe vfio-pci; if that does not help, a kernel with CONFIG_VFIO_DEVICE_CDEV: "
              + Need.OTHER_KERNEL);
  private static final String DMA_BUF = "dma-buf export";
  private static final String DMA_BUF_PURPOSE =
      "a device's BARs are mapped for the DMA of others through it";

  private final SysFs files;

  VfioChecks(Kernel kernel) {
    this.files = new SysFs(kernel);
  }

  Finding vfioPci() {
    return VFIO_PCI.look(() -> {
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
    return CDEV.look(() -> {
      if (files.read("/proc/devices").lines().noneMatch(line -> line.endsWith(" vfio-dev"))) {
        return CDEV.absent("no vfio-dev in /proc/devices");
      }
      if (trial instanceof DeviceTrial.Failed failed) {
        return failed.isOfThisDeviceOnly()
            ? new Need(CDEV.check(), Finding.Status.OPTIONAL, CDEV.purpose(), CDEV.ifAbsent())
                .failed(failed.failure())
            : CDEV.failed(failed.failure());
      }
      List<String> nodes = files.listIfPresent("/dev/vfio/devices").orElse(List.of());
      return CDEV.ok(
          (nodes.isEmpty() ? "no device yet" : String.join(" ", nodes)) + "; " + trial.summary());
    });
  }

  Finding dmaBuf(DeviceTrial trial) {
    return switch (trial) {
      case DeviceTrial.NotTried notTried -> untried(notTried.summary(), notTried.next());
      case DeviceTrial.Failed failed -> untried(failed.summary(), "see VFIO cdev");
      case DeviceTrial.Done done -> probed(done);
    };
  }

  private static Finding untried(String observed, String next) {
    return Finding.optional(DMA_BUF, observed, DMA_BUF_PURPOSE + "; only a device can tell", next);
  }

  private static Finding probed(DeviceTrial.Done done) {
    return switch (done.dmaBuf()) {
      case SUPPORTED -> Finding.ok(DMA_BUF, done.device() + " has VFIO_DEVICE_FEATURE_DMA_BUF");
      case NOT_SUPPORTED ->
          Finding.missing(
              DMA_BUF,
              done.device() + " has no VFIO_DEVICE_FEATURE_DMA_BUF",
              DMA_BUF_PURPOSE,
              "a kernel with CONFIG_VFIO_PCI_DMABUF and CONFIG_PCI_P2PDMA: " + Need.OTHER_KERNEL);
      case REFUSED ->
          Finding.missing(
              DMA_BUF,
              "the kernel refused a probe of VFIO_DEVICE_FEATURE_DMA_BUF on " + done.device(),
              DMA_BUF_PURPOSE,
              "iolite vfio info " + done.device() + " shows what it says to the other features");
    };
  }
}
