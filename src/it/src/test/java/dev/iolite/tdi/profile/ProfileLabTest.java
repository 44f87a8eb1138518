package dev.iolite.tdi.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.iolite.iommufd.Hwpt;
import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.ViommuType;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.VmLaunch;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.VfioDevice;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a real 7.3 says to the probe, and to what it does not have. */
@Tag("lab")
class ProfileLabTest {
  private final Kernel kernel = new HostKernel();
  private final CloseStack open = new CloseStack();
  private final PciDevice edu =
      open.push(
              DriverBinding.bind(
                  new Pci(kernel).device(PciAddress.parse("0000:00:02.0")), "vfio-pci"))
          .device();
  private final Iommufd iommufd = open.push(Iommufd.open(kernel));
  private final BoundVfioDevice device = open.push(bound());

  private BoundVfioDevice bound() {
    try (VfioDevice cdev = VfioDevice.open(kernel, edu.requireVfioCdev(), "edu")) {
      return cdev.bind(iommufd);
    }
  }

  @AfterEach
  void close() {
    open.close();
  }

  @Test
  @Tag("stock")
  void itIsMainline() {
    ProfileProbe.Found found = ProfileProbe.probe(iommufd, device);
    assertThat(found.profile()).isEqualTo(Profile.MAINLINE_7_3);
    assertThat(found.calls())
        .containsExactly(
            "iommufd 0x3b99 of 0 bytes: ENOTTY",
            "iommufd 0x3b97 of 0 bytes: ENOTTY",
            "iommufd 0x3b96 of 0 bytes: ENOTTY",
            "VFIO device 0x3b7a of 0 bytes: ENOTTY");
    assertThatThrownBy(() -> ProfileProbe.require(Profile.SEED_2025, iommufd, device))
        .isInstanceOf(PreconditionException.class);
  }

  /** The contract that the probe rests on, on commands that 7.3 has and that these can't harm. */
  @Test
  @Tag("stock")
  void theDispatcherLooksAtSizesFirst() {
    assertThat(ProfileProbe.hasCommand(iommufd, 0x3b80, 8)).as("IOMMU_DESTROY").isTrue();
    assertThat(ProfileProbe.hasCommand(iommufd, 0x3b80, 16)).isFalse();
    assertThat(ProfileProbe.hasCommand(iommufd, 0x3b90, 40)).as("IOMMU_VIOMMU_ALLOC").isTrue();
    assertThat(ProfileProbe.hasCommand(iommufd, 0x3b90, 48)).isFalse();
    assertThat(ProfileProbe.hasCommand(iommufd, 0x3b98, 16)).isFalse();
  }

  /** That is looked at before the page table, which is no nest parent here. */
  @Test
  void vtdHasNoVirtualIommu() {
    try (Ioas ioas = iommufd.allocIoas();
        Hwpt hwpt = iommufd.allocHwpt(device.deviceId(), ioas, Set.of()).orElseThrow()) {
      assertThat(iommufd.allocViommu(device.deviceId(), hwpt, ViommuType.ARM_SMMUV3)).isEmpty();
    }
  }

  @Test
  @Tag("stock")
  void thereIsNoTsm() {
    assertThat(new Tsm(kernel).names()).isEmpty();
    assertThatThrownBy(() -> new Tsm(kernel).connect(edu, "tsm0"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("the host has no TSM");
  }

  /** A scratch IOAS that no device is attached to tells whether a dma-buf is revoked now. */
  @Test
  void aRevokedDmaBufShowsInAScratchIoas() {
    var one = List.of(new ByteRange(0, 0x1000));
    var two = List.of(new ByteRange(0, 0x1000), new ByteRange(0x2000, 0x1000));
    device.config().setMemoryDecode(true);
    try (Ioas scratch = iommufd.allocIoas();
        DmaBuf single = device.exportDmaBuf(PciRegion.BAR0, one, Libc.O_RDWR());
        DmaBuf several = device.exportDmaBuf(PciRegion.BAR0, two, Libc.O_RDWR())) {
      scratch.mapFile(0, single.fd(), 0, 0x1000, IovaAccess.READ).close();
      assertThat(mapping(scratch, several)).isEqualTo(Errno.EOPNOTSUPP);
      device.config().setMemoryDecode(false);
      assertThat(mapping(scratch, single)).isEqualTo(Errno.ENODEV);
      assertThat(mapping(scratch, several)).isEqualTo(Errno.ENODEV);
      device.config().setMemoryDecode(true);
      scratch.mapFile(0, single.fd(), 0, 0x1000, IovaAccess.READ).close();
    }
  }

  private static Errno mapping(Ioas scratch, DmaBuf dmaBuf) {
    return catchThrowableOfType(
            KernelException.class,
            () -> scratch.mapFile(0, dmaBuf.fd(), 0, 0x1000, IovaAccess.READ))
        .errno();
  }

  @Test
  void requestsForPrivateMemoryCanLeaveTheGuest() {
    try (Kvm kvm = Kvm.open(kernel);
        VmLaunch launch = VmLaunch.begin(kvm, VmType.SW_PROTECTED)) {
      launch.finish();
      assertThat(launch.vm().exitOnMapGpa()).isTrue();
    }
  }
}
