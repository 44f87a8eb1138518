package dev.iolite.uapi;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class VfioIoctlsTest {
  /** {@code _IO(';', n)}: the type in the second byte, no size, no direction. */
  private static final long TYPE = ';';

  /** Not made on x86. */
  private static final Set<String> NOT_IN_THE_TABLE =
      Set.of(
          // The IOMMU of a container on POWER.
          "VFIO_IOMMU_ENABLE",
          "VFIO_IOMMU_DISABLE",
          "VFIO_IOMMU_SPAPR_TCE_GET_INFO",
          "VFIO_EEH_PE_OP",
          "VFIO_IOMMU_SPAPR_REGISTER_MEMORY",
          "VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY",
          "VFIO_IOMMU_SPAPR_TCE_CREATE",
          "VFIO_IOMMU_SPAPR_TCE_REMOVE");

  @Test
  void hasEveryOtherIoctl() {
    Map<String, Long> header =
        UapiCatalog.constants().stream()
            .filter(constant -> constant.packageName().equals("vfio"))
            .filter(constant -> constant.value() >> 8 == TYPE)
            .collect(Collectors.toMap(UapiConstant::name, UapiConstant::value));
    assertThat(header).containsKeys(NOT_IN_THE_TABLE.toArray(String[]::new));
    header.keySet().removeAll(NOT_IN_THE_TABLE);

    Map<String, Long> catalogue =
        VfioIoctls.all().stream()
            .collect(Collectors.toMap(Ioctl::name, Ioctl::number, (first, _) -> first));

    assertThat(catalogue).containsExactlyInAnyOrderEntriesOf(header);
  }

  @Test
  void tellsThoseOfADescriptorApartByNumber() {
    assertThat(VfioIoctls.all()).extracting(Ioctl::on, Ioctl::number).doesNotHaveDuplicates();
  }
}
