package dev.iolite.vmm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.GeneralRegisters;
import dev.iolite.kvm.Segment;
import dev.iolite.kvm.SpecialRegisters;
import dev.iolite.kvm.SpecialRegisters.DescriptorTable;
import dev.iolite.kvm.Vcpu;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Puts a kernel into the guest's memory and a processor at its entry, by the 64-bit boot protocol
 * (Documentation/arch/x86/boot.rst, "64-bit Boot Protocol", and zero-page.rst).
 */
final class LinuxBoot {
  private static final int RSDP = 0x070;
  private static final int EXT_INITRD = 0x0c0;
  private static final int E820_ENTRIES = 0x1e8;
  private static final int LOADER_TYPE = 0x210;
  private static final int INITRD_ADDRESS = 0x218;
  private static final int INITRD_SIZE = 0x21c;
  private static final int COMMAND_LINE = 0x228;
  private static final int E820 = 0x2d0;
  private static final int E820_ENTRY = 20;

  private static final byte UNDEFINED_LOADER = (byte) 0xff;
  private static final int E820_RAM = 1;
  private static final int E820_ACPI = 3;

  private static final int CODE_SELECTOR = 0x10;
  private static final int DATA_SELECTOR = 0x18;
  private static final int TSS_SELECTOR = 0x20;
  private static final long CODE_DESCRIPTOR = 0x00af_9b00_0000_ffffL;
  private static final long DATA_DESCRIPTOR = 0x00cf_9300_0000_ffffL;
  private static final long TSS_DESCRIPTOR = 0x008f_8b00_0000_ffffL;
  private static final int DESCRIPTORS = 6;
  private static final int BUSY_TSS = 11;

  private static final long PRESENT_WRITABLE = 3;
  private static final long HUGE = 1 << 7;
  private static final int ENTRIES = 512;
  private static final int DIRECTORIES = 4;
  private static final int HUGE_SHIFT = 21;

  private static final long CR0_PE_MP_ET_NE_WP_PG = 0x8001_0033L;
  private static final long CR4_PAE = 1 << 5;
  private static final long EFER_LME_LMA = 0x500;

  private final BzImage kernel;
  private final GuestMemory memory;
  private final MemorySegment zeroPage;
  private int ranges;

  LinuxBoot(BzImage kernel, GuestMemory memory) {
    this.kernel = kernel;
    this.memory = memory;
    zeroPage = memory.at(MemoryMap.ZERO_PAGE, Page.BYTES);
  }

  /**
   * Loads kernel, initrd, command line and what describes the machine to the kernel.
   *
   * @throws PreconditionException if one of them does not fit
   */
  void load(Optional<MemorySegment> initrd, String commandLine) {
    kernel.load(memory);
    byte[] header = kernel.header();
    MemorySegment.copy(header, 0, zeroPage, JAVA_BYTE, BzImage.HEADER, header.length);
    zeroPage.set(JAVA_BYTE, LOADER_TYPE, UNDEFINED_LOADER);
    zeroPage.set(JAVA_LONG_UNALIGNED, RSDP, MemoryMap.ACPI);
    initrd.ifPresent(this::loadInitrd);
    loadCommandLine(commandLine);
    e820(0, MemoryMap.EBDA, E820_RAM);
    e820(MemoryMap.ACPI, MemoryMap.HIGH_MEMORY, E820_ACPI);
    e820(MemoryMap.HIGH_MEMORY, memory.lowEnd(), E820_RAM);
    e820(MemoryMap.FOUR_GIB, memory.highEnd(), E820_RAM);
    makePageTables();
    MemorySegment gdt = memory.at(MemoryMap.GDT, (long) DESCRIPTORS * Long.BYTES);
    gdt.set(JAVA_LONG, CODE_SELECTOR, CODE_DESCRIPTOR);
    gdt.set(JAVA_LONG, DATA_SELECTOR, DATA_DESCRIPTOR);
    gdt.set(JAVA_LONG, TSS_SELECTOR, TSS_DESCRIPTOR);
  }

  /** At the end of memory, where it is not in the kernel's way. */
  private void loadInitrd(MemorySegment initrd) {
    long bytes = initrd.byteSize();
    long end = Math.min(memory.lowEnd(), kernel.lastInitrdAddress() + 1);
    long start = (end - bytes) & -Page.BYTES;
    long kernelEnd = kernel.loadAddress() + kernel.initBytes();
    if (start < kernelEnd) {
      throw new PreconditionException(
          "load the initrd of %d bytes".formatted(bytes),
          "%d bytes are free between the kernel and 0x%x"
              .formatted(Math.max(0, end - kernelEnd), end),
          "the guest has too little memory",
          "give the guest more memory, or a smaller initrd");
    }
    memory.at(start, bytes).copyFrom(initrd);
    zeroPage.set(JAVA_INT_UNALIGNED, INITRD_ADDRESS, (int) start);
    zeroPage.set(JAVA_INT_UNALIGNED, INITRD_SIZE, (int) bytes);
    zeroPage.set(JAVA_INT_UNALIGNED, EXT_INITRD, (int) (start >>> Integer.SIZE));
  }

  private void loadCommandLine(String commandLine) {
    byte[] bytes = commandLine.getBytes(StandardCharsets.UTF_8);
    long room = MemoryMap.EBDA - MemoryMap.COMMAND_LINE - 1;
    long most = Math.min(room, Integer.toUnsignedLong(kernel.longestCommandLine()));
    if (bytes.length > most) {
      throw new PreconditionException(
          "give %s a command line of %d bytes".formatted(kernel.name(), bytes.length),
          "it takes at most " + most,
          "it is too long",
          "shorten it");
    }
    if (commandLine.indexOf('\0') >= 0) {
      throw new PreconditionException(
          "give " + kernel.name() + " its command line",
          "it has a NUL character, which ends it for the kernel",
          "it was read from a file in a binary format",
          "remove the character");
    }
    MemorySegment.copy(
        bytes, 0, memory.at(MemoryMap.COMMAND_LINE, room), JAVA_BYTE, 0, bytes.length);
    zeroPage.set(JAVA_INT_UNALIGNED, COMMAND_LINE, (int) MemoryMap.COMMAND_LINE);
  }

  private void e820(long start, long end, int type) {
    if (end <= start) {
      return;
    }
    long entry = E820 + (long) ranges++ * E820_ENTRY;
    zeroPage.set(JAVA_LONG_UNALIGNED, entry, start);
    zeroPage.set(JAVA_LONG_UNALIGNED, entry + Long.BYTES, end - start);
    zeroPage.set(JAVA_INT_UNALIGNED, entry + 2 * Long.BYTES, type);
    zeroPage.set(JAVA_BYTE, E820_ENTRIES, (byte) ranges);
  }

  /** Maps the first 4 GiB to themselves, in pages of 2 MiB. */
  private void makePageTables() {
    long pdpt = MemoryMap.PAGE_TABLES + Page.BYTES;
    MemorySegment tables = memory.at(MemoryMap.PAGE_TABLES, (2 + DIRECTORIES) * Page.BYTES);
    tables.setAtIndex(JAVA_LONG, 0, pdpt | PRESENT_WRITABLE);
    for (int i = 0; i < DIRECTORIES; i++) {
      long directory = pdpt + (1L + i) * Page.BYTES;
      tables.setAtIndex(JAVA_LONG, ENTRIES + i, directory | PRESENT_WRITABLE);
    }
    for (long i = 0; i < (long) DIRECTORIES * ENTRIES; i++) {
      tables.setAtIndex(JAVA_LONG, 2 * ENTRIES + i, i << HUGE_SHIFT | HUGE | PRESENT_WRITABLE);
    }
  }

  /** Makes a processor execute the kernel's first instruction next, in 64-bit mode. */
  void enter(Vcpu vcpu) {
    SpecialRegisters reset = vcpu.x86().specialRegisters();
    Segment data = Segment.data(DATA_SELECTOR);
    Segment task =
        new Segment(
            TSS_SELECTOR, 0, 0xffff, BUSY_TSS, true, 0, false, false, false, false, false, false);
    vcpu.x86()
        .setSpecialRegisters(
            new SpecialRegisters(
                new SpecialRegisters.Segments(
                    Segment.code64(CODE_SELECTOR),
                    data,
                    data,
                    data,
                    data,
                    data,
                    task,
                    reset.segments().ldt()),
                new DescriptorTable(MemoryMap.GDT, DESCRIPTORS * Long.BYTES - 1),
                new DescriptorTable(0, 0),
                new SpecialRegisters.Control(
                    CR0_PE_MP_ET_NE_WP_PG, 0, MemoryMap.PAGE_TABLES, CR4_PAE, 0),
                EFER_LME_LMA,
                reset.apicBase()));
    vcpu.setRegisters(
        GeneralRegisters.at(kernel.entry()).with(MemoryMap.STACK, MemoryMap.ZERO_PAGE));
  }
}
