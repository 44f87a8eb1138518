package dev.iolite.vmm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The ACPI tables: what a PC's firmware tells about its processors, interrupts, PCI bus and power
 * switch (ACPI 6.5, chapter 5.2).
 */
final class AcpiTables {
  private static final int HEADER = 36;
  private static final int CHECKSUM = 9;
  private static final int ROOT_BYTES = 64;
  private static final int FACS_BYTES = 64;
  private static final int FADT_BYTES = 276;

  /** The CPU's caches are written back, C1 works, no fixed buttons or alarm, a reset register. */
  private static final int FADT_FLAGS = 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 10;

  /**
   * Devices on ISA; no VGA, no CMOS clock; the missing bit 1 means no keyboard controller. Linux
   * reads the clock's time all the same, but makes no device of it, from which it would expect
   * alarms.
   */
  private static final int BOOT_FLAGS = 1 | 1 << 2 | 1 << 5;

  private static final int PM_EVENT_BYTES = 4;
  private static final int PM_CONTROL_BYTES = 2;
  private static final int SYSTEM_IO = 1;

  private static final int PC_COMPATIBLE = 1;
  private static final int LEVEL_HIGH = 0xd;
  private static final int ALL_PROCESSORS = 0xff;

  private static final int PINS = 4;
  private static final int ANY_FUNCTION = 0xffff;

  private final MemorySegment memory;
  private final long base;
  private long next;

  /**
   * Begins with the tables.
   *
   * @param memory where they go
   * @param base its guest-physical address
   */
  AcpiTables(MemorySegment memory, long base) {
    this.memory = memory;
    this.base = base;
    next = ROOT_BYTES;
  }

  /**
   * Writes all tables.
   *
   * @param cpus how many processors; their APIC ids are 0 and so on
   * @param window PCI's window above RAM
   */
  void write(int cpus, PciWindow window) {
    long facs = put(ByteBuffer.allocate(FACS_BYTES).put(text("FACS")).put(4, (byte) 64).array());
    long dsdt = put(table("DSDT", 2, dsdt(window)));
    long fadt = put(table("FACP", 6, fadt(facs, dsdt)));
    long madt = put(table("APIC", 4, madt(cpus)));
    long xsdt =
        put(table("XSDT", 1, Aml.all(Aml.little(fadt, Long.BYTES), Aml.little(madt, Long.BYTES))));
    ByteBuffer rsdp = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
    rsdp.put(text("RSD PTR ")).put((byte) 0).put(text("IOLITE")).put((byte) 2).putInt(0);
    rsdp.putInt(HEADER).putLong(xsdt);
    rsdp.put(8, checksum(rsdp.array(), 20));
    rsdp.put(32, checksum(rsdp.array(), HEADER));
    MemorySegment.copy(rsdp.array(), 0, memory, JAVA_BYTE, 0, HEADER);
  }

  private long put(byte[] table) {
    long at = next;
    MemorySegment.copy(table, 0, memory, JAVA_BYTE, at, table.length);
    next = (at + table.length + FACS_BYTES - 1) / FACS_BYTES * FACS_BYTES;
    return base + at;
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] table(String signature, int revision, byte[] body) {
    ByteBuffer table = ByteBuffer.allocate(HEADER + body.length).order(ByteOrder.LITTLE_ENDIAN);
    table.put(text(signature)).putInt(HEADER + body.length).put((byte) revision).put((byte) 0);
    table.put(text("IOLITE")).put(text("IOLITVMM")).putInt(1).put(text("IOLI")).putInt(1);
    table.put(body);
    table.put(CHECKSUM, checksum(table.array(), table.capacity()));
    return table.array();
  }

  /** What makes the sum of all bytes 0. */
  private static byte checksum(byte[] bytes, int count) {
    int sum = 0;
    for (int i = 0; i < count; i++) {
      sum += bytes[i];
    }
    return (byte) -sum;
  }

  /** Offsets are those of the whole table, less those of the header. */
  private static byte[] fadt(long facs, long dsdt) {
    ByteBuffer fadt = ByteBuffer.allocate(FADT_BYTES - HEADER).order(ByteOrder.LITTLE_ENDIAN);
    fadt.putInt(36 - HEADER, (int) facs);
    fadt.putInt(40 - HEADER, (int) dsdt);
    fadt.putShort(46 - HEADER, (short) PowerPorts.SCI);
    fadt.putInt(56 - HEADER, PowerPorts.PM_EVENT);
    fadt.putInt(64 - HEADER, PowerPorts.PM_CONTROL);
    fadt.put(88 - HEADER, (byte) PM_EVENT_BYTES);
    fadt.put(89 - HEADER, (byte) PM_CONTROL_BYTES);
    fadt.put(108 - HEADER, (byte) Rtc.CENTURY);
    fadt.putShort(109 - HEADER, (short) BOOT_FLAGS);
    fadt.putInt(112 - HEADER, FADT_FLAGS);
    register(fadt, 116 - HEADER, 1, PowerPorts.RESET);
    fadt.put(128 - HEADER, (byte) PowerPorts.RESET_VALUE);
    fadt.putLong(140 - HEADER, dsdt);
    register(fadt, 148 - HEADER, PM_EVENT_BYTES, PowerPorts.PM_EVENT);
    register(fadt, 172 - HEADER, PM_CONTROL_BYTES, PowerPorts.PM_CONTROL);
    return fadt.array();
  }

  private static void register(ByteBuffer fadt, int offset, int bytes, int port) {
    fadt.put(offset, (byte) SYSTEM_IO).put(offset + 1, (byte) (bytes * Byte.SIZE));
    fadt.put(offset + 3, (byte) Math.min(bytes, Short.BYTES)).putLong(offset + 4, port);
  }

  private static byte[] madt(int cpus) {
    ByteArrayOutputStream madt = new ByteArrayOutputStream();
    madt.writeBytes(Aml.all(Aml.little(MemoryMap.LOCAL_APIC, 4), Aml.little(PC_COMPATIBLE, 4)));
    for (int id = 0; id < cpus; id++) {
      madt.writeBytes(Aml.all(new byte[] {0, 8, (byte) id, (byte) id}, Aml.little(1, 4)));
    }
    madt.writeBytes(
        Aml.all(new byte[] {1, 12, 0, 0}, Aml.little(MemoryMap.IOAPIC, 4), Aml.little(0, 4)));
    madt.writeBytes(
        Aml.all(
            new byte[] {2, 10, 0, PowerPorts.SCI},
            Aml.little(PowerPorts.SCI, 4),
            Aml.little(LEVEL_HIGH, 2)));
    madt.writeBytes(new byte[] {4, 6, (byte) ALL_PROCESSORS, 0, 0, 1});
    return madt.toByteArray();
  }

  private static byte[] dsdt(PciWindow window) {
    List<byte[]> routes = new ArrayList<>();
    for (int slot = 0; slot < PciBus.SLOTS; slot++) {
      for (int pin = 0; pin < PINS; pin++) {
        routes.add(
            Aml.arrayOf(
                Aml.number((long) slot << Short.SIZE | ANY_FUNCTION),
                Aml.number(pin),
                Aml.number(0),
                Aml.number(PciBus.lineOf(slot))));
      }
    }
    byte[] bridge =
        Aml.device(
            "PCI0",
            Aml.name("_HID", Aml.eisaId("PNP0A03")),
            Aml.name("_BBN", Aml.number(0)),
            Aml.name(
                "_CRS",
                Aml.resources(
                    Aml.buses(0, 0),
                    Aml.ownPorts(PciBus.ADDRESS, 8),
                    Aml.ports(PciWindow.FIRST_PORT, PciWindow.LAST_PORT),
                    Aml.memory32(window.first32(), window.last32()),
                    Aml.memory64(window.first64(), window.last64()))),
            Aml.name("_PRT", Aml.arrayOf(routes.toArray(byte[][]::new))));
    byte[] panic =
        Aml.device(
            "PVPN",
            Aml.name("_HID", Aml.text("QEMU0001")),
            Aml.name("_CRS", Aml.resources(Aml.ownPorts(PowerPorts.PANIC, 1))),
            Aml.name("_STA", Aml.number(0xf)));
    byte[] off = Aml.number(PowerPorts.SLEEP_TYPE_OFF);
    return Aml.all(
        Aml.scope("\\_SB_", bridge, panic),
        Aml.name("\\_S5_", Aml.arrayOf(off, off, Aml.number(0), Aml.number(0))));
  }
}
