package dev.iolite.mock.iommufd;

import static dev.iolite.mock.iommufd.Machine.PAGE;
import static dev.iolite.mock.iommufd.Machine.USUAL;
import static dev.iolite.mock.iommufd.Machine.sized;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.core.IommufdContext.BoundDevice;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_get_dirty_bitmap;
import dev.iolite.uapi.iommufd.iommu_hwpt_set_dirty_tracking;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** Which pages a device has written. */
class DirtyTest {
  private static final long IOVA = 0x10_0000;

  private final Machine machine = new Machine(VtdIommu.scalable());
  private final PretendDevice device = PretendDevice.alone();
  private final BoundDevice bound = machine.bind(device);
  private final int ioas = machine.ioas();
  private final int hwpt =
      machine.hwpt(Iommufd.IOMMU_HWPT_ALLOC_DIRTY_TRACKING(), bound.id(), ioas);

  DirtyTest() {
    machine.map(ioas, USUAL, machine.ram(16 * PAGE), 16 * PAGE, IOVA);
    machine.call(() -> bound.attach(hwpt));
  }

  private void track(boolean on) {
    MemorySegment set = sized(iommu_hwpt_set_dirty_tracking.layout());
    iommu_hwpt_set_dirty_tracking.hwpt_id(set, hwpt);
    iommu_hwpt_set_dirty_tracking.flags(set, on ? Iommufd.IOMMU_HWPT_DIRTY_TRACKING_ENABLE() : 0);
    machine.succeeds(IommufdIoctls.IOMMU_HWPT_SET_DIRTY_TRACKING, set);
  }

  private long dirty(int flags, long pageBytes) {
    MemorySegment bitmap = Arena.ofAuto().allocate(8, 8);
    MemorySegment get = sized(iommu_hwpt_get_dirty_bitmap.layout());
    iommu_hwpt_get_dirty_bitmap.hwpt_id(get, hwpt);
    iommu_hwpt_get_dirty_bitmap.flags(get, flags);
    iommu_hwpt_get_dirty_bitmap.iova(get, IOVA);
    iommu_hwpt_get_dirty_bitmap.length(get, 16 * PAGE);
    iommu_hwpt_get_dirty_bitmap.page_size(get, pageBytes);
    iommu_hwpt_get_dirty_bitmap.data(get, bitmap.address());
    machine.succeeds(IommufdIoctls.IOMMU_HWPT_GET_DIRTY_BITMAP, get);
    return bitmap.get(ValueLayout.JAVA_LONG, 0);
  }

  @Test
  void writesAreNotedAndReadsAreNot() {
    track(true);
    device.write(IOVA + PAGE - 4, 1);
    device.write(IOVA + 5 * PAGE, 1);
    device.reads(IOVA + 7 * PAGE, 0);
    assertThat(dirty(0, PAGE)).isEqualTo(0b100011);
    assertThat(dirty(0, PAGE)).as("cleared by the first").isZero();
  }

  @Test
  void theyStayIfNotToBeCleared() {
    track(true);
    device.write(IOVA, 1);
    assertThat(dirty(Iommufd.IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR(), PAGE)).isEqualTo(1);
    assertThat(dirty(0, PAGE)).isEqualTo(1);
  }

  @Test
  void aBitMayStandForSeveralPages() {
    track(true);
    device.write(IOVA + 5 * PAGE, 1);
    assertThat(dirty(0, 4 * PAGE)).isEqualTo(0b10);
  }

  @Test
  void nothingIsNotedWhileTrackingIsOff() {
    device.write(IOVA, 1);
    track(true);
    assertThat(dirty(0, PAGE)).isZero();
    device.write(IOVA, 1);
    track(true);
    assertThat(dirty(0, PAGE)).as("switched on again, from a clean start").isZero();
  }

  @Test
  void whatIsUnmappedIsForgotten() {
    track(true);
    device.write(IOVA, 1);
    machine.unmap(ioas, IOVA, 16 * PAGE);
    machine.map(ioas, USUAL, machine.ram(16 * PAGE), 16 * PAGE, IOVA);
    assertThat(dirty(0, PAGE)).isZero();
  }
}
