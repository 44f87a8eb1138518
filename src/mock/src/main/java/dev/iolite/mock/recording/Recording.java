package dev.iolite.mock.recording;

import dev.iolite.mock.Platform;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.ReservedRegion;
import dev.iolite.mock.pci.HostFacts;
import dev.iolite.tsm.Profile;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A machine as it was seen once.
 *
 * @param platform how its guests are protected
 * @param profile how TDIs are bound on it
 * @param facts what it said about its kernel, processors and memory
 * @param physicalAddressBits the width of its physical addresses
 * @param iommus its IOMMUs
 * @param groups its IOMMU groups, as far as they have recorded functions
 * @param functions its PCI functions, in the order of their addresses
 * @param tsms its TSMs; empty if its kernel has no class for them
 * @param capabilities what KVM said about each capability that it has, by its name without {@code
 *     KVM_CAP_}; empty if it has no KVM
 */
public record Recording(
    Platform platform,
    Profile profile,
    HostFacts facts,
    int physicalAddressBits,
    List<IommuUnit> iommus,
    List<Group> groups,
    List<RecordedFunction> functions,
    Optional<List<String>> tsms,
    Optional<Map<String, Integer>> capabilities) {
  /**
   * An IOMMU group.
   *
   * @param id its number
   * @param type the type of the host's own domain, as sysfs shows it
   * @param reserved its reserved regions
   */
  public record Group(int id, String type, List<ReservedRegion> reserved) {
    /** Copies the list. */
    public Group {
      reserved = List.copyOf(reserved);
    }
  }

  /** Copies the collections. */
  public Recording {
    iommus = List.copyOf(iommus);
    groups = List.copyOf(groups);
    functions = List.copyOf(functions);
    tsms = tsms.map(List::copyOf);
    capabilities =
        capabilities.map(given -> Collections.unmodifiableMap(new LinkedHashMap<>(given)));
  }
}
