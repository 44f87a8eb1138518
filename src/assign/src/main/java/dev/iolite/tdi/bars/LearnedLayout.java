package dev.iolite.tdi.bars;

import dev.iolite.kernel.Page;
import dev.iolite.kvm.VmType;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.host.BoundInterface;
import dev.iolite.tdi.layout.BarLayout;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.InterfaceReport;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.layout.RangeScheme;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.tsm.Arch;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Finds out which bytes of a bound device are private, from the best source available: the user,
 * the interface's report, or the kernel's range query. A proposal with none of these leaves the
 * question open; then nothing counts as shared.
 */
public final class LearnedLayout {
  private LearnedLayout() {}

  public static boolean isKnown(AssignmentOptions options, Set<TsmOperation> operations) {
    return options.layout().isPresent()
        || operations.contains(TsmOperation.READ_REPORT)
        || operations.contains(TsmOperation.LIST_RUNS);
  }

  /**
   * Learns the layout, after the bind.
   *
   * @param bound reads the interface's report, if it can be read
   */
  public static MmioLayout learn(
      Steps steps, AssignedInterface device, AssignmentOptions options, BoundInterface bound) {
    Optional<byte[]> report = bound.readReport(device);
    if (!isKnown(options, device.profile().operations())) {
      options
          .listener()
          .remark(
              "Nothing says which bytes of the BARs are private: all are taken for private. A"
                  + " layout in a file says it.");
    }
    return steps.step(
        TdiStep.LEARN_LAYOUT,
        () -> {
          Optional<InterfaceReport> parsed =
              report.map(bytes -> InterfaceReport.parse(MemorySegment.ofArray(bytes)));
          List<String> remarks = new ArrayList<>();
          parsed.map(InterfaceReport::remarks).ifPresent(remarks::addAll);
          if (options.vmType() == VmType.TDX) {
            parsed.map(InterfaceReport::tdxRefusals).ifPresent(remarks::addAll);
          }
          remarks.forEach(of -> options.listener().remark("The device's report: " + of + "."));
          return of(device, options, parsed);
        },
        layout ->
            layout.bars().stream().map(BarLayout::toString).collect(Collectors.joining("; ")));
  }

  private static MmioLayout of(
      AssignedInterface device, AssignmentOptions options, Optional<InterfaceReport> report) {
    if (options.layout().isPresent()) {
      return options.layout().get();
    }
    List<BarSize> sizes = device.places().barSizes();
    if (report.isPresent()) {
      return MmioLayout.of(report.get(), sizes, Page.BYTES, scheme(options.vmType()));
    }
    Map<Integer, List<ByteRange>> ranges = new TreeMap<>();
    for (BarSize size : sizes) {
      ranges.put(size.bar(), privateRanges(device, size));
    }
    return MmioLayout.ofPrivate(sizes, ranges, Page.BYTES);
  }

  /** The scheme of the platform whose TSM it is. */
  private static RangeScheme scheme(VmType type) {
    return type == VmType.TDX ? RangeScheme.of(Arch.TDX) : RangeScheme.ALIGNED;
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
