package dev.iolite.uapi.catalog;

import java.util.List;
import java.util.stream.Stream;

/**
 * All structs and constants of the bindings.
 *
 * <p>Each call makes its list anew: the lists are for display and checks, not for hot paths.
 */
public final class UapiCatalog {

  private UapiCatalog() {}

  /**
   * Every struct and union.
   *
   * @return in the order of packages vfio, iommufd, kvm, dmabuf, libc, seccomp, tsm*, and in each
   *     by name
   */
  public static List<UapiStruct> structs() {
    return Stream.of(
            VfioCatalog.structs(),
            IommufdCatalog.structs(),
            KvmCatalog.structs(),
            DmaBufCatalog.structs(),
            LibcCatalog.structs(),
            SeccompCatalog.structs(),
            TsmCatalog.structs(),
            TsmArmV5Catalog.structs(),
            TsmV6Catalog.structs(),
            TsmCcaV7Catalog.structs(),
            TsmIntelRfc2025Catalog.structs(),
            TsmSeed2025Catalog.structs())
        .flatMap(List::stream)
        .toList();
  }

  /**
   * Every constant.
   *
   * @return in the order of packages vfio, iommufd, kvm, dmabuf, libc, seccomp, tsm*, and in each
   *     as jextract found them: the macros and enums by their place in the headers
   */
  public static List<UapiConstant> constants() {
    return Stream.of(
            VfioCatalog.constants(),
            IommufdCatalog.constants(),
            KvmCatalog.constants(),
            DmaBufCatalog.constants(),
            LibcCatalog.constants(),
            SeccompCatalog.constants(),
            TsmCatalog.constants(),
            TsmArmV5Catalog.constants(),
            TsmV6Catalog.constants(),
            TsmCcaV7Catalog.constants(),
            TsmIntelRfc2025Catalog.constants(),
            TsmSeed2025Catalog.constants())
        .flatMap(List::stream)
        .toList();
  }

  /**
   * Every macro that is a text.
   *
   * @return in the order of packages vfio, iommufd, kvm, dmabuf, libc, seccomp, tsm*, and in each
   *     as jextract found them
   */
  public static List<UapiString> strings() {
    return Stream.of(
            VfioCatalog.strings(),
            IommufdCatalog.strings(),
            KvmCatalog.strings(),
            DmaBufCatalog.strings(),
            LibcCatalog.strings(),
            SeccompCatalog.strings(),
            TsmCatalog.strings(),
            TsmArmV5Catalog.strings(),
            TsmV6Catalog.strings(),
            TsmCcaV7Catalog.strings(),
            TsmIntelRfc2025Catalog.strings(),
            TsmSeed2025Catalog.strings())
        .flatMap(List::stream)
        .toList();
  }
}
