package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code scripts/lab run}, as a user runs it. */
class LabCommandIT {
  @BeforeEach
  void onlyWithTheLab() throws IOException, InterruptedException {
    LabScript.assumeBuilt();
  }

  @Test
  void assignsBothDevicesAndSaysHow() throws IOException, InterruptedException {
    LabScript.Result run = LabScript.run("run", "--as-built", "passthrough");
    assertThat(run.exitCode()).as(run.output()).isZero();
    assertThat(run.output())
        .contains("IOMMU_IOAS_MAP_FILE", "KVM_SET_USER_MEMORY_REGION", "VFIO_DEVICE_BIND_IOMMUFD")
        .contains(
            "copy a page into the device and back by DMA: 4096 random bytes came back the same")
        .contains("the guest read 0x010000ed")
        .contains("model \"QEMU NVMe Ctrl\", serial \"IOLITE-LAB-1\"")
        .contains("All steps succeeded; all data that moved was right.")
        .doesNotContain("FAILED");
  }

  @Test
  void withoutAnIommuADeviceHasNoGroupAndIsLeftAlone() throws IOException, InterruptedException {
    LabScript.Result run =
        LabScript.run("run", "--as-built", "--append", "intel_iommu=off", "passthrough", "00:03.0");
    assertThat(run.exitCode()).as(run.output()).isEqualTo(4);
    assertThat(run.output())
        .contains("assign 0000:00:03.0: the device has no IOMMU group")
        .contains("Next: ")
        .doesNotContain("give the device back");
  }

  /** Its DMA would go to the host's memory, at whatever addresses we take for IOVAs. */
  @Test
  void aDeviceInNoIommuModeIsLeftAlone() throws IOException, InterruptedException {
    LabScript.Result run =
        LabScript.run(
            "exec",
            "--as-built",
            "--machine",
            "noiommu",
            "sh",
            "-c",
            "echo 0000:00:03.0 > /sys/bus/pci/drivers/nvme/unbind;"
                + " echo vfio-pci > /sys/bus/pci/devices/0000:00:03.0/driver_override;"
                + " echo 0000:00:03.0 > /sys/bus/pci/drivers/vfio-pci/bind || exit 99;"
                + " iolite passthrough 00:03.0; echo passthrough: $?;"
                + " iolite tdi assign 00:03.0; echo assign: $?");
    assertThat(run.exitCode()).as(run.output()).isZero();
    assertThat(run.output())
        .contains("passthrough: 4", "assign: 4")
        .contains("assign 0000:00:03.0: VFIO has the device in no-IOMMU mode")
        .contains("Next: ")
        .doesNotContain("switch bus mastering on");
  }
}
