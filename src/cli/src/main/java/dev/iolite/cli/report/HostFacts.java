package dev.iolite.cli.report;

import dev.iolite.cli.Version;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.KvmInfo;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a report says of the host and of a device. It is read when the run is over, so that it
 * changes nothing in it.
 *
 * @param name which host it is
 * @param isModel whether it is a model
 * @param all the facts
 */
public record HostFacts(String name, boolean isModel, List<Fact> all) {
  private static final Pattern PROCESSOR = Pattern.compile("(?m)^model name\\s*:\\s*(.+)$");

  /** Copies the list. */
  public HostFacts {
    all = List.copyOf(all);
  }

  /**
   * Reads them. What can't be read is named as such.
   *
   * @param kernelName the kernel's name, as {@code --kernel} takes it
   */
  public static HostFacts of(
      Kernel kernel, String kernelName, boolean isModel, List<PciAddress> devices) {
    SysFs files = new SysFs(kernel);
    List<Fact> facts = new ArrayList<>();
    for (PciAddress address : devices) {
      facts.add(fact(address.toString(), () -> device(new Pci(kernel).device(address))));
    }
    facts.add(fact("Linux", () -> files.read("/proc/sys/kernel/osrelease")));
    facts.add(
        fact(
            "Processor",
            () -> {
              Matcher model = PROCESSOR.matcher(files.read("/proc/cpuinfo"));
              return model.find() ? model.group(1) : "not named";
            }));
    facts.add(fact("IOMMU", () -> names(files, "/sys/class/iommu")));
    facts.add(fact("TEE security managers", () -> names(files, "/sys/class/tsm")));
    facts.add(
        fact(
            "VM types",
            () ->
                KvmInfo.of(kernel).types().stream()
                    .map(type -> type.type().toString())
                    .collect(Collectors.joining(", "))));
    facts.add(new Fact("iolite", Version.number()));
    return new HostFacts(isModel ? kernelName : "this host", isModel, facts);
  }

  private static Fact fact(String name, Supplier<String> value) {
    try {
      return new Fact(name, value.get());
    } catch (KernelException e) {
      return new Fact(name, "can't be read: " + e.errno());
    } catch (PreconditionException e) {
      return new Fact(name, "can't be read: " + e.observed());
    }
  }

  private static String names(SysFs files, String directory) {
    List<String> names = files.listIfPresent(directory).orElse(List.of());
    return names.isEmpty() ? "none" : String.join(", ", names);
  }

  private static String device(PciDevice device) {
    return "%04x:%04x, %s; driver %s; %s"
        .formatted(
            device.vendor(),
            device.device(),
            device.className(),
            device.driver().orElse("none"),
            device.iommuGroup().map(group -> "IOMMU group " + group.id()).orElse("no IOMMU group"));
  }

  /** What a run on a model does not prove. */
  Optional<String> model() {
    return isModel
        ? Optional.of(
            "The kernel is a model (%s), so nothing about hardware was proved.".formatted(name))
        : Optional.empty();
  }
}
