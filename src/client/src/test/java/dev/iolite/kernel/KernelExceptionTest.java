package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KernelExceptionTest {
  private static final int EBUSY = 16;

  @Test
  void namesTheDeviceInTheNextCommand() {
    assertThat(
            new KernelException(
                "VFIO_DEVICE_BIND_IOMMUFD", "VFIO device 7 (0000:03:1f.7)", "", EBUSY))
        .hasMessageContaining("iolite pci show 0000:03:1f.7 lists the group");
    assertThat(
            new KernelException(
                "write", "file 7 (/sys/bus/pci/devices/0000:03:00.1/driver/unbind)", "", EBUSY))
        .hasMessageContaining("Next: iolite pci show 0000:03:00.1; ");
  }

  @Test
  void namesTheFileInTheNextCommand() {
    assertThat(new KernelException("open", "/dev/kvm", "", EBUSY))
        .hasMessageEndingWith("Next: fuser -v /dev/kvm shows which");
  }
}
