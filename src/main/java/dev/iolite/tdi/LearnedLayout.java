package dev.iolite.tdi;

import dev.iolite.pci.PciResource;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which bytes of a bound device are private, from the best source that there is: what the user
 * says; the interface's report; the kernel's range query. A proposal with none of these leaves it
 * open: then nothing is taken for shared.
 */
final class LearnedLayout {
  private LearnedLayout() {}

  static boolean isKnown(AssignmentOptions options, Set<TsmOperation> operations) {
    return options.layout().isPresent()
        || operations.contains(TsmOperation.READ_REPORT)
        || operations.contains(TsmOperation.LIST_RUNS);
  }

  static MmioLayout of(
      AssignedInterface device, Optional<MmioLayout> known, Optional<byte[]> report) {
    if (known.isPresent()) {
      return known.get();
    }
    List<BarSize> sizes = device.places().barSizes();
    if (report.isPresent()) {
      return MmioLayout.of(
          InterfaceReport.parse(MemorySegment.ofArray(report.get())),
          sizes,
          MmioLayout.PAGE,
          firstPages(device));
    }
    Map<Integer, List<ByteRange>> ranges = new TreeMap<>();
    for (BarSize size : sizes) {
      ranges.put(size.bar(), privateRanges(device, size));
    }
    return MmioLayout.ofPrivate(sizes, ranges, MmioLayout.PAGE);
  }

  private static Map<Integer, Long> firstPages(AssignedInterface device) {
    Map<Integer, Long> pages = new TreeMap<>();
    for (PciResource resource : device.pci().resources()) {
      if (device.places().sizes().containsKey(resource.index())) {
        pages.put(resource.index(), resource.start() / MmioLayout.PAGE);
      }
    }
    return pages;
  }

  private static List<ByteRange> privateRanges(AssignedInterface device, BarSize size) {
    ByteRange whole = new ByteRange(0, size.bytes());
    UapiProfile profile = device.profile();
    if (!profile.operations().contains(TsmOperation.LIST_RUNS)) {
      return List.of(whole);
    }
    try (DmaBuf file =
        profile.exportDmaBuf(device.vfio(), size.bar(), List.of(whole), Kind.PRIVATE)) {
      return profile.runs(file).orElseThrow().stream()
          .map(run -> new ByteRange(run.barOffset(), run.bytes()))
          .toList();
    }
  }
}
