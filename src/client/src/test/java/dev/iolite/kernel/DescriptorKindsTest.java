package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.dmabuf.dma_buf_export_sync_file;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DescriptorKindsTest {
  @ParameterizedTest
  @CsvSource({
    "/dev/vfio/devices/vfio0, VFIO_DEVICE",
    "/dev/vfio/vfio, VFIO_CONTAINER",
    "/dev/vfio/12, VFIO_GROUP",
    "/dev/vfio/noiommu-0, VFIO_GROUP",
    "/dev/vfio/devices, FILE",
    "/dev/vfio/12a, FILE",
    "/dev/vfio, FILE",
    "/dev/iommu, IOMMUFD",
    "/dev/udmabuf, UDMABUF"
  })
  void aPathTellsWhatItOpensAs(String path, FdKind kind) {
    assertThat(DescriptorKinds.ofPath(path)).isEqualTo(kind);
  }

  @Test
  void aDescriptorInAStructIsLearnedToo() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment queue = iommu_fault_alloc.allocate(arena);
      iommu_fault_alloc.out_fault_fd(queue, 7);
      assertThat(DescriptorKinds.made(IommufdIoctls.IOMMU_FAULT_QUEUE_ALLOC, Optional.of(queue), 0))
          .contains(new DescriptorKinds.Made(7, FdKind.FAULT_QUEUE));
      MemorySegment events = iommu_veventq_alloc.allocate(arena);
      iommu_veventq_alloc.out_veventq_fd(events, 8);
      assertThat(DescriptorKinds.made(IommufdIoctls.IOMMU_VEVENTQ_ALLOC, Optional.of(events), 0))
          .contains(new DescriptorKinds.Made(8, FdKind.VEVENTQ));
      MemorySegment export = dma_buf_export_sync_file.allocate(arena);
      dma_buf_export_sync_file.fd(export, 9);
      assertThat(
              DescriptorKinds.made(
                  DmaBufIoctls.DMA_BUF_IOCTL_EXPORT_SYNC_FILE, Optional.of(export), 0))
          .contains(new DescriptorKinds.Made(9, FdKind.SYNC_FILE));
    }
  }
}
