package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A reset of a bus for a device that was opened through its group. */
class GroupHotResetTest {
  private static final String EDU = "0000:01:01.0";
  private static final String RNG = "0000:01:02.0";

  @Test
  void theGroupsOfAllItsDevicesAreGiven() {
    try (MockKernel kernel = MockKernel.plain();
        CloseStack opened = new CloseStack()) {
      PciDevice edu = new Pci(kernel).device(PciAddress.parse(EDU));
      opened.push(DriverBinding.bind(new Pci(kernel).device(PciAddress.parse(RNG)), "vfio-pci"));
      opened.push(DriverBinding.bind(edu, "vfio-pci"));
      int number = edu.iommuGroup().orElseThrow().id();
      VfioGroup group = opened.push(VfioGroup.open(kernel, "/dev/vfio/" + number));
      VfioContainer container = opened.push(VfioContainer.open(kernel));
      group.setContainer(container);
      container.setIommu(ContainerExtension.TYPE1_V2_IOMMU);
      GroupVfioDevice device = opened.push(group.device(EDU));

      HotResetGroups reset = device.hotResetGroups().orElseThrow();
      assertThat(reset.devices())
          .containsExactlyInAnyOrder(
              new HotResetGroups.Dependent(EDU, number), new HotResetGroups.Dependent(RNG, number));
      assertThat(reset.groups()).containsExactly(number);
      assertThat(VfioInfo.of(device).hotReset()).isEmpty();

      assertThatThrownBy(() -> device.hotReset(List.of()))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
      device.config().setMemoryDecode(true);
      device.hotReset(List.of(group));
      assertThat(device.region(PciRegion.BAR0).read32(0)).as("restored").isEqualTo(0x010000ed);
    }
  }
}
