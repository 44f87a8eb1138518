package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.no;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Platform;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsmarmv5.TsmArmV5;
import dev.iolite.uapi.tsmintelrfc2025.TsmIntelRfc2025;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmv6.TsmV6;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What Linux 7.3 says to the calls of proposals that it does not have. */
class MainlineProfileTest {
  private static final int SMALL = 16;

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void itKnowsNoneOfTheCalls(Platform platform) {
    try (AssignedEndpoint at = AssignedEndpoint.on(platform, Profile.MAINLINE_7_3)) {
      MemorySegment struct = at.sized(SMALL);
      assertThat(at.ioctl(at.iommufd, TsmArmV5.IOMMU_VDEVICE_TSM_OP(), struct))
          .as("the number is another command's, whose struct is longer")
          .isEqualTo(no(Errno.EINVAL));
      for (long request :
          new long[] {
            TsmV6.IOMMU_VDEVICE_TSM_OP(),
            TsmV6.IOMMU_VDEVICE_TSM_REQ(),
            TsmSeed2025.IOMMU_VDEVICE_TSM_OP(),
            TsmSeed2025.IOMMU_VDEVICE_TSM_REQ()
          }) {
        assertThat(at.ioctl(at.iommufd, request, struct)).isEqualTo(no(Errno.ENOTTY));
      }
      assertThat(at.ioctl(at.device, TsmIntelRfc2025.VFIO_DEVICE_TSM_BIND(), struct))
          .isEqualTo(no(Errno.ENOTTY));
      assertThat(at.bound()).isEmpty();
    }
  }

  @Test
  void dmaBufsHaveNoFlags() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.MAINLINE_7_3)) {
      for (int flag = 0; flag < Integer.SIZE; flag++) {
        assertThat(at.export(0, 1 << flag, 0, 0x1000)).isEqualTo(no(Errno.EINVAL));
      }
      assertThat(at.export(0, 0, 0, 0x1000)).isNotNegative();
    }
  }

  @Test
  void slotsHaveNoFlagsForDmaBufs() {
    try (AssignedEndpoint at = AssignedEndpoint.on(Platform.TDX, Profile.MAINLINE_7_3)) {
      MemorySegment slot = at.struct(kvm_userspace_memory_region2.sizeof());
      kvm_userspace_memory_region2.memory_size(slot, 0x1000);
      kvm_userspace_memory_region2.flags(slot, (int) TsmSeed2025.KVM_MEM_DMABUF());
      assertThat(at.ioctl(at.vm, Kvm.KVM_SET_USER_MEMORY_REGION2(), slot))
          .isEqualTo(no(Errno.EINVAL));
    }
  }

  @Test
  void aTdxHostHasVirtualIommusOfOneTypeAndASevHostOfAny() {
    try (AssignedEndpoint tdx =
            AssignedEndpoint.withoutVdevice(Platform.TDX, Profile.MAINLINE_7_3);
        AssignedEndpoint sev =
            AssignedEndpoint.withoutVdevice(Platform.SEV, Profile.MAINLINE_7_3)) {
      assertThat(tdx.makeViommu(1)).isEqualTo(no(Errno.EOPNOTSUPP));
      assertThat(tdx.makeViommu(Tsm.IOMMU_VIOMMU_TYPE_TDX())).isZero();
      assertThat(sev.makeViommu(0)).isEqualTo(no(Errno.EOPNOTSUPP));
      assertThat(sev.makeViommu(77)).isZero();
      assertThat(sev.allocVdevice()).isZero();
      assertThat(sev.allocVdevice()).isEqualTo(no(Errno.EEXIST));
    }
  }
}
