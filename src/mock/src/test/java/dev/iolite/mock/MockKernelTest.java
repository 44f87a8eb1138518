package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.SysFs;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A model's host begins and ends. */
class MockKernelTest {
  /** What the model's hosts have of this process's descriptors and mappings. */
  private static List<String> held() {
    SysFs host = new SysFs(new HostKernel());
    List<String> names =
        new ArrayList<>(
            host.list("/proc/self/fd").stream()
                .flatMap(fd -> host.linkName("/proc/self/fd/" + fd).stream())
                .toList());
    host.read("/proc/self/maps").lines().forEach(names::add);
    return names.stream().filter(name -> name.contains("iolite-mock")).toList();
  }

  @Test
  void theEndOfAHostGivesBackWhatItsProcessLeftOpenAndMapped() {
    int before = held().size();
    try (MockKernel kernel = MockKernel.plain()) {
      Iommufd.open(kernel).allocIoas();
      MemFd.create(kernel, "ram", 1 << 20).map();
      Mapping.anonymous(kernel, 1 << 20);
      assertThat(held()).hasSizeGreaterThan(before);
    }
    assertThat(held()).hasSize(before);
  }

  @Test
  void hostsKnowNothingOfOneAnother() {
    try (MockKernel one = MockKernel.plain();
        MockKernel other = MockKernel.plain()) {
      assertThat(one.eventfd(0, 0)).isEqualTo(3);
      assertThat(other.eventfd(0, 0)).isEqualTo(3);
    }
  }
}
