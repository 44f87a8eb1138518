package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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

  @Test
  void bothQuestionsForHardwareNameTheType() {
    // iommufd/device.c:iommufd_get_hw_info writes the type that it found where the one wanted was
    List<Integer> asked = new ArrayList<>();
    var answering =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public int open(String path, int flags) {
            return Integer.MAX_VALUE;
          }

          @Override
          public int close(int fd) {
            return 0;
          }

          @Override
          public int ioctl(int fd, long request, long argument) {
            MemorySegment info =
                MemorySegment.ofAddress(argument).reinterpret(iommu_hw_info.sizeof());
            asked.add(iommu_hw_info.in_data_type(info));
            iommu_hw_info.out_data_type(info, 0);
            return 0;
          }
        };
    try (Iommufd iommufd = Iommufd.open(answering)) {
      iommufd.hwInfo(new DeviceId(1), 2);
    }
    assertThat(asked).containsExactly(2, 2);
  }
}
