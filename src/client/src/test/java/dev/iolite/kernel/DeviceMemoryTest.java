package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A file that is cut short under its mapping faults (SIGBUS) just as a device's registers do when
 * its memory decode is switched off.
 */
class DeviceMemoryTest {
  private static final long PAGE = 4096;
  private static final int UNTIL_COMPILED = 50_000;

  private final Kernel kernel = new HostKernel();
  private final MemFd file = MemFd.create(kernel, "registers", PAGE);
  private DeviceMemory registers;

  @BeforeEach
  void map() {
    registers = new DeviceMemory(file.map(), "test BAR0");
  }

  @AfterEach
  void close() {
    registers.close();
    file.close();
  }

  private void switchOff() {
    assertThat(kernel.ftruncate(file.fd().number(), 0)).isZero();
  }

  private void switchOn() {
    assertThat(kernel.ftruncate(file.fd().number(), PAGE)).isZero();
  }

  @Test
  void registersAreReadAndWrittenWhole() {
    registers.write32(4, 0x8765_4321);
    assertThat(registers.read32(4)).isEqualTo(0x8765_4321);
    registers.write64(8, 0x1122_3344_5566_7788L);
    assertThat(registers.read64(8)).isEqualTo(0x1122_3344_5566_7788L);
    assertThat(registers.read32(8)).isEqualTo(0x5566_7788);
    registers.write16(10, (short) 0x9abc);
    registers.write8(9, (byte) 0xde);
    assertThat(registers.read64(8)).isEqualTo(0x1122_3344_9abc_de88L);
    assertThat(registers.read16(10)).isEqualTo((short) 0x9abc);
    assertThat(registers.read8(9)).isEqualTo((byte) 0xde);
    assertThat(registers.read(10, 2)).as("zero-extended").isEqualTo(0x9abc);
  }

  @Test
  void aFaultIsAnExceptionOfTheVeryAccess() {
    switchOff();
    assertEveryAccessFaults();
    switchOn();
    int sum = 0;
    for (int i = 0; i < UNTIL_COMPILED; i++) {
      registers.write32(0, i);
      registers.write64(8, i);
      sum += registers.read32(0) + (int) registers.read64(8);
      sum += (int) registers.batch(memory -> memory.read32(0));
    }
    assertThat(sum).isNotZero();
    switchOff();
    for (int i = 0; i < 100; i++) {
      assertEveryAccessFaults();
    }
    switchOn();
    assertThat(registers.read32(0)).as("the mapping stays valid").isZero();
  }

  private void assertEveryAccessFaults() {
    assertFault(() -> registers.read32(0));
    assertFault(() -> registers.write32(0, 1));
    assertFault(() -> registers.read64(8));
    assertFault(() -> registers.write64(8, 1));
    assertFault(() -> registers.batch(memory -> memory.read32(0)));
  }

  private static void assertFault(Runnable access) {
    assertThatThrownBy(access::run)
        .isInstanceOf(DeviceFaultException.class)
        .hasMessageContaining("test BAR0")
        .hasMessageContaining("memory decode");
  }

  @Test
  void anAccessOutsideTheMappingNeverLeavesJava() {
    assertThatThrownBy(() -> registers.read32(PAGE)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> registers.read32(-4)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void aBatchReadsAndWritesInsideTheMappingOnly() {
    assertThat(
            registers.batch(memory -> {
              memory.write32(4, 0x8765_4321);
              return memory.read32(4) & 0xffff_ffffL;
            }))
        .isEqualTo(0x8765_4321L);
    assertThatThrownBy(() -> registers.batch(memory -> memory.read32(PAGE)))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> registers.batch(memory -> memory.read32(-4)))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void whatABatchLeaksReachesNothing() {
    AtomicReference<Registers> leaked = new AtomicReference<>();
    registers.batch(memory -> {
      leaked.set(memory);
      return 0;
    });
    assertThatThrownBy(() -> leaked.get().read32(0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void theMappingOutlivesABatch() {
    registers.batch(memory -> {
      assertThatThrownBy(registers::close)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("while a batch accesses it");
      return memory.read32(0);
    });
    registers.close();
    registers.close();
    assertThatThrownBy(() -> registers.batch(memory -> memory.read32(0)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void aClosedMappingIsNotTouched() {
    registers.close();
    assertThatThrownBy(() -> registers.read32(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(registers::address)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  /** A processor would split the access, and the device would see two. */
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
      }
    }
  }
}
