package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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

  @Test
  void unionsAreTheirBytesAndArraysTheirFirstElements() {
    MemoryLayout union =
        MemoryLayout.structLayout(
            MemoryLayout.unionLayout(ValueLayout.JAVA_SHORT, ValueLayout.JAVA_BYTE).withName("any"),
            MemoryLayout.sequenceLayout(2, ValueLayout.JAVA_SHORT).withName("two"));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(union);
      memory.set(ValueLayout.JAVA_SHORT, 0, (short) 0x0201);
      memory.set(ValueLayout.JAVA_SHORT, 2, (short) 7);
      assertThat(StructText.of(union, memory)).isEqualTo("{any=[1, 2], two=[7, 0]}");
    }
  }
}
