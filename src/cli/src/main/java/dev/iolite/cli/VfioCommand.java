package dev.iolite.cli;

import dev.iolite.doctor.DeviceInspection;
import dev.iolite.pci.PciAddress;
import dev.iolite.vfio.IrqInfo;
import dev.iolite.vfio.RegionInfo;
import dev.iolite.vfio.VfioInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code iolite vfio}: a device as VFIO shows it. */
@Command(
    name = "vfio",
    description = "Shows a device as VFIO sees it.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = VfioCommand.InfoCommand.class)
final class VfioCommand extends CommandGroup {
  /** {@code iolite vfio info BDF}. */
  @Command(
      name = "info",
      description = {
        "Shows the regions, interrupts, features and resets of a device.",
        "A device without a driver is given to vfio-pci while it is looked at."
      })
  static final class InfoCommand extends IoliteCommand implements Callable<Integer> {
    @Parameters(paramLabel = "BDF", description = "such as 0000:00:03.0 or 00:03.0")
    private PciAddress address;

    @Mixin private final VfToken vfToken = new VfToken();

    @Override
    public Integer call() {
      VfioInfo info;
      try (DeviceInspection inspection = new DeviceInspection(kernel(), address, vfToken.given())) {
        info = inspection.vfio();
      }
      Output output = output();
      if (output.isJson()) {
        output.json(
            Json.object(
                "address", address,
                "device", info.device(),
                "regions", info.regions(),
                "irqs", info.irqs(),
                "features", info.features(),
                "hotReset", info.hotReset()));
        return ExitCode.OK;
      }
      output.properties(
          "device",
          address.toString(),
          "kind",
          info.device().isPci() ? "PCI" : "flags 0x" + Integer.toHexString(info.device().flags()),
          "reset",
          info.device().canReset() ? "on its own" : "not on its own",
          "hot reset",
          info.hotReset()
              .map(reset -> reset.devices().size() + " devices together")
              .orElse("none"));
      output.line("");
      output.table(
          List.of("REGION", "BYTES", "OFFSET", "ACCESS", "CAPABILITIES"),
          info.regions().stream()
              .filter(region -> region.bytes() > 0)
              .map(r ->
                  List.of(
                      r.name(),
                      "0x" + Long.toHexString(r.bytes()),
                      "0x" + Long.toHexString(r.offset()),
                      access(r),
                      words(r.capabilities())))
              .toList());
      output.line("");
      output.table(
          List.of("INTERRUPT", "COUNT", "CAN"),
          info.irqs().stream()
              .filter(irq -> irq.count() > 0)
              .map(irq -> List.of(irq.name(), "" + irq.count(), can(irq)))
              .toList());
      output.line("");
      output.table(
          List.of("FEATURE", "SUPPORT"),
          info.features().entrySet().stream()
              .map(feature ->
                  List.of(
                      feature.getKey().name(),
                      feature.getValue().name().toLowerCase(Locale.ROOT).replace('_', ' ')))
              .toList());
      return ExitCode.OK;
    }
  }

  private static String access(RegionInfo region) {
    List<String> can = new ArrayList<>();
    if (region.canRead()) {
      can.add("read");
    }
    if (region.canWrite()) {
      can.add("write");
    }
    if (region.canMap()) {
      can.add("map");
    }
    return String.join(" ", can);
  }

  private static String can(IrqInfo irq) {
    List<String> can = new ArrayList<>();
    if (irq.canSignalEventFd()) {
      can.add("eventfd");
    }
    if (irq.canMask()) {
      can.add("mask");
    }
    if (irq.isAutoMasked()) {
      can.add("auto-mask");
    }
    if (irq.isFixedSize()) {
      can.add("fixed-size");
    }
    return String.join(" ", can);
  }

  private static String words(List<?> capabilities) {
    return String.join(", ", capabilities.stream().map(Object::toString).toList());
  }
}
