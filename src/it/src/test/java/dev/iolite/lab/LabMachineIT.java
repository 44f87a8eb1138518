package dev.iolite.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The lab's other machines, {@code scripts/lab --machine}: one boot each. */
class LabMachineIT {
  /** Enough for a dozen commands on a machine that is busy with other labs. */
  private static final String DEADLINE_SECONDS = "900";

  private static final int NESTED_TRIES = 4;
  private static final String NESTED_SECONDS = "400";

  @BeforeEach
  void onlyWithTheLab() throws IOException, InterruptedException {
    LabScript.assumeBuilt();
  }

  private static String exec(String machine, String... lines)
      throws IOException, InterruptedException {
    LabScript.Result run =
        LabScript.run(
            "exec",
            "--as-built",
            "--deadline",
            DEADLINE_SECONDS,
            "--machine",
            machine,
            "sh",
            "-c",
            String.join("\n", lines));
    assertThat(run.exitCode()).as(run.output()).isZero();
    return run.output();
  }

  /** Parts of the output that a line of {@code echo} ends; what a command said stands before it. */
  private static String before(String output, String line) {
    List<String> lines = output.lines().toList();
    int end = lines.indexOf(line);
    assertThat(end).as("'%s' in:\n%s", line, output).isNotNegative();
    int start = end;
    while (start > 0 && !lines.get(start - 1).matches("\\w+: \\d+")) {
      start--;
    }
    return String.join("\n", lines.subList(start, end));
  }

  @Test
  void nothingIsTakenFromThoseWhoUseIt() throws IOException, InterruptedException {
    String output =
        exec(
            "sriov",
            "exec 2>&1",
            "cd /sys/bus/pci/devices",
            "P=0000:02:00.0",
            // QEMU's VFs are offline, and nvme would wait for them.
            "echo 0 > $P/sriov_drivers_autoprobe",
            "echo 2 > $P/sriov_numvfs || exit 99",
            "iolite pci bind $P; echo bind: $?",
            "iolite pci unbind $P; echo unbind: $?",
            "iolite passthrough $P; echo passthrough: $?",
            "iolite tdi assign $P; echo assign: $?",
            "readlink $P/driver; cat $P/driver_override $P/sriov_numvfs; echo left: 0",
            "iolite pci show 02:00.1; echo show: $?",
            "iolite pci bind 00:08.0; echo bridge: $?",
            "iolite pci unbind 00:08.0; echo unbridge: $?",
            "readlink 0000:00:08.0/driver; echo port: 0",
            // A PF at vfio-pci, of which a VF is open: an unbind would never end.
            "echo 0 > $P/sriov_numvfs",
            "echo 1 > $P/sriov_drivers_autoprobe",
            "iolite pci bind $P; echo bound: $?",
            "echo 2 > $P/sriov_numvfs || exit 98",
            "exec 9< /dev/vfio/devices/$(ls 0000:02:00.1/vfio-dev) || exit 97",
            "iolite pci unbind $P 9<&-; echo held: $?",
            "exec 9<&-",
            "echo 0 > $P/sriov_numvfs",
            "iolite pci unbind $P; echo back: $?",
            "readlink $P/driver; echo nvme: 0",
            "iolite passthrough 03:00.0; echo grouped: $?",
            "readlink 0000:00:09.0/driver; echo ported: 0",
            "exec 8< /dev/$(ls 0000:00:03.0/nvme) || exit 96",
            "iolite pci bind 00:03.0 8<&-; echo node: $?",
            "exec 8<&-",
            "su user -c 'iolite pci show 00:03.0'; echo user: $?");

    for (String refused : List.of("bind: 4", "unbind: 4", "passthrough: 4", "assign: 4")) {
      assertThat(before(output, refused))
          .contains("it has VFs: 0000:02:00.1 (no driver), 0000:02:00.2 (no driver)")
          .contains("sriov_numvfs is 2")
          .contains("echo 0 > /sys/bus/pci/devices/0000:02:00.0/sriov_numvfs");
    }
    assertThat(before(output, "left: 0").lines())
        .satisfiesExactly(
            driver -> assertThat(driver).endsWith("/nvme"),
            override -> assertThat(override).isEqualTo("(null)"),
            count -> assertThat(count).isEqualTo("2"));
    assertThat(before(output, "show: 0"))
        .contains("VF of 0000:02:00.0", "memory decode as 0000:02:00.0 says");
    assertThat(before(output, "bridge: 4")).contains("it is a bridge");
    assertThat(before(output, "unbridge: 4")).contains("it is a bridge");
    assertThat(before(output, "port: 0")).endsWith("/pcieport");
    before(output, "bound: 0");
    assertThat(before(output, "held: 4"))
        .containsPattern("0000:02:00.1 \\(vfio-pci, open in process \\d+ \\(sh\\)\\)")
        .containsPattern("Next: end process \\d+ \\(sh\\); then echo 0 > ");
    before(output, "back: 0");
    assertThat(before(output, "nvme: 0")).endsWith("/nvme");
    assertThat(before(output, "grouped: 0")).contains("IOLITE-LAB-3");
    assertThat(before(output, "ported: 0")).endsWith("/pcieport");
    assertThat(before(output, "node: 4"))
        .containsPattern("/dev/nvme\\d is open in process \\d+ \\(sh\\)");
    assertThat(before(output, "user: 0"))
        .contains("Its capabilities are hidden from this user. Next: run as root");
  }

  /** drivers/iommu/iommufd/device.c:iommufd_device_bind: EPERM. */
  @Test
  void withoutInterruptRemappingTheDeviceIsGivenBack() throws IOException, InterruptedException {
    String output =
        exec(
            "noremap",
            "exec 2>&1",
            "iolite passthrough 00:03.0; echo passthrough: $?",
            "readlink /sys/bus/pci/devices/0000:00:03.0/driver; echo left: 0");

    assertThat(before(output, "passthrough: 3")).contains("VFIO_DEVICE_BIND_IOMMUFD", "EPERM");
    assertThat(before(output, "left: 0")).endsWith("/nvme");
  }

  private static LabScript.Result test(String machine, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("test", "--as-built", "--machine", machine));
    command.addAll(List.of(options));
    return LabScript.run(command.toArray(String[]::new));
  }

  /** {@code VectorShortageLabTest} in the guest. */
  @Test
  void fewerVectorsThanWantedAreAnAnswer() throws IOException, InterruptedException {
    LabScript.Result run = test("noremap", "--append", "iommufd.allow_unsafe_interrupts=1");
    assertThat(run.exitCode()).as(run.output()).isZero();
  }

  /**
   * {@code VmmLabTest} in the guest, and Linux in guests of it, which fails in QEMU now and then.
   */
  @Test
  void linuxRunsInAGuestOfTheGuest() throws IOException, InterruptedException {
    LabScript.Result run = test("nested", "--deadline", NESTED_SECONDS);
    for (int tries = 1; tries < NESTED_TRIES && run.exitCode() != 0; tries++) {
      run = test("nested", "--deadline", NESTED_SECONDS);
    }
    assertThat(run.exitCode()).as(run.output()).isZero();
  }

  /**
   * drivers/iommu/iommu.c:__iommu_device_set_domain; drivers/acpi/scan.c:acpi_scan_claim_resources.
   */
  @Test
  void whatTheFirmwareKeepsIsNamed() throws IOException, InterruptedException {
    String output =
        exec(
            "firmware",
            "exec 2>&1",
            "iolite passthrough 00:07.0; echo pinned: $?",
            "iolite passthrough 00:02.0; echo held: $?",
            "iolite pci bind 00:02.0 > /dev/null; iolite doctor; echo doctor: $?",
            "iolite pci unbind 00:02.0; echo back: $?",
            "ls /sys/bus/pci/drivers/vfio-pci | grep : ; echo left: 0");

    assertThat(before(output, "pinned: 3"))
        .contains("VFIO_DEVICE_BIND_IOMMUFD", "EINVAL")
        .contains("always reaches 0x00000000000f0000-0x00000000000fffff one to one");
    assertThat(before(output, "held: 3"))
        .contains("ENODEV", "of BAR0 as 'PNP0C02:00'")
        .contains("Next: the firmware declares that range as its own");
    assertThat(before(output, "doctor: 1"))
        .containsPattern("dma-buf export +missing")
        .contains("'PNP0C02:00'");
    before(output, "back: 0");
    assertThat(before(output, "left: 0")).isEmpty();
  }

  /** fs/namei.c:may_open_dev; security/device_cgroup.c; fs/namei.c:generic_permission. */
  @Test
  void whyEvenRootMayNotOpenADeviceIsSaid() throws IOException, InterruptedException {
    String output =
        exec(
            "standard",
            "exec 2>&1",
            "mkdir /nodev /devices",
            "mount -t devtmpfs -o nodev dev /nodev || exit 99",
            "unshare -m sh -c 'mount --bind /nodev /dev; iolite iommu info 00:02.0';"
                + " echo nodev: $?",
            "mount -t cgroup -o devices cgroup /devices || exit 98",
            "mkdir /devices/without",
            "echo c 10:* rwm > /devices/without/devices.deny || exit 97",
            "sh -c 'echo $$ > /devices/without/cgroup.procs; iolite kvm info'; echo cgroup: $?",
            "su user -c 'unshare -U -r iolite kvm info'; echo user: $?");

    assertThat(before(output, "nodev: 3"))
        .contains("/dev/vfio/devices/vfio0", "EACCES", "is mounted nodev", "mount -o remount,dev");
    assertThat(before(output, "cgroup: 3"))
        .contains("/dev/kvm: EPERM", "the device cgroup of this container or unit does not allow");
    assertThat(before(output, "user: 3"))
        .contains("/dev/kvm: EACCES", "root of this user namespace")
        .contains("podman run --group-add keep-groups");
  }

  @Test
  void anotherMachineIsNotKnown() throws IOException, InterruptedException {
    LabScript.Result run = LabScript.run("run", "--as-built", "--machine", "pdp11", "pci", "list");
    assertThat(run.exitCode()).isEqualTo(125);
    assertThat(run.output())
        .contains(
            "There is no machine 'pdp11'; there are: standard sriov noiommu noremap firmware"
                + " nested");
  }
}
