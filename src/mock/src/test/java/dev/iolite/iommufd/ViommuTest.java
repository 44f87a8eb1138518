package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Virtual IOMMUs and their devices, on models. */
class ViommuTest {
  private static final String DEVICE = "0000:00:07.0";
  private static final ViommuType ANY = new ViommuType("AMD", 1);

  private static void refused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno))
        .hasMessageContaining("Next: ");
  }

  @Test
  void eachKeepsWhatItWasMadeFrom() {
    try (MockKernel kernel = MockKernel.sev();
        VfioUser user = new VfioUser(kernel, DEVICE);
        Hwpt parent =
            user.iommufd()
                .allocHwpt(user.device().deviceId(), user.ioas(), Set.of(HwptFlag.NEST_PARENT))
                .orElseThrow();
        Viommu viommu =
            user.iommufd().allocViommu(user.device().deviceId(), parent, ANY).orElseThrow()) {
      assertThat(viommu.type()).isEqualTo(ANY);
      refused(Errno.EBUSY, parent::close);
      try (Vdevice vdevice = viommu.allocVdevice(user.device().deviceId(), 0x10)) {
        assertThat(vdevice).hasToString(vdevice.id() + " of " + user.iommufd());
        refused(Errno.EBUSY, viommu::close);
        refused(Errno.EEXIST, () -> viommu.allocVdevice(user.device().deviceId(), 0x18));
      }
      viommu.allocVdevice(user.device().deviceId(), 0x18).close();
    }
  }

  @Test
  void aPageTableThatIsNoParentIsRefused() {
    try (MockKernel kernel = MockKernel.sev();
        VfioUser user = new VfioUser(kernel, DEVICE);
        Hwpt hwpt =
            user.iommufd()
                .allocHwpt(user.device().deviceId(), user.ioas(), Set.of())
                .orElseThrow()) {
      refused(Errno.EINVAL, () -> user.iommufd().allocViommu(user.device().deviceId(), hwpt, ANY));
    }
  }

  @Test
  void vtdHasNone() {
    try (MockKernel kernel = MockKernel.plain();
        VfioUser user = new VfioUser(kernel, DEVICE);
        Hwpt hwpt =
            user.iommufd()
                .allocHwpt(user.device().deviceId(), user.ioas(), Set.of())
                .orElseThrow()) {
      assertThat(user.iommufd().allocViommu(user.device().deviceId(), hwpt, ANY)).isEmpty();
    }
  }
}
