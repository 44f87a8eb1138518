package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.KernelException;
import org.junit.jupiter.api.Test;

class IommufdTest {
  @Test
  void aKernelWithoutIommufdIsNamedAsTheCause() {
    var without =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public int open(String path, int flags) {
            return Errno.ENOENT.negated();
          }
        };
    assertThatThrownBy(() -> Iommufd.open(without))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("open on /dev/iommu: ENOENT")
        .hasMessageContaining("because the kernel has no iommufd")
        .hasMessageContaining("modprobe iommufd");
  }
}
