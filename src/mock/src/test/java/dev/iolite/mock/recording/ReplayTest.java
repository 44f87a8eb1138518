package dev.iolite.mock.recording;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Capability;
import dev.iolite.kvm.Kvm;
import dev.iolite.mock.MockKernel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a recording says is what the model shows; the rest follows from it as in the kernel. */
class ReplayTest {
  private static final String BRIDGE = "/sys/devices/pci0000:3a/0000:3a:00.0";
  private static final String NIC = BRIDGE + "/0000:3b:00.0";

  private final MockKernel kernel = Replay.of(RecordingFile.parse(SmallMachine.TEXT)).build();
  private final SysFs files = new SysFs(kernel);

  @AfterEach
  void close() {
    kernel.close();
  }

  @Test
  void theHostIsAsItWas() {
    assertThat(files.read("/proc/sys/kernel/osrelease")).isEqualTo("7.4.0-custom");
    assertThat(files.read("/proc/cpuinfo"))
        .isEqualTo(
            """
            processor\t: 0
            vendor_id\t: GenuineIntel
            model\t\t: 143

            processor\t: 1
            vendor_id\t: GenuineIntel
            model\t\t: 143\
            """);
    assertThat(files.read("/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"))
        .isEqualTo("3");
    assertThat(files.read("/sys/kernel/mm/transparent_hugepage/enabled"))
        .isEqualTo("[always] madvise never");
  }

  @Test
  void theFunctionsAreWhereTheyWere() {
    assertThat(files.readlink("/sys/bus/pci/devices/0000:3b:00.0"))
        .isEqualTo("../../.." + NIC.substring("/sys".length()));
    assertThat(files.read(NIC + "/resource").lines().findFirst())
        .contains("0x00000000e0000000 0x00000000e000ffff 0x0000000000040200");
    assertThat(files.read(BRIDGE + "/resource").lines())
        .hasSize(17)
        .element(14)
        .isEqualTo("0x00000000e0000000 0x00000000e00fffff 0x0000000000000200");
    assertThat(files.read(BRIDGE + "/subordinate_bus_number")).isEqualTo("61");
    assertThat(files.read(NIC + "/numa_node")).isEqualTo("1");
    assertThat(files.read(NIC + "/reset_method")).isEqualTo("flr bus");
  }

  /** Neither driver_override nor its ids gave it to vfio-pci. */
  @Test
  void aFunctionHasTheDriverThatItHad() {
    assertThat(files.linkName(NIC + "/driver")).contains("vfio-pci");
    assertThat(files.read(NIC + "/driver_override")).isEqualTo("(null)");
    assertThat(files.linkName(BRIDGE + "/driver")).contains("pcieport");
    assertThat(files.exists("/dev/vfio/devices/vfio0")).isTrue();
  }

  @Test
  void groupsAndIommusHaveTheirNames() {
    assertThat(files.linkName(NIC + "/iommu_group")).contains("17");
    assertThat(files.linkName(NIC + "/iommu")).contains("dmar3");
    assertThat(files.read("/sys/class/iommu/dmar3/intel-iommu/cap")).isEqualTo("d2008c22260286");
    assertThat(files.read("/sys/kernel/iommu_groups/17/type")).isEqualTo("DMA-FQ");
    assertThat(files.read("/sys/kernel/iommu_groups/17/reserved_regions"))
        .isEqualTo(
            """
            0x0000000000000000 0x0000000000ffffff direct-relaxable
            0x00000000fee00000 0x00000000feefffff msi\
            """);
    assertThat(files.exists(BRIDGE + "/iommu_group")).isFalse();
  }

  @Test
  void configurationSpaceIsAsItWasLeft() {
    byte[] config = files.readBytes(NIC + "/config");
    Recording recording = RecordingFile.parse(SmallMachine.TEXT);
    assertThat(config).isEqualTo(recording.functions().getLast().config().bytes());
  }

  @Test
  void kvmHasNoMoreThanItHad() {
    try (Kvm kvm = Kvm.open(kernel)) {
      assertThat(kvm.check(Capability.NR_VCPUS)).isEqualTo(2);
      assertThat(kvm.check(Capability.MAX_VCPUS)).isEqualTo(512);
      assertThat(kvm.check(Capability.MAX_VCPU_ID)).isEqualTo(2048);
      assertThat(kvm.check(Capability.USER_MEMORY2)).isZero();
    }
  }

  @Test
  void iommufdIsThere() {
    Iommufd.open(kernel).close();
  }
}
