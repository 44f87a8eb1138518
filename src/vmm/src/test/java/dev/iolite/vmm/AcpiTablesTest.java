package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.PreconditionException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** The tables as a guest finds them: from the RSDP on, by addresses and checksums. */
class AcpiTablesTest {
  private static final long BASE = 0xe0000;
  private static final long MIB = 1 << 20;

  private final byte[] bytes = new byte[0x20000];
  private final MemorySegment memory = MemorySegment.ofArray(bytes);

  private void write(int cpus) {
    new AcpiTables(memory, BASE).write(cpus, new PciWindow(MemoryMap.FOUR_GIB, 40));
  }

  private MemorySegment table(long address, String signature) {
    MemorySegment at = memory.asSlice(address - BASE);
    byte[] name = at.asSlice(0, 4).toArray(ValueLayout.JAVA_BYTE);
    assertThat(new String(name, StandardCharsets.US_ASCII)).isEqualTo(signature);
    MemorySegment table = at.asSlice(0, at.get(ValueLayout.JAVA_INT_UNALIGNED, 4));
    assertThat(sum(table)).as("checksum of %s", signature).isZero();
    return table;
  }

  private static byte sum(MemorySegment memory) {
    byte sum = 0;
    for (byte b : memory.toArray(ValueLayout.JAVA_BYTE)) {
      sum += b;
    }
    return sum;
  }

  private static long u64(MemorySegment memory, long offset) {
    return memory.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
  }

  @Test
  void theTablesLeadToOneAnother() {
    write(2);
    assertThat(sum(memory.asSlice(0, 20))).as("ACPI 1.0's part of the RSDP").isZero();
    assertThat(sum(memory.asSlice(0, 36))).as("RSDP").isZero();
    MemorySegment xsdt = table(u64(memory, 24), "XSDT");
    MemorySegment fadt = table(u64(xsdt, 36), "FACP");
    assertThat(fadt.get(ValueLayout.JAVA_INT_UNALIGNED, 64)).isEqualTo(PowerPorts.PM_CONTROL);
    assertThat(u64(fadt, 120)).as("the reset register").isEqualTo(PowerPorts.RESET);
    assertThat(fadt.get(ValueLayout.JAVA_BYTE, 108)).as("the century").isEqualTo((byte) 0x32);
    assertThat(fadt.get(ValueLayout.JAVA_SHORT_UNALIGNED, 109) & 1 << 5)
        .as("no clock with alarms")
        .isNotZero();
    assertThat(fadt.get(ValueLayout.JAVA_INT_UNALIGNED, 112) & 1 << 6)
        .as("no alarm among the events")
        .isNotZero();
    MemorySegment dsdt = table(u64(fadt, 140), "DSDT");
    assertThat(new String(dsdt.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1))
        .contains("PCI0", "_CRS", "_PRT", "\\_S5_");
    assertThat(table(u64(xsdt, 44), "APIC").byteSize())
        .as("two processors, an I/O APIC, an override, an NMI")
        .isEqualTo(44 + 2 * 8 + 12 + 10 + 6);
  }

  @Test
  void allProcessorsThatAGuestCanHaveFit() {
    write(VmConfig.MOST_CPUS);
    assertThat(table(u64(table(u64(memory, 24), "XSDT"), 44), "APIC").byteSize())
        .isEqualTo(44 + 254 * 8 + 28);
  }

  @Test
  void amlEncodesLengthsAndNames() {
    assertThat(Aml.scope("ABCD", new byte[57])).startsWith(0x10, 62);
    assertThat(Aml.scope("ABCD", new byte[58])).as("63").startsWith(0x10, 63);
    assertThat(Aml.scope("ABCD", new byte[59])).as("65 in two bytes").startsWith(0x10, 0x41, 0x04);
    assertThat(Aml.scope("ABCD", new byte[5000]))
        .as("5007 in three")
        .startsWith(0x10, 0x80 | (5007 & 0xf), (5007 >> 4) & 0xff, 5007 >> 12);
    assertThat(Aml.eisaId("PNP0A03")).containsExactly(0x0c, 0x41, 0xd0, 0x0a, 0x03);
    assertThat(Aml.number(0)).containsExactly(0);
    assertThat(Aml.number(0x1234)).containsExactly(0x0b, 0x34, 0x12);
  }

  @Test
  void ramIsWhereAddressesReach() {
    long end = 1L << 36;
    assertThat(new PciWindow(end, 36).last64()).isEqualTo(end - 1);
    assertThatThrownBy(() -> new PciWindow(end + 1, 36))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("its physical addresses end at 0xfffffffff");
  }

  @Test
  void barsAreAtMultiplesOfTheirSizesInTheirWindows() {
    PciWindow window = new PciWindow(MemoryMap.FOUR_GIB + MIB, 40);
    assertThat(window.place(0x1000, false, false)).isEqualTo(0xc000_0000L);
    assertThat(window.place(0x4000, false, true)).isEqualTo(0xc000_4000L);
    assertThat(window.place(1L << 30, false, true)).as("above RAM").isEqualTo(2L << 32);
    assertThat(window.place(0x20, true, false)).isEqualTo(0x1000);
    assertThat(window.contains(0xfdff_f000L, 0x1000)).isTrue();
    assertThat(window.contains(0xfdff_f000L, 0x2000)).isFalse();
    assertThat(window.contains(-0x1000, 0x1000)).isFalse();
    assertThat(window.contains(0x1000, 0x1000)).as("RAM").isFalse();
  }
}
