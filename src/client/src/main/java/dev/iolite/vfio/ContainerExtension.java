package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;

/** What VFIO_CHECK_EXTENSION asks about on x86; those with IOMMU in their names can be set. */
public enum ContainerExtension {
  /** Type 1, whose first version unmaps what a request begins with. */
  TYPE1_IOMMU(Vfio.VFIO_TYPE1_IOMMU()),
  /** The second version of type 1, which unmaps whole mappings only, and tracks dirty pages. */
  TYPE1_V2_IOMMU(Vfio.VFIO_TYPE1v2_IOMMU()),
  /** No IOMMU at all: the devices use physical addresses. */
  NOIOMMU_IOMMU(Vfio.VFIO_NOIOMMU_IOMMU()),
  /** The IOMMU makes all DMA coherent with the CPU's caches. */
  DMA_CC(Vfio.VFIO_DMA_CC_IOMMU()),
  /** Everything can be unmapped at once. */
  UNMAP_ALL(Vfio.VFIO_UNMAP_ALL()),
  /** The process's address of what is mapped can change, for a live update. */
  UPDATE_VADDR(Vfio.VFIO_UPDATE_VADDR());

  private final int number;

  ContainerExtension(int number) {
    this.number = number;
  }

  /** The extension's number. */
  public int number() {
    return number;
  }
}
