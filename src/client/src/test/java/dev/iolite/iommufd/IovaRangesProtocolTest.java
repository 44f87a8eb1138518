package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_ioas_iova_ranges;
import dev.iolite.uapi.iommufd.iommu_iova_range;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The list of ranges grows between two calls: no real device has so many, nor such timing. */
class IovaRangesProtocolTest {
  /** An iommufd on which every call but this one works. */
  private abstract static class RangesKernel extends ForwardingKernel {
    RangesKernel() {
      super(new HostKernel());
    }

    abstract int ranges(MemorySegment query);

    @Override
    public int open(String path, int flags) {
      return 3;
    }

    @Override
    public int close(int fd) {
      return 0;
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      return request == IommufdIoctls.IOMMU_IOAS_IOVA_RANGES.number()
          ? ranges(
              iommu_ioas_iova_ranges.reinterpret(
                  MemorySegment.ofAddress(argument), Arena.global(), null))
          : 0;
    }
  }

  /** Answers as iommufd_ioas_iova_ranges does, one count of ranges after the other. */
  private static final class GrowingKernel extends RangesKernel {
    private final List<Integer> counts;
    private final List<Integer> asked = new ArrayList<>();

    GrowingKernel(Integer... counts) {
      this.counts = new ArrayList<>(List.of(counts));
    }

    @Override
    int ranges(MemorySegment query) {
      int capacity = iommu_ioas_iova_ranges.num_iovas(query);
      asked.add(capacity);
      int count = counts.removeFirst();
      MemorySegment array =
          iommu_iova_range.reinterpret(
              MemorySegment.ofAddress(iommu_ioas_iova_ranges.allowed_iovas(query)),
              capacity,
              Arena.global(),
              null);
      for (int i = 0; i < Math.min(capacity, count); i++) {
        iommu_iova_range.start(iommu_iova_range.asSlice(array, i), i * 0x10000L);
        iommu_iova_range.last(iommu_iova_range.asSlice(array, i), i * 0x10000L + 0xfff);
      }
      iommu_ioas_iova_ranges.num_iovas(query, count);
      iommu_ioas_iova_ranges.out_iova_alignment(query, 0x1000);
      return count > capacity ? Errno.EMSGSIZE.negated() : 0;
    }
  }

  private static IovaRanges ranges(Kernel kernel) {
    try (Iommufd iommufd = Iommufd.open(kernel)) {
      return iommufd.allocIoas().ranges();
    }
  }

  @Test
  void asksAgainUntilAllFit() {
    GrowingKernel kernel = new GrowingKernel(17, 40, 40);
    IovaRanges ranges = ranges(kernel);
    assertThat(kernel.asked).containsExactly(16, 17, 40);
    assertThat(ranges.allowed()).hasSize(40);
    assertThat(ranges.allowed().getLast()).isEqualTo(new IovaRange(0x270000, 0x270fff));
    assertThat(ranges.alignment()).isEqualTo(0x1000);
  }

  @Test
  void takesAListThatShrankMeanwhile() {
    assertThat(ranges(new GrowingKernel(30, 2)).allowed()).hasSize(2);
  }

  @Test
  void doesNotReadMoreRangesThanItGaveRoomFor() {
    var boastful =
        new RangesKernel() {
          @Override
          int ranges(MemorySegment query) {
            iommu_ioas_iova_ranges.num_iovas(query, -1);
            return 0;
          }
        };
    assertThatThrownBy(() -> ranges(boastful))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("the kernel said 0, and more ranges than there was room for");
  }

  @Test
  void doesNotAskForeverIfTheKernelWantsNoMoreRoom() {
    var stubborn =
        new RangesKernel() {
          @Override
          int ranges(MemorySegment query) {
            return Errno.EMSGSIZE.negated();
          }
        };
    assertThatThrownBy(() -> ranges(stubborn))
        .isInstanceOf(KernelException.class)
        .hasMessageContaining("IOMMU_IOAS_IOVA_RANGES");
  }
}
