package dev.iolite.cli;

import dev.iolite.doctor.DeviceInspection;
import dev.iolite.iommufd.HwInfo;
import dev.iolite.iommufd.IommuHardware;
import dev.iolite.iommufd.IommuInfo;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.pci.PciAddress;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code iolite iommu}: the IOMMU in front of a device. */
@Command(
    name = "iommu",
    description = "Shows the IOMMU in front of a device.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = IommuCommand.InfoCommand.class)
final class IommuCommand extends CommandGroup {
  /** {@code iolite iommu info BDF}. */
  @Command(
      name = "info",
      description = {
        "Shows what the IOMMU can do for a device, and the I/O addresses that the device may use.",
        "A device without a driver is given to vfio-pci while it is looked at."
      })
  static final class InfoCommand extends IoliteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "BDF", description = "such as 0000:00:03.0 or 00:03.0")
    private PciAddress address;

    @Mixin private final VfToken vfToken = new VfToken();

    @Override
    public Integer call() {
      IommuInfo info;
      try (DeviceInspection inspection = new DeviceInspection(kernel(), address, vfToken.given())) {
        info = inspection.iommu();
      }
      Output output = output();
      if (output.isJson()) {
        output.json(
            Json.object(
                "address", address,
                "hardware", info.hardware(),
                "ranges", info.ranges(),
                "nesting", info.nesting()));
        return ExitCode.OK;
      }
      HwInfo hardware = info.hardware();
      output.properties(
          "device", address.toString(),
          "IOMMU", hardware.hardware().name(),
          "registers", registers(hardware.hardware()),
          "nested page tables", yesNo(info.nesting()),
          "dirty tracking", yesNo(hardware.dirtyTracking()),
          "PASID bits", hardware.pasidBits() == 0 ? "none" : "" + hardware.pasidBits(),
          "ATS", hardware.atsPossible() ? "possible" : "no",
          "IOVA alignment", "0x" + Long.toHexString(info.ranges().alignment()));
      output.line("");
      output.table(
          List.of("ALLOWED IOVA"),
          info.ranges().allowed().stream().map(IovaRange::toString).map(List::of).toList());
      return ExitCode.OK;
    }
  }

  private static String registers(IommuHardware hardware) {
    return switch (hardware) {
      case IommuHardware.IntelVtd vtd ->
          "cap 0x%x, ecap 0x%x: %d-bit IOVA, scalable mode %s"
              .formatted(vtd.cap(), vtd.ecap(), vtd.addressBits(), yesNo(vtd.scalableMode()));
      case IommuHardware.AmdVi amd -> "efr 0x%x, efr2 0x%x".formatted(amd.efr(), amd.efr2());
      default -> hardware.toString();
    };
  }

  private static String yesNo(boolean yes) {
    return yes ? "yes" : "no";
  }
}
