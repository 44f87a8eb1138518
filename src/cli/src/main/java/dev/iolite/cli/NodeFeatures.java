package dev.iolite.cli;

import dev.iolite.doctor.Finding;
import dev.iolite.doctor.FunctionCount;
import dev.iolite.kvm.KvmInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a host offers, as a feature file for the local source of Kubernetes' Node Feature Discovery:
 * a label for each feature that was seen to work. docs/fleet.md describes them.
 */
final class NodeFeatures {
  /** NFD accepts labels of this namespace without being told to. */
  private static final String PREFIX = "feature.node.kubernetes.io/iolite-";

  /** The checks of what a host offers, as opposed to what this process may do. */
  private static final List<String> OFFERS =
      List.of("IOMMU", "iommufd", "VFIO cdev", "dma-buf export", "KVM", "TSM");

  private NodeFeatures() {}

  static String of(
      List<Finding> findings, List<KvmInfo.Type> vmTypes, List<FunctionCount> functions) {
    List<String> lines = new ArrayList<>();
    lines.add(PREFIX + "ready=" + Finding.isReady(findings));
    findings.stream()
        .filter(finding -> OFFERS.contains(finding.check()))
        .filter(finding -> finding.status() == Finding.Status.OK)
        .forEach(finding -> lines.add(PREFIX + word(finding.check()) + "=true"));
    vmTypes.stream()
        .filter(KvmInfo.Type::works)
        .forEach(type -> lines.add(PREFIX + "vm-type." + word(type.type().name()) + "=true"));
    functions.stream()
        .filter(count -> count.assignable() > 0)
        .forEach(count ->
            lines.add(PREFIX + "assignable.pci-" + count.className() + "=" + count.assignable()));
    return String.join("\n", lines);
  }

  /** A name as labels have them. */
  private static String word(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[ _]", "-");
  }
}
