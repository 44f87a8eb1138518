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
import org.junit.jupiter.api.Test;

/** What a user is told of a group that cannot be used. */
class GroupAdviceTest {
  @Test
  void aSiblingAtAHostDriverIsTheUsualCause() {
    // drivers/iommu/iommu.c:iommu_group_claim_dma_owner: EPERM, not EBUSY
    try (MockKernel kernel = MockKernel.plain();
        CloseStack opened = new CloseStack()) {
      PciDevice edu = new Pci(kernel).device(PciAddress.parse("0000:01:01.0"));
      opened.push(DriverBinding.bind(edu, "vfio-pci"));
      int number = edu.iommuGroup().orElseThrow().id();
      VfioGroup group = opened.push(VfioGroup.open(kernel, "/dev/vfio/" + number));
      VfioContainer container = opened.push(VfioContainer.open(kernel));
      assertThatThrownBy(() -> group.setContainer(container))
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EPERM))
          .hasMessageContaining("Usual cause: a device of the group has a host driver");
    }
  }
}
