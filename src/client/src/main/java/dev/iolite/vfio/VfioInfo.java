package dev.iolite.vfio;

import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that VFIO says about a device.
 *
 * @param device flags and capabilities of the device
 * @param regions every region that has an index
 * @param irqs every kind of interrupt that has an index
 * @param features the result of a probe for each known feature
 * @param hotReset what a reset of the slot or bus would reset; empty if such a reset is not
 *     possible, and for a device that was opened through its group, see {@link
 *     GroupVfioDevice#hotResetGroups}
 */
public record VfioInfo(
    DeviceInfo device,
    List<RegionInfo> regions,
    List<IrqInfo> irqs,
    Map<VfioFeature, FeatureSupport> features,
    Optional<HotResetInfo> hotReset) {
  /** Copies the lists and the map. */
  public VfioInfo {
    regions = List.copyOf(regions);
    irqs = List.copyOf(irqs);
    // An EnumMap keeps the features in the order of their numbers; Map.copyOf would not.
    features = Collections.unmodifiableMap(new EnumMap<>(features));
  }

  /** Asks a device for all of this; changes nothing. */
  public static VfioInfo of(OpenVfioDevice device) {
    Map<VfioFeature, FeatureSupport> features = new EnumMap<>(VfioFeature.class);
    for (VfioFeature feature : VfioFeature.values()) {
      features.put(feature, device.features().probe(feature));
    }
    return new VfioInfo(
        device.info(),
        device.regionInfos(),
        device.irqInfos(),
        features,
        device instanceof BoundVfioDevice bound ? bound.hotResetInfo() : Optional.empty());
  }
}
