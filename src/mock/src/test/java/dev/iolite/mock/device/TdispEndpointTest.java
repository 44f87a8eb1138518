package dev.iolite.mock.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.DeviceFaultException;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.EventFd;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.pci.PciCapability;
import dev.iolite.vfio.ConfigRegion;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import dev.iolite.vfio.RegionInfo;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TdispEndpointTest {
  private static final String ADDRESS = "0000:00:07.0";
  private static final Duration NOW = Duration.ZERO;
  private static final long IOVA = 0x10_0000;
  private static final long LAST_PAGE = TdispEndpoint.MEMORY_BYTES - 4096;

  private final MockKernel kernel = MockKernel.plain();
  private final VfioUser user = new VfioUser(kernel, ADDRESS);

  @AfterEach
  void close() {
    user.close();
  }

  private DeviceMemory map(int bar) {
    return user.push(user.device().region(PciRegion.bar(bar)).map());
  }

  @Test
  void hasThreeBarsThatCanAllBeMapped() {
    List<RegionInfo> regions = user.device().regionInfos();
    assertThat(regions)
        .extracting(RegionInfo::bytes)
        .startsWith(64L << 10, 0L, 16L << 30, 0L, 32L << 10, 0L);
    assertThat(regions.get(4).isMsixMappable()).isTrue();
    assertThat(user.device().info().canReset()).isTrue();
    assertThat(user.pci().config().capabilities())
        .extracting(PciCapability::name)
        .contains("MSI-X", "PCI Express", "Power Management");
  }

  @Test
  void hasMemoryThatCostsNothingUntilItIsTouched() {
    DeviceMemory memory = map(2);
    assertThat(memory.bytes()).isEqualTo(16L << 30);
    long before = usedHeap();
    for (long at = 0; at < memory.bytes(); at += 16 << 20) {
      assertThat(memory.read64(at)).isZero();
      memory.write64(at, 0);
    }
    assertThat(usedHeap() - before).isLessThan(1 << 20);

    memory.write32(LAST_PAGE + 4092, 42);
    assertThat(memory.read32(LAST_PAGE + 4092)).isEqualTo(42);
    assertThat(user.device().region(PciRegion.BAR2).read32(LAST_PAGE + 4092)).isEqualTo(42);
  }

  private static long usedHeap() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  @Test
  void movesMemoryByDma() {
    DeviceMemory registers = map(0);
    MemorySegment memory = user.memory(IOVA, 0x1000);
    memory.setString(0, "private at rest");
    assertThat(registers.read64(0)).isEqualTo(TdispEndpoint.IDENTIFICATION);

    registers.write64(0x10, IOVA);
    registers.write64(0x18, LAST_PAGE);
    registers.write64(0x20, 64);
    registers.write64(0x28, 1);
    assertThat(registers.read64(0x30)).isZero();
    memory.fill((byte) 0);
    registers.write64(0x28, 2);
    assertThat(memory.getString(0)).isEqualTo("private at rest");

    registers.write64(0x10, IOVA + 0x1000);
    registers.write64(0x28, 1);
    assertThat(registers.read64(0x30)).as("a fault").isEqualTo(1);
    registers.write64(0x20, -1);
    registers.write64(0x28, 1);
    assertThat(registers.read64(0x30)).as("a bad argument").isEqualTo(2);
  }

  @Test
  void movesNothingBeyondTheEndOfItsMemory() {
    DeviceMemory registers = map(0);
    user.memory(IOVA, 0x1000);
    registers.write64(0x10, IOVA);
    registers.write64(0x20, 64);
    for (long command : new long[] {1, 2}) {
      registers.write64(0x18, TdispEndpoint.MEMORY_BYTES - 64);
      registers.write64(0x28, command);
      assertThat(registers.read64(0x30)).isZero();
      registers.write64(0x18, TdispEndpoint.MEMORY_BYTES - 63);
      registers.write64(0x28, command);
      assertThat(registers.read64(0x30)).as("a bad argument").isEqualTo(2);
    }
  }

  @Test
  void sendsAnInterruptAfterEachCommand() {
    DeviceMemory registers = map(0);
    EventFd event = user.push(EventFd.create(kernel));
    user.push(user.device().irqs(PciIrq.MSIX)).enable(List.of(event));
    registers.write64(0x28, 1);
    assertThat(registers.read64(0x30)).as("a bad argument").isEqualTo(2);
    assertThat(event.await(NOW)).isEqualTo(1);
  }

  @Test
  void sendsAnInterruptForEachDoorbell() {
    DeviceMemory registers = map(0);
    EventFd first = user.push(EventFd.create(kernel));
    EventFd third = user.push(EventFd.create(kernel));
    IrqSet irqs = user.push(user.device().irqs(PciIrq.MSIX));
    assertThat(irqs.info().count()).isEqualTo(16);
    irqs.enable(List.of(first));
    irqs.connect(3, third);

    registers.write32(0x2000, 3);
    registers.write32(0x2000, 99);
    kernel.device(ADDRESS).send(0);

    assertThat(third.await(NOW)).isEqualTo(1);
    assertThat(first.await(NOW)).isEqualTo(1);
  }

  @Test
  void keepsAMaskedInterruptPending() {
    DeviceMemory registers = map(0);
    DeviceMemory table = map(4);
    EventFd event = user.push(EventFd.create(kernel));
    user.push(user.device().irqs(PciIrq.MSIX)).enable(List.of(event));
    int control = table.read32(12);
    assertThat(control & 1).as("unmasked").isZero();

    table.write32(12, control | 1);
    registers.write32(0x2000, 0);
    assertThat(event.await(NOW)).isZero();
    assertThat(table.read32(0x1000) & 1).as("pending").isEqualTo(1);

    table.write32(12, control);
    assertThat(event.await(NOW)).isEqualTo(1);
    assertThat(table.read32(0x1000) & 1).isZero();

    table.write32(0, 0x1234);
    registers.write32(0x2000, 0);
    assertThat(event.await(NOW)).as("the message leads nowhere").isZero();
  }

  @Test
  void theTableIsNotReachedByReadAndWrite() {
    Region msix = user.device().region(PciRegion.BAR4);
    msix.write32(0, 5);
    assertThat(msix.read32(0)).isEqualTo(-1);
    assertThat(msix.read32(256)).as("behind 16 entries").isZero();
  }

  @Test
  void isEmptyAfterAReset() {
    DeviceMemory registers = map(0);
    DeviceMemory memory = map(2);
    registers.write64(8, 5);
    memory.write64(0, 6);

    assertThat(user.device().reset()).isTrue();

    assertThat(registers.read64(8)).isZero();
    assertThat(memory.read64(0)).isZero();
    assertThat(user.device().config().hasBusMaster()).isTrue();
  }

  @Test
  void answersInD0Only() {
    DeviceMemory registers = map(0);
    ConfigRegion config = user.device().config();
    int power = 0x60;
    assertThat(config.region().read8(power)).isEqualTo((byte) 1);

    config.region().write16(power + 4, (short) 3);
    assertThat(config.region().read16(power + 4) & 3).isEqualTo(3);
    assertThatThrownBy(() -> registers.read32(0)).isInstanceOf(DeviceFaultException.class);

    config.region().write16(power + 4, (short) 0);
    assertThat(registers.read64(0)).isEqualTo(TdispEndpoint.IDENTIFICATION);
  }

  @Test
  void reportsItsInterface() {
    byte[] bytes = kernel.device(ADDRESS).pci().function().interfaceReport(0x1_0000);
    ByteBuffer report = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long bar0 = user.pci().resources().getFirst().start();

    assertThat(report.getInt(12)).as("ranges").isEqualTo(7);
    assertThat(bytes).hasSize(16 + 16 * 7 + 4);
    assertThat(report.getLong(16)).isEqualTo((bar0 + 0x1_0000) / 4096);
    assertThat(report.getInt(16 + 8)).as("pages").isEqualTo(2);
    assertThat(report.getInt(32 + 12)).as("BAR0, non-TEE").isEqualTo(TdiRange.NON_TEE);
    assertThat(report.getInt(64 + 12)).as("BAR0, updatable").isEqualTo(TdiRange.UPDATABLE);
    assertThat(report.getInt(96 + 8)).as("pages of BAR2").isEqualTo(1 << 22);
    assertThat(report.getInt(96 + 12)).isEqualTo(2 << 16);
    assertThat(report.getInt(112 + 12))
        .as("after the MSI-X structures")
        .isEqualTo((4 << 16) | TdiRange.NON_TEE);
    assertThat(report.getInt(4)).as("MSI-X control, which is not locked").isZero();
  }
}
