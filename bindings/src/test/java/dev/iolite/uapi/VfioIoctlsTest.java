package dev.iolite.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class VfioIoctlsTest {
  /** {@code _IO(';', n)}: the type in the second byte, no size, no direction. */
  private static final long TYPE = ';';

  /** On other kinds of descriptors, none of which this project opens. */
  private static final Set<String> NOT_OF_A_DEVICE =
      Set.of(
          // The container, /dev/vfio/vfio.
          "VFIO_GET_API_VERSION",
          "VFIO_CHECK_EXTENSION",
          "VFIO_SET_IOMMU",
          "VFIO_IOMMU_GET_INFO",
          "VFIO_IOMMU_MAP_DMA",
          "VFIO_IOMMU_UNMAP_DMA",
          "VFIO_IOMMU_ENABLE",
          "VFIO_IOMMU_DISABLE",
          "VFIO_IOMMU_DIRTY_PAGES",
          "VFIO_IOMMU_SPAPR_TCE_GET_INFO",
          "VFIO_EEH_PE_OP",
          "VFIO_IOMMU_SPAPR_REGISTER_MEMORY",
          "VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY",
          "VFIO_IOMMU_SPAPR_TCE_CREATE",
          "VFIO_IOMMU_SPAPR_TCE_REMOVE",
          // The group, /dev/vfio/N.
          "VFIO_GROUP_GET_STATUS",
          "VFIO_GROUP_SET_CONTAINER",
          "VFIO_GROUP_UNSET_CONTAINER",
          "VFIO_GROUP_GET_DEVICE_FD",
          // The file that migration data is read from.
          "VFIO_MIG_GET_PRECOPY_INFO");

  @Test
  void hasEveryIoctlOfADevice() {
    Map<String, Long> header =
        UapiCatalog.constants().stream()
            .filter(constant -> constant.packageName().equals("vfio"))
            .filter(constant -> constant.value() >> 8 == TYPE)
            .collect(Collectors.toMap(UapiConstant::name, UapiConstant::value));
    assertThat(header).containsKeys(NOT_OF_A_DEVICE.toArray(String[]::new));
    header.keySet().removeAll(NOT_OF_A_DEVICE);

    Map<String, Long> catalogue =
        VfioIoctls.all().stream().collect(Collectors.toMap(Ioctl::name, Ioctl::number));

    assertThat(catalogue).containsExactlyInAnyOrderEntriesOf(header);
  }

  @Test
  void tellsThemApartByNumber() {
    List<Ioctl> all = VfioIoctls.all();

    assertThat(all).extracting(Ioctl::number).doesNotHaveDuplicates();
    assertThat(all).extracting(Ioctl::on).containsOnly(FdKind.VFIO_DEVICE);
  }
}
