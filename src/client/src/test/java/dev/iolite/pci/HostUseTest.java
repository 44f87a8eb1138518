package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a host uses of a function, on made-up trees: the lab's kernel has no file system on disk.
 */
class HostUseTest {
  private static final PciAddress ADDRESS = PciAddress.parse("0000:00:03.0");
  private static final String FUNCTION = "pci0000:00/0000:00:03.0";
  private static final String OTHER_FUNCTION = "pci0000:00/0000:00:04.0";

  @TempDir private Path root;
  private Path unbind;

  @BeforeEach
  void makeFunction() throws IOException {
    Path function = Files.createDirectories(root.resolve("sys/devices").resolve(FUNCTION));
    link("sys/bus/pci/devices/" + ADDRESS, function);
    Path driver = Files.createDirectories(root.resolve("sys/bus/pci/drivers/host"));
    unbind = write("sys/bus/pci/drivers/host/unbind", "");
    link("sys/devices/" + FUNCTION + "/driver", driver);
    Path group = root.resolve("sys/kernel/iommu_groups/7");
    Files.createDirectories(group.resolve("devices"));
    link("sys/devices/" + FUNCTION + "/iommu_group", group);
    write("sys/devices/" + FUNCTION + "/driver_override", "(null)\n");
    Files.createDirectories(root.resolve("sys/bus/pci/drivers/vfio-pci"));
    mounts("22 1 0:21 / /sys rw,nosuid - sysfs sysfs rw");
    swaps("");
  }

  @Test
  void isNothingWithoutADisk() throws IOException {
    Files.createDirectories(root.resolve("sys/class"));
    disk("virtual/block", "loop0", "7:0");
    mounts("29 1 7:0 / / rw - ext4 /dev/root rw");

    assertThat(device().hostUses()).isEmpty();
  }

  @Test
  void isADiskThatSomethingClaimsThatNoTableNames() throws IOException {
    disk(FUNCTION + "/ata1", "sda", "8:0");
    Kernel claiming =
        new TreeKernel(root) {
          @Override
          public int open(String path, int flags) {
            boolean exclusive = (flags & Libc.O_EXCL()) != 0;
            return exclusive && path.equals("/dev/sda")
                ? Errno.EBUSY.negated()
                : super.open(path, flags);
          }
        };
    assertThat(new Pci(claiming).device(ADDRESS).hostUses())
        .singleElement()
        .satisfies(use -> assertThat(use.what()).contains("sda is claimed"));
    assertThat(device().hostUses()).isEmpty();
  }

  @Test
  void isNotADiskThatNobodyUses() throws IOException {
    disk(FUNCTION + "/nvme/nvme0", "nvme0n1", "259:0");
    disk(FUNCTION + "/nvme/nvme0/nvme0n1", "nvme0n1p1", "259:1");
    disk(OTHER_FUNCTION + "/nvme/nvme1", "nvme0n10", "259:10");
    mounts("29 1 259:10 / / rw - ext4 /dev/nvme0n10 rw");
    swaps("/dev/nvme0n10p2 partition 8 0 -2\n");

    assertThat(device().hostUses()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "nvme/nvme0, nvme0n1",
    "ata1/host0/target0:0:0/0:0:0:0/block, sda",
    "virtio1/block, vda",
    "0000:01:00.0/cciss, cciss!c0d0"
  })
  void isAMountedDiskOrPartition(String parent, String name) throws IOException {
    disk(FUNCTION + "/" + parent, name, "8:0");
    mounts("29 1 8:0 /sub /mnt rw - ext4 /dev/root rw", "30 1 8:0 / /again rw - ext4 /dev/root rw");
    String node = name.replace('!', '/');
    assertThat(device().hostUses())
        .containsExactly(
            new HostUse(name + " is mounted at /mnt", "umount --all-targets /dev/" + node));

    disk(FUNCTION + "/" + parent + "/" + name, name + "p2", "8:2");
    mounts("29 1 8:2 / / rw shared:1 - ext4 /dev/disk/by-uuid/1234 rw");
    assertThat(device().hostUses())
        .containsExactly(
            new HostUse(name + "p2 is mounted at /", "umount --all-targets /dev/" + node + "p2"));
  }

  @Test
  void isSwap() throws IOException {
    disk(FUNCTION + "/nvme/nvme0", "nvme0n1", "259:0");
    disk(FUNCTION + "/nvme/nvme0/nvme0n1", "nvme0n1p3", "259:3");
    swaps("/swapfile file 8 0 -2\n/dev/nvme0n1p3 partition 8 0 -3\n");

    assertThat(device().hostUses())
        .containsExactly(new HostUse("nvme0n1p3 is swap", "swapoff /dev/nvme0n1p3"));
  }

  @Test
  void isPartOfSomethingElse() throws IOException {
    disk(FUNCTION + "/ata1/block", "sda", "8:0");
    disk(FUNCTION + "/ata1/block/sda", "sda1", "8:1");
    write("sys/devices/" + FUNCTION + "/ata1/block/sda/sda1/holders/dm-0", "");

    assertThat(device().hostUses())
        .extracting(HostUse::what)
        .containsExactly("sda1 is part of dm-0");
  }

  @Test
  void isPartOfABtrfsThatIsMountedByTheNameOfAnotherDisk() throws IOException {
    disk(FUNCTION + "/ata1/block", "sda", "8:0");
    write("sys/fs/btrfs/features/raid1c34", "");
    write("sys/fs/btrfs/1234-abcd/devices/sda", "");
    mounts("29 1 0:30 / /data rw - btrfs /dev/sdb rw");

    assertThat(device().hostUses())
        .containsExactly(
            new HostUse(
                "sda is part of a mounted btrfs",
                "umount it; findmnt --source UUID=1234-abcd shows where it is"));
  }

  @Test
  void isAnNvmeDiskThatTheFunctionIsOneOfSeveralPathsTo() throws IOException {
    disk(FUNCTION + "/nvme/nvme4", "nvme2c4n1", "");
    disk("virtual/nvme-subsystem/nvme-subsys2", "nvme2n1", "259:0");
    disk("virtual/nvme-subsystem/nvme-subsys2/nvme2n1", "nvme2n1p1", "259:1");
    assertThat(device().hostUses()).isEmpty();

    mounts("29 1 259:1 / /home rw - xfs /dev/mapper/home rw");
    assertThat(device().hostUses())
        .extracting(HostUse::what)
        .containsExactly("nvme2n1p1 is mounted at /home");
  }

  @ParameterizedTest
  @ValueSource(strings = {"up", "unknown", "dormant", "testing"})
  void isANetworkInterfaceThatIsUp(String state) throws IOException {
    network(FUNCTION + "/virtio2/net", "enp0s3", state);
    network(OTHER_FUNCTION + "/net", "enp0s4", "up");
    write("sys/class/net/bonding_masters", "bond0\n");

    assertThat(device().hostUses())
        .containsExactly(new HostUse("network interface enp0s3 is up", "ip link set enp0s3 down"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"down", "lowerlayerdown", "notpresent"})
  void isNotANetworkInterfaceThatIsDown(String state) throws IOException {
    network(FUNCTION + "/net", "enp0s3", state);

    assertThat(device().hostUses()).isEmpty();
  }

  @Test
  void isNotTakenAwayByABindOrAnUnbind() throws IOException {
    disk(FUNCTION + "/nvme/nvme0", "nvme0n1", "259:0");
    mounts("29 1 259:0 / / rw - ext4 /dev/root rw");
    network(FUNCTION + "/net", "enp0s3", "up");

    assertThatThrownBy(() -> DriverBinding.bind(device(), "vfio-pci"))
        .isInstanceOf(PreconditionException.class)
        .hasMessage(
            "bind 0000:00:03.0 to vfio-pci: nvme0n1 is mounted at /, network interface enp0s3 is"
                + " up. Usual cause: this host uses the device itself. Next: umount --all-targets"
                + " /dev/nvme0n1; ip link set enp0s3 down");
    assertThatThrownBy(() -> DriverBinding.giveBack(device()))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("nvme0n1 is mounted at /");

    assertThat(unbind).isEmptyFile();
    assertThat(device().driver()).contains("host");
    assertThat(device().driverOverride()).isEmpty();
  }

  private PciDevice device() {
    return new Pci(new TreeKernel(root)).device(ADDRESS);
  }

  /** A disk below a device; one without a number is hidden, as the paths to an NVMe disk are. */
  private void disk(String parent, String name, String number) throws IOException {
    Path disk = Files.createDirectories(root.resolve("sys/devices/" + parent).resolve(name));
    Files.createDirectories(disk.resolve("holders"));
    if (!number.isEmpty()) {
      Files.writeString(disk.resolve("dev"), number + "\n");
    }
    link("sys/class/block/" + name, disk);
  }

  private void network(String parent, String name, String state) throws IOException {
    String directory = "sys/devices/" + parent + "/" + name;
    write(directory + "/operstate", state + "\n");
    link("sys/class/net/" + name, root.resolve(directory));
  }

  private void mounts(String... lines) throws IOException {
    write("proc/self/mountinfo", String.join("\n", lines) + "\n");
  }

  private void swaps(String lines) throws IOException {
    write("proc/swaps", "Filename Type Size Used Priority\n" + lines);
  }

  /** A link as sysfs makes it: relative. */
  private void link(String name, Path target) throws IOException {
    Path link = root.resolve(name);
    Path directory = Files.createDirectories(link.resolve("..").normalize());
    Files.createSymbolicLink(link, directory.relativize(target));
  }

  private Path write(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, text);
  }
}
