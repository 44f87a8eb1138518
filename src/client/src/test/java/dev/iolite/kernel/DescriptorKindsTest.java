package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.FdKind;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DescriptorKindsTest {
  @ParameterizedTest
  @CsvSource({
    "/dev/vfio/devices/vfio0, VFIO_DEVICE",
    "/dev/vfio/vfio, VFIO_CONTAINER",
    "/dev/vfio/12, VFIO_GROUP",
    "/dev/vfio/noiommu-0, VFIO_GROUP",
    "/dev/vfio/devices, FILE",
    "/dev/vfio/12a, FILE",
    "/dev/vfio, FILE",
    "/dev/iommu, IOMMUFD",
    "/dev/udmabuf, UDMABUF"
  })
  void aPathTellsWhatItOpensAs(String path, FdKind kind) {
    assertThat(DescriptorKinds.ofPath(path)).isEqualTo(kind);
  }
}
