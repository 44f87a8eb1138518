package dev.iolite.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds out who holds the addresses of a BAR that vfio-pci could not reserve. See
 * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_core_map_bars and kernel/resource.c:r_show.
 */
final class BarDiagnosis {
  private static final Pattern RESOURCE = Pattern.compile("( *)([0-9a-f]+)-([0-9a-f]+) : (.*)");
  private static final int BARS = 6;
  private static final int HEXADECIMAL = 16;

  private final SysFs files;
  private final String address;

  BarDiagnosis(SysFs files, String address) {
    this.files = files;
    this.address = address;
  }

  /** A range of addresses and who holds it. */
  private record Held(long start, long end, String holder) {
    boolean isIn(Held bar) {
      return Long.compareUnsigned(start, bar.start) >= 0 && Long.compareUnsigned(end, bar.end) <= 0;
    }

    /**
     * By the names that drivers/acpi/scan.c:acpi_scan_claim_resources and drivers/pnp/system.c give
     * such ranges.
     */
    boolean isOfFirmware() {
      return holder.startsWith("PNP0C0") || holder.startsWith("pnp ");
    }
  }

  /** A BAR that was not reserved answers EBUSY; the export of a dma-buf turns that into ENODEV. */
  Optional<Advice> of(Errno errno) {
    if (errno != Errno.EBUSY && errno != Errno.ENODEV) {
      return Optional.empty();
    }
    List<Held> ranges = ranges();
    return bars().stream()
        .flatMap(bar ->
            ranges.stream().filter(range -> isForeign(range, bar)).map(range -> advice(bar, range)))
        .findFirst();
  }

  /** The BAR itself is named after the function, and its reservation after the driver. */
  private boolean isForeign(Held range, Held bar) {
    return range.isIn(bar) && !range.holder.equals(address) && !range.holder.contains("vfio");
  }

  private Advice advice(Held bar, Held range) {
    String cause =
        "the host itself has 0x%x-0x%x of %s as '%s', so vfio-pci could not reserve it"
            .formatted(range.start, range.end, bar.holder, range.holder);
    if (range.isOfFirmware()) {
      return new Advice(
          cause,
          "the firmware declares that range as its own (a motherboard resource), which no driver"
              + " can give back: update the firmware, or choose another device",
          Remedy.LIST_FUNCTIONS);
    }
    return new Advice(
        cause,
        "take it from the host's driver: for a framebuffer of the boot (BOOTFB, efifb, simplefb)"
            + " boot with initcall_blacklist=sysfb_init, for another driver unbind that; then"
            + " take the function from vfio-pci and bind it again; /proc/iomem shows who has what",
        Remedy.GIVE_BACK_AND_BIND,
        List.of(address));
  }

  /** The ranges of memory; the kernel shows their addresses only to root. */
  private List<Held> ranges() {
    List<Held> ranges = new ArrayList<>();
    files
        .readIfPresent("/proc/iomem")
        .orElse("")
        .lines()
        .map(RESOURCE::matcher)
        .filter(Matcher::matches)
        .forEach(line ->
            ranges.add(
                new Held(
                    Long.parseUnsignedLong(line.group(2), HEXADECIMAL),
                    Long.parseUnsignedLong(line.group(3), HEXADECIMAL),
                    line.group(4))));
    return ranges;
  }

  private List<Held> bars() {
    List<Held> bars = new ArrayList<>();
    List<String> lines =
        files.read("/sys/bus/pci/devices/" + address + "/resource").lines().limit(BARS).toList();
    for (int i = 0; i < lines.size(); i++) {
      String[] words = lines.get(i).split(" ", -1);
      long start = Long.parseUnsignedLong(words[0].substring(2), HEXADECIMAL);
      if (start != 0) {
        bars.add(
            new Held(start, Long.parseUnsignedLong(words[1].substring(2), HEXADECIMAL), "BAR" + i));
      }
    }
    return bars;
  }
}
