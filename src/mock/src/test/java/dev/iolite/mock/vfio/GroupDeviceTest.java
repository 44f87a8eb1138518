package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.vfio.ContainerExtension;
import dev.iolite.vfio.GroupVfioDevice;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.VfioContainer;
import dev.iolite.vfio.VfioGroup;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A device that was opened through its group. */
@Timeout(60)
class GroupDeviceTest {
  private static final String ADDRESS = "0000:00:02.0";
  private static final Duration SOON = Duration.ofSeconds(20);

  /** drivers/vfio/vfio_main.c:vfio_unregister_group_dev. */
  @Test
  void anUnbindWaitsUntilItIsClosed() throws Exception {
    try (MockKernel kernel = MockKernel.plain()) {
      SysFs sysfs = new SysFs(kernel);
      String path = "/sys/bus/pci/devices/" + ADDRESS;
      sysfs.write(path + "/driver_override", "vfio-pci");
      sysfs.write("/sys/bus/pci/drivers/vfio-pci/bind", ADDRESS);
      String number = sysfs.linkName(path + "/iommu_group").orElseThrow();
      try (VfioContainer container = VfioContainer.open(kernel);
          VfioGroup group = VfioGroup.open(kernel, "/dev/vfio/" + number);
          EventFd request = EventFd.create(kernel)) {
        group.setContainer(container);
        container.setIommu(ContainerExtension.TYPE1_V2_IOMMU);
        GroupVfioDevice device = group.device(ADDRESS);
        device.irqs(PciIrq.REQ).enable(List.of(request));
        CompletableFuture<Void> unbind =
            CompletableFuture.runAsync(
                () -> sysfs.write("/sys/bus/pci/drivers/vfio-pci/unbind", ADDRESS));
        assertThat(request.await(SOON)).isEqualTo(1);
        assertThat(unbind).isNotDone();
        device.close();
        unbind.get(SOON.toSeconds(), TimeUnit.SECONDS);
        assertThat(sysfs.exists(path + "/vfio-dev")).isFalse();
      }
    }
  }
}
