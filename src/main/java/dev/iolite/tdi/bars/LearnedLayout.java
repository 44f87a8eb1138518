package dev.iolite.tdi.bars;

import dev.iolite.kvm.VmType;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.RangeScheme;
import dev.iolite.tdi.profile.Arch;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
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
public final class LearnedLayout {
  private LearnedLayout() {}

  public static boolean isKnown(AssignmentOptions options, Set<TsmOperation> operations) {
    return options.layout().isPresent()
        || operations.contains(TsmOperation.READ_REPORT)
        || operations.contains(TsmOperation.LIST_RUNS);
  }

  /**
   * The layout.
   *
   * @param report what the device reports, where it can be asked
   */
  public static MmioLayout of(
      AssignedInterface device, AssignmentOptions options, Optional<InterfaceReport> report) {
    if (options.layout().isPresent()) {
      return options.layout().get();
    }
    List<BarSize> sizes = device.places().barSizes();
    if (report.isPresent()) {
      return MmioLayout.of(report.get(), sizes, MmioLayout.PAGE, scheme(options.vmType()));
    }
    Map<Integer, List<ByteRange>> ranges = new TreeMap<>();
    for (BarSize size : sizes) {
      ranges.put(size.bar(), privateRanges(device, size));
    }
    return MmioLayout.ofPrivate(sizes, ranges, MmioLayout.PAGE);
  }

  /** Which the platform uses whose TSM it is. */
  private static RangeScheme scheme(VmType type) {
    return type == VmType.TDX ? Arch.TDX.rangeScheme() : RangeScheme.ALIGNED;
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
