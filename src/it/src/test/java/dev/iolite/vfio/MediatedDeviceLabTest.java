package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Devices that a driver of the lab's kernel makes up: mtty, a serial port that migrates, and mdpy,
 * a display (samples/vfio-mdev).
 */
@Tag("lab")
class MediatedDeviceLabTest {
  private static final Kernel KERNEL = new HostKernel();
  private static final long PAGE = 4096;
  private static final long SCRATCH = 7;
  private static final int MOST_STATE = 4096;

  private final SysFs sysfs = new SysFs(KERNEL);
  private final CloseStack opened = new CloseStack();
  private final Arena arena = opened.push(Arena.ofConfined());
  private final Iommufd iommufd = opened.push(Iommufd.open(KERNEL));

  @AfterEach
  void close() {
    opened.close();
  }

  private BoundVfioDevice device(String driver, String type) {
    String uuid = UUID.randomUUID().toString();
    sysfs.write(
        "/sys/devices/virtual/%s/%s/mdev_supported_types/%s/create".formatted(driver, driver, type),
        uuid);
    String device = "/sys/bus/mdev/devices/" + uuid;
    opened.push((AutoCloseable) () -> sysfs.write(device + "/remove", "1"));
    String node = "/dev/vfio/devices/" + sysfs.list(device + "/vfio-dev").getFirst();
    return opened.push(opened.push(VfioDevice.open(KERNEL, node, uuid)).bind(iommufd));
  }

  private static Region port(BoundVfioDevice device) {
    return device.region(PciRegion.BAR0);
  }

  private static void refuses(Errno errno, ThrowingCallable call) {
    assertThatExceptionOfType(KernelException.class)
        .isThrownBy(call)
        .extracting(KernelException::errno)
        .isEqualTo(errno);
  }

  @Test
  void aSerialPortMigrates() {
    BoundVfioDevice from = device("mtty", "mtty-1");
    BoundVfioDevice to = device("mtty", "mtty-1");
    port(from).write8(SCRATCH, (byte) 0x5a);
    Migration source = from.migration().orElseThrow();
    Migration target = to.migration().orElseThrow();
    assertThat(source.abilities()).containsExactly(MigrationAbility.values());
    assertThat(source.state()).isEqualTo(MigrationState.RUNNING);
    assertThat(source.stopCopyBytes()).isPositive();
    refuses(Errno.EINVAL, () -> source.setState(MigrationState.ERROR));

    MigrationReader reader =
        opened.push((MigrationReader) source.setState(MigrationState.PRE_COPY).orElseThrow());
    assertThat(reader.precopyInfo().initialBytes()).isPositive();
    MemorySegment state = arena.allocate(MOST_STATE, 8);
    long bytes = reader.read(state);
    assertThat(bytes).isPositive();
    assertThat(reader.precopyInfo()).isEqualTo(new PrecopyInfo(0, 0, false));
    assertThat(source.setState(MigrationState.STOP_COPY)).isEmpty();
    refuses(Errno.EINVAL, reader::precopyInfo);
    for (long read = reader.read(state.asSlice(bytes));
        read != MigrationReader.END;
        read = reader.read(state.asSlice(bytes))) {
      bytes += read;
    }
    source.setState(MigrationState.STOP);
    refuses(Errno.ENODEV, () -> reader.read(state));

    MigrationWriter writer =
        opened.push((MigrationWriter) target.setState(MigrationState.RESUMING).orElseThrow());
    writer.write(state.asSlice(0, 8));
    writer.write(state.asSlice(8, bytes - 8));
    assertThat(target.setState(MigrationState.RUNNING)).isEmpty();
    refuses(Errno.ENODEV, () -> writer.write(state.asSlice(0, 8)));
    assertThat(target.state()).isEqualTo(MigrationState.RUNNING);
    assertThat(port(to).read8(SCRATCH)).isEqualTo((byte) 0x5a);
  }

  @Test
  void halfAStateIsNoState() {
    Migration migration = device("mtty", "mtty-1").migration().orElseThrow();
    MigrationStream writer = migration.setState(MigrationState.RESUMING).orElseThrow();
    refuses(Errno.EINVAL, () -> migration.setState(MigrationState.RUNNING));
    assertThat(migration.state()).isEqualTo(MigrationState.RESUMING);
    writer.close();
  }

  @Test
  void aDriverWithPreCopyTakesTheSecondFormOfItsInformation() {
    BoundVfioDevice port = device("mtty", "mtty-2");
    assertThat(port.migration().orElseThrow().enablePrecopyInfoV2()).isTrue();
  }

  @Test
  void aDeviceWithoutDmaLogsNothing() {
    // samples/vfio-mdev/mtty.c:mtty_log_start; vfio_main.c:vfio_ioctl_device_feature_logging_start
    DmaLogging log = device("mtty", "mtty-1").dmaLogging();
    IovaRange pages = IovaRange.of(0x10_0000, 4 * PAGE);
    refuses(Errno.EINVAL, () -> log.start(List.of(), PAGE));
    refuses(Errno.EINVAL, () -> log.start(List.of(pages, IovaRange.of(0x10_1000, PAGE)), PAGE));
    refuses(Errno.EINVAL, () -> log.start(List.of(IovaRange.of(0x10_0800, PAGE)), PAGE));
    refuses(Errno.EOVERFLOW, () -> log.start(List.of(IovaRange.of(-PAGE, PAGE)), PAGE));
    refuses(Errno.E2BIG, () -> log.start(Collections.nCopies(257, pages), PAGE));
    assertThat(log.start(List.of(pages), PAGE)).hasValue(PAGE);
    try (DirtyBitmap dirty = new DirtyBitmap(pages.first(), pages.bytes(), PAGE);
        DirtyBitmap small = new DirtyBitmap(pages.first(), PAGE, 1024)) {
      assertThat(log.report(dirty)).isTrue();
      assertThat(dirty.count()).isZero();
      refuses(Errno.EINVAL, () -> log.report(small));
    }
    assertThat(log.stop()).isTrue();
  }

  @Test
  void aDisplayShowsItsPlaneInARegion() {
    BoundVfioDevice display = device("mdpy", "mdpy-vga");
    assertThat(display.migration()).isEmpty();
    GfxPlanes planes = display.gfxPlanes();
    assertThat(planes.supports(GfxPlane.Source.REGION)).isTrue();
    assertThat(planes.supports(GfxPlane.Source.DMA_BUF)).isFalse();
    GfxPlane screen = planes.query(GfxPlane.Type.PRIMARY, GfxPlane.Source.REGION);
    assertThat(screen.width()).isEqualTo(640);
    assertThat(screen.height()).isEqualTo(480);
    assertThat(screen.stride()).isEqualTo(640 * 4);
    assertThat(display.regionInfo(screen.source()).orElseThrow().bytes()).isEqualTo(screen.bytes());
    refuses(Errno.EINVAL, () -> planes.query(GfxPlane.Type.PRIMARY, GfxPlane.Source.DMA_BUF));
  }
}
