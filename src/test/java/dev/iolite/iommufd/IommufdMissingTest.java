package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.StubKernel;
import org.junit.jupiter.api.Test;

class IommufdMissingTest {
  @Test
  void aKernelWithoutIommufdIsNamedAsTheCause() {
    assertThatThrownBy(() -> Iommufd.open(new StubKernel()))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("open on /dev/iommu: ENOENT")
        .hasMessageContaining("kernel was built without the feature")
        .hasMessageContaining("iolite doctor");
  }
}
