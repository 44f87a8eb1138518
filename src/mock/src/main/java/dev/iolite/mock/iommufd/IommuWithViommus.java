package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice;
import java.util.Map;
import java.util.Optional;

/** An IOMMU whose driver also supports vIOMMUs, of the types that it is given. */
public final class IommuWithViommus implements Iommu {
  private final Iommu base;
  private final Map<Integer, ViommuDriver> drivers;

  /**
   * Adds vIOMMUs to an IOMMU.
   *
   * @param base does everything else
   * @param drivers the drivers of the vIOMMUs, by IOMMU_VIOMMU_TYPE_*
   */
  public IommuWithViommus(Iommu base, Map<Integer, ViommuDriver> drivers) {
    this.base = base;
    this.drivers = Map.copyOf(drivers);
  }

  @Override
  public IommuHwInfo hwInfo(IommuDevice device, int requestedType) {
    return base.hwInfo(device, requestedType);
  }

  @Override
  public boolean isCoherent() {
    return base.isCoherent();
  }

  @Override
  public boolean enforcesCoherency() {
    return base.enforcesCoherency();
  }

  @Override
  public boolean tracksDirty() {
    return base.tracksDirty();
  }

  @Override
  public boolean hasDeviceTlb(IommuDevice device) {
    return base.hasDeviceTlb(device);
  }

  @Override
  public PagingDomain allocatePaging(IommuDevice device, int flags, Optional<UserData> data) {
    return base.allocatePaging(device, flags, data);
  }

  @Override
  public boolean hasNestedDomains() {
    return base.hasNestedDomains();
  }

  @Override
  public NestedDomain allocateNested(
      IommuDevice device, PagingDomain parent, int flags, UserData data) {
    return base.allocateNested(device, parent, flags, data);
  }

  @Override
  public boolean accepts(PagingDomain domain) {
    return base.accepts(domain);
  }

  @Override
  public boolean accepts(NestedDomain domain) {
    return domain.driver().equals(this) || base.accepts(domain);
  }

  @Override
  public boolean takesPasids() {
    return base.takesPasids();
  }

  @Override
  public Optional<ViommuDriver> viommus(IommuDevice device, int type) {
    return Optional.ofNullable(drivers.get(type));
  }
}
