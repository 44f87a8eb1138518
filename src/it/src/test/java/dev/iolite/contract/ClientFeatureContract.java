package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.DmaLogging;
import dev.iolite.vfio.FeatureSupport;
import dev.iolite.vfio.GfxPlane;
import dev.iolite.vfio.IoEventFd;
import dev.iolite.vfio.LowPower;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import dev.iolite.vfio.VfioDevice;
import dev.iolite.vfio.VfioFeature;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Features, PASIDs and eventfds for writes, through the client's classes. */
abstract class ClientFeatureContract extends ClientContract {
  private static final long INVERTER = 0x04;

  ClientFeatureContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @Test
  void aDeviceMaySleepOnceUntilItIsToldToStayAwake() {
    // vfio_pci_core.c:vfio_pci_runtime_pm_entry
    LowPower power = bound(client()).lowPower();
    assertThat(power.enter()).isTrue();
    refuses(Errno.EINVAL, power::enter);
    assertThat(power.leave()).isTrue();
    assertThat(power.enter()).isTrue();
    assertThat(power.leave()).isTrue();
  }

  @Test
  void aCallWakesADeviceAndTheSignalSaysSo() {
    // vfio_pci_core.c:vfio_pci_core_runtime_resume
    Iommufd client = client();
    BoundVfioDevice device = enabled(client);
    LowPower power = device.lowPower();
    EventFd wakeup = event();
    assertThat(power.enter(wakeup)).isTrue();
    awaitSignal(wakeup, device::info);
    assertThat(power.enter()).as("it was awake").isTrue();
    assertThat(power.leave()).isTrue();
  }

  @Test
  void aDmaBufComesBackWhenItsDeviceIsToldToStayAwakeNotWhenItWakes() {
    // vfio_pci_core.c:vfio_pci_core_runtime_resume, vfio_pci_core_pm_exit
    Iommufd client = client();
    BoundVfioDevice device = enabled(client);
    Ioas ioas = push(client.allocIoas());
    DmaBuf buffer =
        push(device.exportDmaBuf(PciRegion.BAR0, List.of(new ByteRange(0, PAGE)), Libc.O_RDWR()));
    EventFd wakeup = event();
    assertThat(device.lowPower().enter(wakeup)).isTrue();
    awaitSignal(wakeup, device::info);
    refuses(
        Errno.ENODEV, () -> ioas.mapFile(0, buffer.fd(), 0, PAGE, IovaAccess.READ_WRITE).close());
    assertThat(device.lowPower().leave()).isTrue();
    push(ioas.mapFile(0, buffer.fd(), 0, PAGE, IovaAccess.READ_WRITE));
  }

  /** The kernel suspends the device some time after a call, and the next call wakes it. */
  private static void awaitSignal(EventFd wakeup, Runnable call) {
    long deadline = System.nanoTime() + SOON.toNanos();
    do {
      assertThat(System.nanoTime()).as("the device is suspended").isLessThan(deadline);
      call.run();
    } while (wakeup.await(Duration.ofMillis(10)) == 0);
  }

  @Test
  void aDeviceIsBoundOnce() {
    VfioDevice device = unbound();
    Iommufd client = client();
    push(device.bind(client));
    assertThatThrownBy(() -> device.bind(client))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("has been bound");
  }

  @Test
  void aDeviceWithoutVirtualFunctionsTakesNoToken() {
    // vfio_pci_core.c:vfio_pci_core_feature_token
    assertThat(bound(client()).features().setVfToken(new UUID(1, 2))).isFalse();
  }

  @Test
  void vfioPciAloneMigratesNothing() {
    // vfio_main.c:vfio_ioctl_device_feature: mig_ops, log_ops
    BoundVfioDevice device = bound(client());
    assertThat(device.migration()).isEmpty();
    assertThat(device.features().probe(VfioFeature.MIG_PRECOPY_INFO_V2))
        .isEqualTo(FeatureSupport.NOT_SUPPORTED);
    DmaLogging logging = device.dmaLogging();
    assertThat(logging.start(List.of(new IovaRange(0, PAGE - 1)), PAGE)).isEmpty();
    assertThat(logging.stop()).isFalse();
    assertThat(logging.report(push(new DirtyBitmap(0, PAGE, PAGE)))).isFalse();
  }

  @Test
  void vfioPciShowsNothing() {
    // vfio_pci_core.c:vfio_pci_core_ioctl: default
    BoundVfioDevice device = bound(client());
    refuses(Errno.ENOTTY, () -> device.gfxPlanes().supports(GfxPlane.Source.REGION));
    refuses(
        Errno.ENOTTY,
        () -> device.gfxPlanes().query(GfxPlane.Type.PRIMARY, GfxPlane.Source.DMA_BUF));
    refuses(Errno.ENOTTY, () -> device.gfxPlanes().dmaBuf(1));
  }

  @Test
  void aDeviceWithoutPasidsIsNotAttachedByOne() {
    // drivers/iommu/iommufd/device.c:iommufd_device_attach
    Iommufd client = client();
    BoundVfioDevice device = bound(client);
    Ioas ioas = push(client.allocIoas());
    refuses(Errno.EINVAL, () -> device.attachPasid(1, ioas.id()));
    device.detachPasid(1);
  }

  @Test
  void pasidsBeginWith1() {
    // include/linux/iommu.h:IOMMU_NO_PASID is 0: the kernel would attach the device itself
    Iommufd client = client();
    BoundVfioDevice device = bound(client);
    Ioas ioas = push(client.allocIoas());
    for (int none : new int[] {0, -1}) {
      assertThatThrownBy(() -> device.attachPasid(none, ioas.id()))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> device.detachPasid(none))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void anEventfdWritesARegister() {
    // vfio_pci_rdwr.c:vfio_pci_ioeventfd
    Region bar = enabled(client()).region(PciRegion.BAR0);
    EventFd event = event();
    IoEventFd write = push(bar.connectWrite(INVERTER, 4, 0x1234_5678, event));
    refuses(Errno.EEXIST, () -> bar.connectWrite(INVERTER, 4, 0x1234_5678, event()));
    event.signal(1);
    long deadline = System.nanoTime() + SOON.toNanos();
    while (bar.read32(INVERTER) != ~0x1234_5678) {
      assertThat(System.nanoTime()).as("the write comes").isLessThan(deadline);
      LockSupport.parkNanos(Duration.ofMillis(1).toNanos());
    }
    write.close();
    push(bar.connectWrite(INVERTER, 4, 0x1234_5678, event()));
  }

  @Test
  void anUnboundDeviceTakesNoTokenItDoesNotNeed() {
    // vfio_pci_core.c:vfio_pci_core_match_token_uuid
    refuses(Errno.EINVAL, () -> unbound().bind(client(), Optional.of(new UUID(1, 2))));
  }
}
