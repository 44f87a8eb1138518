package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_dtable;
import dev.iolite.uapi.kvm.kvm_sregs;
import java.lang.foreign.MemorySegment;

/**
 * A vCPU's segment, descriptor table and control registers.
 *
 * @param segments the segment registers
 * @param gdt the global descriptor table
 * @param idt the interrupt descriptor table
 * @param control the control registers
 * @param efer the extended feature enable register
 * @param apicBase IA32_APIC_BASE
 */
public record SpecialRegisters(
    Segments segments,
    DescriptorTable gdt,
    DescriptorTable idt,
    Control control,
    long efer,
    long apicBase) {

  /**
   * The segment registers.
   *
   * @param cs code
   * @param ds data
   * @param es extra
   * @param fs extra
   * @param gs extra
   * @param ss stack
   * @param tr the task register
   * @param ldt the local descriptor table
   */
  public record Segments(
      Segment cs,
      Segment ds,
      Segment es,
      Segment fs,
      Segment gs,
      Segment ss,
      Segment tr,
      Segment ldt) {}

  /**
   * A descriptor table.
   *
   * @param base where it starts
   * @param limit the offset of its last byte, 16 bits
   */
  public record DescriptorTable(long base, int limit) {}

  /**
   * The control registers.
   *
   * @param cr0 CR0
   * @param cr2 CR2, the address of the last page fault
   * @param cr3 CR3, where the page tables are
   * @param cr4 CR4
   * @param cr8 CR8, the task priority
   */
  public record Control(long cr0, long cr2, long cr3, long cr4, long cr8) {}

  /** Reads a struct kvm_sregs, or a kvm_sregs2, which begins alike. */
  static SpecialRegisters of(MemorySegment sregs) {
    return new SpecialRegisters(
        new Segments(
            Segment.of(kvm_sregs.cs(sregs)),
            Segment.of(kvm_sregs.ds(sregs)),
            Segment.of(kvm_sregs.es(sregs)),
            Segment.of(kvm_sregs.fs(sregs)),
            Segment.of(kvm_sregs.gs(sregs)),
            Segment.of(kvm_sregs.ss(sregs)),
            Segment.of(kvm_sregs.tr(sregs)),
            Segment.of(kvm_sregs.ldt(sregs))),
        table(kvm_sregs.gdt(sregs)),
        table(kvm_sregs.idt(sregs)),
        new Control(
            kvm_sregs.cr0(sregs),
            kvm_sregs.cr2(sregs),
            kvm_sregs.cr3(sregs),
            kvm_sregs.cr4(sregs),
            kvm_sregs.cr8(sregs)),
        kvm_sregs.efer(sregs),
        kvm_sregs.apic_base(sregs));
  }

  /** Fills a struct kvm_sregs, or the like part of a kvm_sregs2. */
  void store(MemorySegment sregs) {
    segments.cs.store(kvm_sregs.cs(sregs));
    segments.ds.store(kvm_sregs.ds(sregs));
    segments.es.store(kvm_sregs.es(sregs));
    segments.fs.store(kvm_sregs.fs(sregs));
    segments.gs.store(kvm_sregs.gs(sregs));
    segments.ss.store(kvm_sregs.ss(sregs));
    segments.tr.store(kvm_sregs.tr(sregs));
    segments.ldt.store(kvm_sregs.ldt(sregs));
    store(gdt, kvm_sregs.gdt(sregs));
    store(idt, kvm_sregs.idt(sregs));
    kvm_sregs.cr0(sregs, control.cr0);
    kvm_sregs.cr2(sregs, control.cr2);
    kvm_sregs.cr3(sregs, control.cr3);
    kvm_sregs.cr4(sregs, control.cr4);
    kvm_sregs.cr8(sregs, control.cr8);
    kvm_sregs.efer(sregs, efer);
    kvm_sregs.apic_base(sregs, apicBase);
  }

  private static DescriptorTable table(MemorySegment table) {
    return new DescriptorTable(
        kvm_dtable.base(table), Short.toUnsignedInt(kvm_dtable.limit(table)));
  }

  private static void store(DescriptorTable from, MemorySegment table) {
    kvm_dtable.base(table, from.base);
    kvm_dtable.limit(table, (short) from.limit);
  }
}
