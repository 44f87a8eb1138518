package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.DeviceFaultException;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_pci_hot_reset;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The points at which a device's dma-bufs are revoked. Whether one reaches the device is seen by
 * the DMA of an edu, through the address space that both are attached to.
 */
class RevocationTest {
  private static final String TDISP = "0000:00:07.0";
  private static final String EDU = "0000:00:02.0";
  private static final long IOVA = 0x800_0000;
  private static final long BYTES = 0x4000;
  private static final PciRegion BAR = PciRegion.BAR2;
  private static final long BUFFER = 0x4_0000;
  private static final int PM_CTRL = 0x64;
  private static final int EXP_DEVCTL = 0x88;

  private final MockKernel kernel = MockKernel.plain();
  private final VfioUser user = new VfioUser(kernel, TDISP);
  private final VfioUser edu = new VfioUser(kernel, EDU);
  private final DeviceMemory engine = edu.push(edu.device().region(PciRegion.BAR0).map());
  private final DeviceMemory bar = user.push(user.device().region(BAR).map());
  private final DmaBuf buffer = user.push(export());

  private DmaBuf export() {
    return user.device().exportDmaBuf(BAR, List.of(new ByteRange(0, BYTES)), Libc.O_RDWR());
  }

  @AfterEach
  void close() {
    edu.close();
    user.close();
  }

  private IovaMapping map() {
    return edu.ioas().mapFile(IOVA, buffer.fd(), 0, BYTES, IovaAccess.READ_WRITE);
  }

  /** Whether edu's DMA reaches the BAR. */
  private boolean isReached() {
    if (!user.device().config().hasMemoryDecode()) {
      return false;
    }
    user.device().region(BAR).write32(0, 0x600d);
    dma(IOVA, BUFFER, 1);
    MemorySegment seen = MemorySegment.ofArray(new byte[4]);
    return copyOut(seen) && seen.get(ValueLayout.JAVA_INT_UNALIGNED, 0) == 0x600d;
  }

  private boolean copyOut(MemorySegment into) {
    try (VfioUser.Window window = edu.window(0x10_0000, 0x1000)) {
      dma(BUFFER, 0x10_0000, 3);
      into.copyFrom(window.memory().asSlice(0, into.byteSize()));
      return true;
    }
  }

  private void dma(long from, long to, int command) {
    engine.write64(0x80, from);
    engine.write64(0x88, to);
    engine.write64(0x90, 4);
    engine.write64(0x98, command);
  }

  private void assertRefused(Errno errno) {
    assertThatThrownBy(this::map)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  /** What is revoked and brought back: the old mapping is dead, a new one works. */
  private void assertRevokedOnce(Runnable revoke) {
    IovaMapping mapping = map();
    assertThat(isReached()).isTrue();
    revoke.run();
    user.device().config().setMemoryDecode(true);
    assertThat(isReached()).as("it does not come back by itself").isFalse();
    mapping.close();
    IovaMapping again = map();
    assertThat(isReached()).isTrue();
    again.close();
  }

  @Test
  void itSaysWhatItIs() {
    assertThat(buffer)
        .hasToString("dma-buf " + buffer.fd().number() + " (0000:00:07.0 BAR2 0x0+0x4000)");
  }

  @Test
  void byMemoryDecode() {
    IovaMapping mapping = map();
    user.device().config().setMemoryDecode(false);
    assertThatThrownBy(() -> bar.read32(0)).isInstanceOf(DeviceFaultException.class);
    mapping.close();
    assertRefused(Errno.ENODEV);
    assertRevokedOnceAfter();
  }

  private void assertRevokedOnceAfter() {
    user.device().config().setMemoryDecode(true);
    assertRevokedOnce(() -> user.device().config().setMemoryDecode(false));
    bar.read32(0);
  }

  @Test
  void byReset() {
    assertRevokedOnce(() -> user.device().reset());
  }

  @Test
  void byFunctionLevelReset() {
    assertRevokedOnce(() -> {
      user.device().region(PciRegion.CONFIG).write16(EXP_DEVCTL, (short) 0x8000);
      assertThat(user.device().region(PciRegion.CONFIG).read16(EXP_DEVCTL)).isZero();
    });
  }

  @Test
  void byD3hot() {
    assertRevokedOnce(() -> {
      user.device().region(PciRegion.CONFIG).write16(PM_CTRL, (short) 3);
      assertThatThrownBy(() -> bar.read32(0)).isInstanceOf(DeviceFaultException.class);
      user.device().region(PciRegion.CONFIG).write16(PM_CTRL, (short) 0);
    });
  }

  @Test
  void byLowPower() {
    int set = Vfio.VFIO_DEVICE_FEATURE_SET();
    assertRevokedOnce(() -> {
      assertThat(feature(set | Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY())).isZero();
      assertThatThrownBy(() -> bar.read32(0)).isInstanceOf(DeviceFaultException.class);
      assertThat(feature(set | Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY()))
          .isEqualTo(Errno.EINVAL.negated());
      assertThat(feature(set | Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_EXIT())).isZero();
    });
    bar.read32(0);
  }

  /** vfio_pci_core_runtime_suspend. */
  @Test
  void aDeviceThatSleptIsInD0() {
    Region config = user.device().region(PciRegion.CONFIG);
    config.write16(PM_CTRL, (short) 3);
    assertThat(user.device().lowPower().enter()).isTrue();
    assertThat(config.read16(PM_CTRL) & 3).isZero();
    assertThat(user.device().lowPower().leave()).isTrue();
    bar.read32(0);
  }

  /** drivers/pci/pci-sysfs.c:reset_store: pm_runtime_get_sync. */
  @Test
  void aResetOfASleepingDeviceWakesIt() {
    EventFd event = user.push(EventFd.create(kernel));
    assertThat(user.device().lowPower().enter(event)).isTrue();
    new SysFs(kernel).write("/sys/bus/pci/devices/" + TDISP + "/reset", "1");
    assertThat(event.await(Duration.ZERO)).isEqualTo(1);
  }

  private int feature(int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment feature = arena.allocate(vfio_device_feature.sizeof(), 8);
      vfio_device_feature.argsz(feature, (int) feature.byteSize());
      vfio_device_feature.flags(feature, flags);
      return kernel.ioctl(
          user.device().fd().number(), Vfio.VFIO_DEVICE_FEATURE(), feature.address());
    }
  }

  @Test
  void byATest() {
    assertRevokedOnce(() -> assertThat(kernel.device(TDISP).revoke()).isTrue());
    assertThat(kernel.device("0000:00:00.0").revoke()).isFalse();
  }

  @Test
  void forEverByClosingTheDevice() {
    IovaMapping mapping = map();
    bar.close();
    user.device().close();
    mapping.close();
    assertRefused(Errno.ENODEV);
    assertThat(user.pci().driver()).contains("vfio-pci");
  }

  @Test
  void aDeviceDoesNotReachItselfByDma() {
    DmaBuf own =
        edu.push(
            edu.device()
                .exportDmaBuf(PciRegion.BAR0, List.of(new ByteRange(0, 0x1000)), Libc.O_RDWR()));
    edu.push(edu.ioas().mapFile(IOVA, own.fd(), 0, 0x1000, IovaAccess.READ_WRITE));
    engine.write32(4, 0);
    dma(BUFFER, IOVA + 4, 3);
    dma(BUFFER, IOVA + 0x98, 3);
    assertThat(engine.read32(4)).isEqualTo(-1);
  }

  @Test
  void notByBusMastering() {
    IovaMapping mapping = map();
    user.device().config().setBusMaster(false);
    assertThat(isReached()).isTrue();
    mapping.close();
  }

  @Test
  void byAHotReset() {
    MockKernel grouped = MockKernel.plain();
    try (VfioUser rng = new VfioUser(grouped, "0000:01:02.0")) {
      rng.device().close();
      try (VfioUser first = new VfioUser(grouped, "0000:01:01.0");
          DmaBuf part =
              first
                  .device()
                  .exportDmaBuf(PciRegion.BAR0, List.of(new ByteRange(0, 0x1000)), Libc.O_RDWR());
          Arena arena = Arena.ofConfined()) {
        IovaMapping mapping =
            first.ioas().mapFile(IOVA, part.fd(), 0, 0x1000, IovaAccess.READ_WRITE);
        MemorySegment reset = arena.allocate(vfio_pci_hot_reset.sizeof(), 8);
        vfio_pci_hot_reset.argsz(reset, (int) reset.byteSize());
        assertThat(
                grouped.ioctl(
                    first.device().fd().number(),
                    Vfio.VFIO_DEVICE_PCI_HOT_RESET(),
                    reset.address()))
            .isZero();
        first.device().region(PciRegion.BAR0).write32(4, 5);
        assertThat(first.device().region(PciRegion.BAR0).read32(4)).isEqualTo(~5);
        mapping.close();
        first.ioas().mapFile(IOVA, part.fd(), 0, 0x1000, IovaAccess.READ_WRITE).close();
      }
    }
  }
}
