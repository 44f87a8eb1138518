package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class StructTextTest {
  @Test
  void descriptorsAreDecimalAndOtherLargeNumbersHexadecimal() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bind = vfio_device_bind_iommufd.allocate(arena);
      vfio_device_bind_iommufd.argsz(bind, 24);
      vfio_device_bind_iommufd.iommufd(bind, 59);
      vfio_device_bind_iommufd.out_devid(bind, 59);

      assertThat(StructText.of(vfio_device_bind_iommufd.layout(), bind))
          .contains("argsz=0x18", "iommufd=59", "out_devid=0x3b");
      vfio_device_bind_iommufd.iommufd(bind, -9);
      assertThat(StructText.of(vfio_device_bind_iommufd.layout(), bind)).contains("iommufd=-9");
    }
  }
}
