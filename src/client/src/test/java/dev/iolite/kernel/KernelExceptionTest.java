package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.catalog.FdKind;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KernelExceptionTest {
  private static final int EBUSY = 16;

  @Test
  void hasTheDeviceAsData() {
    CallTarget device =
        new CallTarget(
            Optional.of(FdKind.VFIO_DEVICE), "VFIO device 7", Optional.of("0000:03:1f.7"));
    assertThat(new KernelException("VFIO_DEVICE_BIND_IOMMUFD", device, "", EBUSY).advice())
        .hasValueSatisfying(advice -> {
          assertThat(advice.remedy()).isEqualTo(Remedy.SHOW_FUNCTION);
          assertThat(advice.subjects()).containsExactly("0000:03:1f.7");
        });
  }

  @Test
  void namesTheFileInTheNextCommand() {
    assertThat(new KernelException("open", CallTarget.of(FdKind.KVM, "/dev/kvm"), "", EBUSY))
        .hasMessageEndingWith("Next: fuser -v /dev/kvm shows which");
  }
}
