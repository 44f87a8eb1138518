package dev.iolite.mock.tsm;

import static dev.iolite.mock.tsm.AssignedEndpoint.no;
import static dev.iolite.mock.tsm.AssignedEndpoint.ok;
import static dev.iolite.mock.tsm.SeedCalls.PRIVATE;
import static dev.iolite.mock.tsm.SeedCalls.SHARED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.Platform;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.uapi.vfio.Vfio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Shared and private dma-bufs, and what revokes them for good. */
class SeedDmaBufsTest {
  private static final int MEMORY = 2;
  private static final int MASTER = 4;
  private static final long BAR0_BYTES = 0x10000;
  private static final long MEMORY_BAR_BYTES = 16L << 30;

  private static AssignedEndpoint endpoint() {
    return AssignedEndpoint.on(Platform.TDX, Profile.SEED_2025);
  }

  private static AssignedEndpoint bound() {
    AssignedEndpoint made = endpoint();
    assertThat(SeedCalls.bind(made)).isZero();
    return made;
  }

  /** What ends the private side of a running interface. */
  enum End {
    UNBIND,
    STOP,
    MEMORY_OFF,
    MASTER_OFF,
    RESET,
    LINK_LOST,
    DISCONNECT,
    VDEVICE_DESTROYED;

    private void happen(AssignedEndpoint at) {
      switch (this) {
        case UNBIND -> ok(SeedCalls.unbind(at));
        case STOP -> ok(SeedCalls.setState(at, TdiState.CONFIG_UNLOCKED));
        case MEMORY_OFF -> at.command(MASTER);
        case MASTER_OFF -> at.command(MEMORY);
        case RESET -> ok(at.kernel.ioctl(at.device, Vfio.VFIO_DEVICE_RESET(), 0));
        case LINK_LOST -> at.kernel.tsm().fail(AssignedEndpoint.ADDRESS);
        case DISCONNECT -> at.disconnect();
        case VDEVICE_DESTROYED -> ok(at.destroy(at.vdevice));
      }
    }
  }

  @Test
  void theFlagsAreCheckedAndThereIsAPrivateOneOnlyAfterTheBind() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(at.export(0, 4, 0, 0x1000)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.export(0, SHARED | PRIVATE, 0, 0x1000)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.export(0, PRIVATE, 0, 0x1000)).isEqualTo(no(Errno.ENODEV));
      assertThat(SeedCalls.bind(at)).isZero();
      assertThat(at.export(0, PRIVATE, 0, 0x1000)).isNotNegative();
      assertThat(at.export(0, 0, 0, 0x1000)).isEqualTo(no(Errno.EBUSY));
      assertThat(at.export(6, PRIVATE, 0, 0x1000)).isEqualTo(no(Errno.ENODEV));
    }
  }

  @Test
  void eachCoversExactlyItsKindOfWhatWasAskedFor() {
    try (AssignedEndpoint at = bound()) {
      int shared = ok(at.export(0, SHARED, 0, BAR0_BYTES));
      assertThat(SeedCalls.runs(at, shared)).containsExactly("0x2000 0x0 0x1000");
      assertThat(at.bytes(shared)).isEqualTo(0x1000);
      int hidden = ok(at.export(0, PRIVATE, 0, BAR0_BYTES));
      assertThat(SeedCalls.runs(at, hidden))
          .containsExactly("0x0 0x0 0x2000", "0x3000 0x2000 0xd000");
      assertThat(at.bytes(hidden)).isEqualTo(0xf000);
      int parts = ok(at.export(0, PRIVATE, 0x1000, 0x2000, 0x8000, 0x1000));
      assertThat(SeedCalls.runs(at, parts))
          .containsExactly("0x1000 0x0 0x1000", "0x8000 0x1000 0x1000");
      int memory = ok(at.export(2, PRIVATE, 0, MEMORY_BAR_BYTES));
      assertThat(SeedCalls.runs(at, memory)).containsExactly("0x0 0x0 0x400000000");
      int messages = ok(at.export(4, SHARED, 0, 0x8000));
      assertThat(SeedCalls.runs(at, messages)).containsExactly("0x0 0x0 0x8000");
      int updatable = ok(at.export(0, PRIVATE, 0xc000, 0x2000));
      assertThat(SeedCalls.runs(at, updatable)).containsExactly("0xc000 0x0 0x2000");
      assertThat(at.export(4, PRIVATE, 0, 0x8000)).isEqualTo(no(Errno.EINVAL));
      assertThat(at.export(2, SHARED, 0, MEMORY_BAR_BYTES)).isEqualTo(no(Errno.EINVAL));
    }
  }

  @Test
  void beforeTheBindEverythingIsShared() {
    try (AssignedEndpoint at = endpoint()) {
      int shared = ok(at.export(0, SHARED, 0, BAR0_BYTES));
      assertThat(SeedCalls.runs(at, shared)).containsExactly("0x0 0x0 0x10000");
    }
  }

  @Test
  void theListOfRunsSaysHowManyThereAreIfTheRoomIsTooSmall() {
    try (AssignedEndpoint at = bound()) {
      int hidden = ok(at.export(0, PRIVATE, 0, BAR0_BYTES));
      MemorySegment get = SeedCalls.getRuns(at, 1);
      long request = TsmSeed2025.VFIO_DMA_BUF_GET_RUNS();
      assertThat(at.ioctl(hidden, request, get)).isEqualTo(no(Errno.EMSGSIZE));
      assertThat(vfio_dma_buf_get_runs.nr_runs(get)).isEqualTo(2);
      vfio_dma_buf_get_runs.flags(get, 1);
      assertThat(at.ioctl(hidden, request, get)).isEqualTo(no(Errno.EINVAL));
      vfio_dma_buf_get_runs.flags(get, 0);
      vfio_dma_buf_get_runs.argsz(get, 23);
      assertThat(at.ioctl(hidden, request, get)).isEqualTo(no(Errno.EINVAL));
    }
  }

  @Test
  void anIoasTakesSharedOnesOfOneRunAndNoPrivateOnes() {
    try (AssignedEndpoint at = bound()) {
      assertThat(at.mapFile(ok(at.export(0, SHARED, 0, BAR0_BYTES)), 0x1000)).isZero();
      assertThat(at.mapFile(ok(at.export(0, PRIVATE, 0, 0x1000)), 0x1000))
          .isEqualTo(no(Errno.EOPNOTSUPP));
      int two = ok(at.export(4, SHARED, 0, 0x1000, 0x2000, 0x1000));
      assertThat(at.mapFile(two, 0x2000)).isEqualTo(no(Errno.EOPNOTSUPP));
    }
  }

  @Test
  void anIoasTakesPlainOnesOfOneRunOnly() {
    try (AssignedEndpoint at = endpoint()) {
      assertThat(at.mapFile(ok(at.export(0, 0, 0, 0x1000)), 0x1000)).isZero();
      assertThat(at.mapFile(ok(at.export(0, 0, 0, 0x1000, 0x2000, 0x1000)), 0x2000))
          .isEqualTo(no(Errno.EOPNOTSUPP));
    }
  }

  @Test
  void aDmaBufThatIsNotClosedMakesTheBindBusy() {
    try (AssignedEndpoint at = endpoint()) {
      int shared = ok(at.export(0, SHARED, 0, 0x1000));
      assertThat(SeedCalls.bind(at)).isEqualTo(no(Errno.EBUSY));
      assertThat(at.bound()).isEmpty();
      assertThat(at.mapFile(shared, 0x1000)).as("it is not revoked by that").isZero();
      assertThat(at.kernel.close(shared)).isZero();
      assertThat(SeedCalls.bind(at)).as("the IOAS has it still").isEqualTo(no(Errno.EBUSY));
    }
  }

  @Test
  void aPlainDmaBufMakesItBusyTooAndAMappedBarIsTakenAway() {
    try (AssignedEndpoint at = endpoint()) {
      int plain = ok(at.export(0, 0, 0, 0x1000));
      assertThat(SeedCalls.bind(at)).isEqualTo(no(Errno.EBUSY));
      assertThat(at.kernel.close(plain)).isZero();
      long mapped = mapBar(at);
      assertThat(mapped).isPositive();
      Registers registers = at.kernel.registers(mapped).orElseThrow();
      long read = registers.read(0, 8);
      assertThat(SeedCalls.bind(at)).isZero();
      assertThat(mapBar(at)).isEqualTo(no(Errno.EBUSY));
      assertThatThrownBy(() -> registers.read(0, 8)).isInstanceOf(InternalError.class);
      assertThat(SeedCalls.unbind(at)).isZero();
      assertThat(registers.read(0, 8)).isEqualTo(read);
    }
  }

  private static long mapBar(AssignedEndpoint at) {
    return at.kernel.mmap(
        0, 0x1000, Libc.PROT_READ() | Libc.PROT_WRITE(), Libc.MAP_SHARED(), at.device, 0);
  }

  @ParameterizedTest
  @EnumSource(End.class)
  void whatEndsThePrivateSideRevokesBothKindsForGood(End end) {
    try (AssignedEndpoint at = bound()) {
      assertThat(SeedCalls.run(at)).isZero();
      int shared = ok(at.export(0, SHARED, 0x2000, 0x1000));
      int hidden = ok(at.export(0, PRIVATE, 0, 0x1000));
      end.happen(at);
      at.command(MEMORY | MASTER);
      assertThat(at.mapFile(shared, 0x1000)).isEqualTo(no(Errno.ENODEV));
      long flags = TsmSeed2025.KVM_MEM_DMABUF() | TsmSeed2025.KVM_MEM_PRIVATE_ONLY();
      assertThat(at.slot(1, flags, 0x1000_0000, 0x1000, hidden, 0)).isEqualTo(no(Errno.ENODEV));
    }
  }

  @Test
  void revokedOnesDoNotHinderTheNextBind() {
    try (AssignedEndpoint at = bound()) {
      ok(at.export(0, SHARED, 0x2000, 0x1000));
      assertThat(SeedCalls.unbind(at)).isZero();
      assertThat(SeedCalls.bind(at)).isZero();
      assertThat(at.export(0, PRIVATE, 0, 0x1000)).isNotNegative();
    }
  }

  @Test
  void inErrorThereAreNoneToHave() {
    try (AssignedEndpoint at = bound()) {
      at.kernel.tsm().fail(AssignedEndpoint.ADDRESS);
      assertThat(at.export(0, SHARED, 0x2000, 0x1000)).isEqualTo(no(Errno.ENODEV));
      assertThat(at.export(0, PRIVATE, 0, 0x1000)).isEqualTo(no(Errno.ENODEV));
    }
  }

  @Test
  void aLockByRequestIsBusyAsTheBindIs() {
    try (AssignedEndpoint at = bound()) {
      assertThat(SeedCalls.setState(at, TdiState.CONFIG_UNLOCKED)).isZero();
      int shared = ok(at.export(0, SHARED, 0, 0x1000));
      assertThat(SeedCalls.setState(at, TdiState.CONFIG_LOCKED)).isEqualTo(no(Errno.EBUSY));
      assertThat(at.kernel.close(shared)).isZero();
      assertThat(SeedCalls.setState(at, TdiState.CONFIG_LOCKED)).isZero();
    }
  }

  @Test
  void theReportIsExact() {
    try (AssignedEndpoint at = bound()) {
      int bytes = 16 + 16 * 7 + 4;
      assertThat(SeedCalls.report(at, at.struct(bytes - 1))).isEqualTo(no(Errno.ENOSPC));
      MemorySegment report = at.struct(bytes + 8);
      assertThat(SeedCalls.report(at, report)).as("the room that is left").isEqualTo(8);
      ValueLayout.OfLong longs = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
      assertThat(report.get(ValueLayout.JAVA_SHORT, 0)).isEqualTo((short) 3);
      assertThat(report.get(ValueLayout.JAVA_INT, 12)).isEqualTo(7);
      // What the TSM has added is its affair, and the same for all.
      long offset = report.get(longs, 16) - at.bar(0) / 0x1000;
      assertThat(report.get(ValueLayout.JAVA_INT, 24)).isEqualTo(2);
      assertThat(report.get(ValueLayout.JAVA_INT, 28)).isZero();
      assertThat(report.get(longs, 32)).isEqualTo(at.bar(0) / 0x1000 + offset + 2);
      assertThat(report.get(ValueLayout.JAVA_INT, 44)).isEqualTo(4);
      int messages = 16 + 16 * 6;
      assertThat(report.get(longs, messages)).isEqualTo(at.bar(4) / 0x1000 + offset + 2);
      assertThat(report.get(ValueLayout.JAVA_INT, messages + 12)).isEqualTo((4 << 16) | 4);
      assertThat(report.get(ValueLayout.JAVA_INT, bytes - 4)).isZero();
    }
  }
}
