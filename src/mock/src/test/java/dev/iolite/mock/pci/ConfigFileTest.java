package dev.iolite.mock.pci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A function's {@code config} (drivers/pci/pci-sysfs.c, fs/kernfs/file.c). */
class ConfigFileTest {
  private static final String EDU = "/sys/bus/pci/devices/0000:00:02.0";
  private static final int BYTES = 256;
  private static final int COMMAND = 4;

  private final MockKernel kernel = MockKernel.plain();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment room = arena.allocate(2 * BYTES);
  private final int config = kernel.open(EDU + "/config", Libc.O_RDWR());

  @AfterEach
  void close() {
    kernel.close();
    arena.close();
  }

  private int read(int bytes) {
    assertThat(kernel.read(config, room.address(), bytes)).isEqualTo(bytes);
    return bytes == Short.BYTES
        ? Short.toUnsignedInt(room.get(ValueLayout.JAVA_SHORT, 0))
        : room.get(ValueLayout.JAVA_INT, 0);
  }

  @Test
  void itsPositionCountsFromTheStartFromItselfOrFromTheEnd() {
    assertThat(kernel.lseek(config, 2, Libc.SEEK_SET())).isEqualTo(2);
    assertThat(read(2)).as("the device's id").isEqualTo(0x11e8);
    assertThat(kernel.lseek(config, 0, Libc.SEEK_CUR())).isEqualTo(4);
    assertThat(kernel.lseek(config, -4, Libc.SEEK_CUR())).isZero();
    assertThat(read(2)).as("the vendor's id").isEqualTo(0x1234);
    assertThat(kernel.lseek(config, 0, Libc.SEEK_END())).isEqualTo(BYTES);
    assertThat(kernel.read(config, room.address(), 1)).isZero();
    assertThat(kernel.lseek(config, 7, Libc.SEEK_DATA())).isEqualTo(7);
    assertThat(kernel.lseek(config, 7, Libc.SEEK_HOLE())).isEqualTo(BYTES);
    assertThat(kernel.lseek(config, BYTES, Libc.SEEK_DATA())).isEqualTo(Errno.ENXIO.negated());
    assertThat(kernel.lseek(config, -1, Libc.SEEK_SET())).isEqualTo(Errno.EINVAL.negated());
    assertThat(kernel.lseek(config, 0, 5)).isEqualTo(Errno.EINVAL.negated());
  }

  @Test
  void aWriteGoesOnWhereTheLastOneEnded() {
    room.set(ValueLayout.JAVA_SHORT, 0, (short) 6);
    assertThat(kernel.lseek(config, COMMAND, Libc.SEEK_SET())).isEqualTo(COMMAND);
    assertThat(kernel.write(config, room.address(), 2)).isEqualTo(2);
    assertThat(kernel.lseek(config, 0, Libc.SEEK_CUR())).isEqualTo(COMMAND + 2);
    assertThat(kernel.pread(config, room.address(), 2, COMMAND)).isEqualTo(2);
    assertThat(room.get(ValueLayout.JAVA_SHORT, 0)).isEqualTo((short) 6);
  }

  @Test
  void anAccessOverTheEndIsCutOff() {
    assertThat(kernel.pread(config, room.address(), 8, BYTES - 3)).isEqualTo(3);
    assertThat(kernel.pread(config, room.address(), 8, BYTES)).isZero();
    assertThat(kernel.pwrite(config, room.address(), 8, BYTES - 3)).isEqualTo(3);
    assertThat(kernel.pwrite(config, room.address(), 8, BYTES)).isEqualTo(Errno.EFBIG.negated());
    assertThat(kernel.pwrite(config, 8, 8, BYTES)).isEqualTo(Errno.EFAULT.negated());
  }

  @Test
  void ofADeviceThatIsGoneItIsGone() {
    new SysFs(kernel).write(EDU + "/remove", "1");
    int gone = Errno.ENODEV.negated();
    assertThat(kernel.pread(config, room.address(), 4, 0)).isEqualTo(gone);
    assertThat(kernel.pwrite(config, room.address(), 4, 0)).isEqualTo(gone);
    assertThat(kernel.lseek(config, 0, Libc.SEEK_SET())).isEqualTo(gone);
  }
}
