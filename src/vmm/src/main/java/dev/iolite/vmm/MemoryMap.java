package dev.iolite.vmm;

/** The guest's physical addresses. */
final class MemoryMap {
  /** Where the boot code expects its page tables, and so on; all below {@link #EBDA}. */
  static final long GDT = 0x500;

  /** The zero page: struct boot_params. */
  static final long ZERO_PAGE = 0x7000;

  /** The stack of the first instructions. */
  static final long STACK = 0x8ff0;

  /** The page tables: PML4, PDPT and a page directory for each GiB below 4 GiB. */
  static final long PAGE_TABLES = 0x9000;

  /** The kernel's command line. */
  static final long COMMAND_LINE = 0x2_0000;

  /** Conventional memory ends here. */
  static final long EBDA = 0x9_fc00;

  /** The ACPI tables, where a guest would look for them. */
  static final long ACPI = 0xe_0000;

  /** The memory that a kernel is loaded to begins here. */
  static final long HIGH_MEMORY = 0x10_0000;

  /** RAM below 4 GiB ends here at the latest; then comes the window of PCI. */
  static final long PCI_HOLE = 0xc000_0000L;

  /** The window of PCI ends here; then come the I/O APIC, local APICs and KVM's own pages. */
  static final long PCI_HOLE_END = 0xfe00_0000L;

  /** The I/O APIC. */
  static final long IOAPIC = 0xfec0_0000L;

  /** The local APICs. */
  static final long LOCAL_APIC = 0xfee0_0000L;

  /** Three pages for Intel's virtual 8086 mode. */
  static final long TSS = 0xfffb_d000L;

  /** A page for Intel's guests without paging. */
  static final long IDENTITY_MAP = 0xfffb_c000L;

  /** RAM goes on here. */
  static final long FOUR_GIB = 1L << 32;

  private MemoryMap() {}
}
