package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
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
  void whatADeviceAndItsMemoryHoldIsNamed() {
    try (MockKernel kernel = MockKernel.plain()) {
      assertThat(kernel.held()).isEmpty();
      try (VfioUser user = new VfioUser(kernel, "0000:00:02.0")) {
        long at = user.memory(0x10_0000, 8192).address();
        assertThat(kernel.held())
            .containsExactly(
                "descriptor 3 (/dev/iommu)",
                "device 1 of descriptor 3 (/dev/iommu)",
                "IOAS 2 of descriptor 3 (/dev/iommu)",
                "IOVA 0x100000-0x101fff in IOAS 2 of descriptor 3 (/dev/iommu)",
                "HWPT 3 of descriptor 3 (/dev/iommu)",
                "descriptor 4 (/dev/vfio/devices/vfio0)",
                "mapping 0x%x-0x%x of anonymous memory".formatted(at, at + 8191));
      }
      assertThat(kernel.held()).isEmpty();
    }
  }

  @Test
  void whatAVmHoldsIsNamed() {
    try (MockKernel kernel = MockKernel.plain()) {
      try (Kvm kvm = Kvm.open(kernel);
          Vm vm = kvm.createVm(VmType.DEFAULT);
          MemFd ram = MemFd.create(kernel, "ram", 4096);
          Mapping mapped = ram.map();
          MemorySlot _ = vm.addSlot(0x3000, 4096, mapped.address())) {
        assertThat(kernel.held())
            .containsExactly(
                "descriptor 3 (/dev/kvm)",
                "descriptor 4 (anon_inode:kvm-vm)",
                "memory slot 0 at GPA 0x3000-0x3fff of descriptor 4 (anon_inode:kvm-vm)",
                "descriptor 5 (/memfd:ram (deleted))",
                "mapping 0x%x-0x%x of /memfd:ram (deleted)"
                    .formatted(mapped.address(), mapped.address() + 4095));
      }
      assertThat(kernel.held()).isEmpty();
    }
  }

  /** A duplicate leads to the same objects, which are named once. */
  @Test
  void whatTwoDescriptorsLeadToIsNamedOnce() {
    try (MockKernel kernel = MockKernel.plain()) {
      Iommufd iommufd = Iommufd.open(kernel);
      iommufd.allocIoas();
      assertThat(kernel.duplicate(3)).isEqualTo(4);
      assertThat(kernel.held())
          .containsExactly(
              "descriptor 3 (/dev/iommu)",
              "IOAS 1 of descriptor 3 (/dev/iommu)",
              "descriptor 4 (/dev/iommu)");
    }
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
