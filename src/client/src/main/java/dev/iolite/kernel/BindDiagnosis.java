package dev.iolite.kernel;

import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Finds out why a device can't be bound to an iommufd. See
 * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_match_token_uuid,
 * drivers/iommu/iommufd/device.c:iommufd_bind_iommu and
 * drivers/iommu/iommu.c:__iommu_device_set_domain.
 */
final class BindDiagnosis {
  /** What iommu_group_show_resv_regions prints for a range that must stay mapped one to one. */
  private static final String DIRECT = " direct";

  private final SysFs files;
  private final String address;
  private final String directory;
  private final boolean token;

  BindDiagnosis(SysFs files, String address, MemorySegment bind) {
    this.files = files;
    this.address = address;
    this.directory = "/sys/bus/pci/devices/" + address;
    this.token = (vfio_device_bind_iommufd.flags(bind) & Vfio.VFIO_DEVICE_BIND_FLAG_TOKEN()) != 0;
  }

  Optional<Advice> of(Errno errno) {
    return switch (errno) {
      case EACCES -> Optional.of(wrongToken());
      case EINVAL -> oneToOne().or(this::unwantedToken);
      case ENODEV ->
          Optional.of(
              new Advice(
                  "no IOMMU translates for the device: there is none, or it is off",
                  HostPlatform.of(files).iommu()));
      default -> Optional.empty();
    };
  }

  private Advice wrongToken() {
    String given = token ? "the VF token that was given is another" : "no VF token was given";
    return files
        .linkName(directory + "/physfn")
        .map(physical ->
            new Advice(
                "the device is a virtual function of %s, which is at vfio-pci, and %s"
                    .formatted(physical, given),
                "give the token that the user of " + physical + " has set",
                Remedy.GIVE_TOKEN))
        .orElseGet(() ->
            new Advice(
                "virtual functions of the device are in use, and " + given,
                "stop their users, or give the token that they have",
                Remedy.GIVE_TOKEN));
  }

  private Optional<Advice> oneToOne() {
    List<String> direct =
        files.readIfPresent(directory + "/iommu_group/reserved_regions").stream()
            .flatMap(String::lines)
            .filter(line -> line.endsWith(DIRECT))
            .toList();
    return direct.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Advice(
                direct.stream()
                    .map(line -> line.substring(0, line.length() - DIRECT.length()))
                    .map(line -> line.replace(" ", "-"))
                    .collect(
                        Collectors.joining(
                            ", ",
                            "the firmware demands that the device always reaches ",
                            " one to one (direct in reserved_regions), so the kernel lends it to"
                                + " nobody")),
                "switch off in the firmware what uses these ranges (RMRR or IVMD: legacy USB, a"
                    + " management controller, integrated graphics), or choose another device",
                Remedy.LIST_FUNCTIONS));
  }

  private Optional<Advice> unwantedToken() {
    return token
        ? Optional.of(
            new Advice(
                "a VF token was given, and "
                    + address
                    + " takes none: it is no virtual function whose physical function is at"
                    + " vfio-pci, and has no virtual functions itself",
                "give none",
                Remedy.GIVE_NO_TOKEN))
        : Optional.empty();
  }
}
