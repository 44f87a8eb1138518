package dev.iolite.mock.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.EventFd;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.PciRegion;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EduTest {
  private static final Duration NOW = Duration.ZERO;
  private static final long BUFFER = 0x4_0000;
  private static final long IOVA = 0x10_0000;
  private static final int FACTORIAL = 0x08;
  private static final int STATUS = 0x20;
  private static final int IRQ_STATUS = 0x24;
  private static final int RAISE = 0x60;
  private static final int ACKNOWLEDGE = 0x64;

  private final MockKernel kernel = MockKernel.plain();
  private final VfioUser user = new VfioUser(kernel, "0000:00:02.0");
  private DeviceMemory registers;
  private EventFd event;

  @BeforeEach
  void open() {
    registers = user.push(user.device().region(PciRegion.BAR0).map());
    event = user.push(EventFd.create(kernel));
  }

  @AfterEach
  void close() {
    user.close();
  }

  private IrqSet connect(PciIrq kind) {
    IrqSet irqs = user.push(user.device().irqs(kind));
    irqs.enable(List.of(event));
    return irqs;
  }

  private void dma(long source, long destination, long bytes, long command) {
    registers.write64(0x80, source);
    registers.write64(0x88, destination);
    registers.write64(0x90, bytes);
    registers.write64(0x98, command);
  }

  @Test
  void tellsWhatItIsAndThatItLives() {
    assertThat(registers.read32(0)).isEqualTo(0x0100_00ed);
    registers.write32(4, 0x1234_5678);
    assertThat(registers.read32(4)).isEqualTo(~0x1234_5678);
  }

  @Test
  void readsAllOnesWhereItHasNoRegister() {
    assertThat(registers.read32(0x10)).isEqualTo(-1);
    assertThat(registers.read64(0)).isEqualTo(-1);
    assertThat(user.device().region(PciRegion.BAR0).read8(0)).isZero();
  }

  @Test
  void computesFactorials() {
    registers.write32(FACTORIAL, 5);
    assertThat(registers.read32(FACTORIAL)).isEqualTo(120);
    registers.write32(FACTORIAL, 0);
    assertThat(registers.read32(FACTORIAL)).isEqualTo(1);
    registers.write32(FACTORIAL, -1);
    assertThat(registers.read32(FACTORIAL)).isZero();
    assertThat(registers.read32(STATUS)).isZero();
  }

  @Test
  void interruptsAfterAFactorialIfItIsTold() {
    connect(PciIrq.MSI);
    registers.write32(FACTORIAL, 3);
    assertThat(event.await(NOW)).isZero();

    registers.write32(STATUS, 0x80);
    registers.write32(FACTORIAL, 4);

    assertThat(event.await(NOW)).isEqualTo(1);
    assertThat(registers.read32(IRQ_STATUS)).isEqualTo(1);
    registers.write32(ACKNOWLEDGE, 1);
    assertThat(registers.read32(IRQ_STATUS)).isZero();
  }

  @Test
  void sendsNoMessageWithoutBusMastering() {
    connect(PciIrq.MSI);
    user.device().config().setBusMaster(false);
    registers.write32(RAISE, 1);
    assertThat(event.await(NOW)).isZero();
  }

  @Test
  void pullsItsLineUntilItIsAcknowledged() {
    IrqSet line = connect(PciIrq.INTX);

    registers.write32(RAISE, 2);
    assertThat(event.await(NOW)).isEqualTo(1);
    line.unmask(0);
    assertThat(event.await(NOW)).as("the line is still pulled").isEqualTo(1);
    registers.write32(ACKNOWLEDGE, 2);
    line.unmask(0);
    assertThat(event.await(NOW)).isZero();
    registers.write32(RAISE, 4);
    assertThat(event.await(NOW)).isEqualTo(1);
  }

  @Test
  void copiesByDma() {
    connect(PciIrq.MSI);
    MemorySegment memory = user.memory(IOVA, 0x2000);
    memory.setString(0x100, "dma hello");

    dma(IOVA + 0x100, BUFFER + 0x20, 100, 1);
    dma(BUFFER + 0x20, IOVA + 0xfff, 100, 1 | 2 | 4);

    assertThat(memory.getString(0xfff)).isEqualTo("dma hello");
    assertThat(event.await(NOW)).isEqualTo(1);
    assertThat(registers.read32(IRQ_STATUS)).isEqualTo(0x100);
    assertThat(registers.read64(0x98) & 1).as("it is done").isZero();
  }

  @Test
  void copiesNothingUntilItIsToldToStart() {
    connect(PciIrq.MSI);
    MemorySegment memory = user.memory(IOVA, 0x1000);
    dma(BUFFER, IOVA, 8, 1 | 2);
    memory.fill((byte) 1);
    dma(BUFFER, IOVA, 8, 2 | 4);
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);
    assertThat(registers.read64(0x98)).as("the command before").isEqualTo(2);
    assertThat(event.await(NOW)).isZero();
  }

  @Test
  void refusesWhatReachesTheEndOfItsBuffer() {
    MemorySegment memory = user.memory(IOVA, 0x1000);
    memory.fill((byte) 1);

    dma(BUFFER, IOVA, 4096, 1 | 2);
    dma(BUFFER - 1, IOVA, 1, 1 | 2);
    dma(BUFFER, IOVA, -1, 1 | 2);
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);

    dma(BUFFER, IOVA, 4095, 1 | 2);
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 4094)).isZero();
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 4095)).isEqualTo((byte) 1);
  }

  @Test
  void sees28BitsOfAnAddress() {
    MemorySegment memory = user.memory(IOVA, 0x1000);
    memory.fill((byte) 1);
    dma(BUFFER, IOVA + (1L << 28), 16, 1 | 2);
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isZero();
  }

  @Test
  void readsZerosWhereTheIommuFaults() {
    MemorySegment memory = user.memory(IOVA, 0x1000);
    memory.fill((byte) 7);
    dma(IOVA, BUFFER, 2048, 1);

    // The second page is not mapped.
    dma(IOVA + 0xff0, BUFFER, 32, 1);
    dma(BUFFER, IOVA, 64, 1 | 2);

    assertThat(memory.get(ValueLayout.JAVA_BYTE, 15)).isEqualTo((byte) 7);
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 16)).isZero();
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 31)).isZero();
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 32)).isEqualTo((byte) 7);
  }

  @Test
  void makesNoDmaWithoutBusMasteringOrAttachment() {
    MemorySegment memory = user.memory(IOVA, 0x1000);
    memory.fill((byte) 1);
    user.device().config().setBusMaster(false);
    dma(BUFFER, IOVA, 16, 1 | 2);
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);

    user.device().config().setBusMaster(true);
    user.device().detach();
    dma(BUFFER, IOVA, 16, 1 | 2);
    assertThat(memory.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);
  }

  /** As mapped memory of a device is reached: the model has no way that hardware has not. */
  @Test
  void aRegisterIsReachedAtMultiplesOfItsSizeOnly() {
    for (int bytes : new int[] {2, 4, 8}) {
      for (int off = 1; off < bytes; off++) {
        long offset = 8L + off;
        assertThatThrownBy(() -> registers.read(offset, bytes))
            .as("%d bytes at %d", bytes, offset)
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> registers.write(offset, bytes, 0))
            .as("%d bytes at %d", bytes, offset)
            .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> registers.batch(memory -> memory.read(offset, bytes)))
            .as("%d bytes at %d in a batch", bytes, offset)
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
    assertThat(registers.read(1, 1)).isZero();
  }
}
