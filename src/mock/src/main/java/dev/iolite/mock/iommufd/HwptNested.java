package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.IommuDevice.Translation;

/** A guest's page table on top of a HWPT (struct iommufd_hwpt_nested). */
final class HwptNested extends HwPagetable {
  private final ContextObject base;
  private final HwptPaging parent;
  private final NestedDomain domain;
  private final Translation translation;

  /**
   * Makes a page table that has an id but can't be found yet.
   *
   * @param base what it keeps alive: its parent, or the vIOMMU whose parent it uses
   * @param parent the host's page table
   */
  HwptNested(ContextObject base, HwptPaging parent, NestedDomain domain, boolean isForPasids) {
    super(parent.context(), isForPasids);
    this.base = base;
    this.parent = parent;
    this.domain = domain;
    translation = domain.translation(parent.translation());
    base.get();
    context().objects().allocate(this);
  }

  NestedDomain domain() {
    return domain;
  }

  /** Undoes its creation before it is published. */
  void abort() {
    destroy();
    context().objects().abort(this);
  }

  @Override
  String kind() {
    return "nested HWPT";
  }

  /** hw_pagetable.c:iommufd_hwpt_nested_destroy. */
  @Override
  void destroy() {
    domain.free();
    super.destroy();
    base.put();
  }

  @Override
  Translation translation() {
    return translation;
  }

  @Override
  boolean isAcceptedBy(Iommu iommu) {
    return iommu.accepts(domain) && iommu.accepts(parent.table().domain()) && domain.isUsable();
  }

  @Override
  HwptPaging paging() {
    return parent;
  }
}
