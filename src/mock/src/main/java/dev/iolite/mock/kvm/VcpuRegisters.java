package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Refused;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_sregs2;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Map;

/** The rules for the special registers that a VM's owner sets. */
final class VcpuRegisters {
  private static final long CR0_NW = 1L << 29;
  private static final long CR0_CD = 1L << 30;
  private static final long CR0_PG = 1L << 31;
  private static final long CR0_ALWAYS = 0x10;
  private static final long CR4_PAE = 1 << 5;

  /** VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR and OSXMMEXCPT, which any processor has. */
  private static final long CR4_ALWAYS_ALLOWED = 0x7ff;

  private static final long CR4_CET = 1 << 23;

  /**
   * arch/x86/kvm/regs.h:__cr4_reserved_bits, except CR4.CET, which either of two features allows.
   */
  private static final Map<CpuFeature, Long> CR4_BITS =
      Map.of(
          CpuFeature.UMIP, 1L << 11,
          CpuFeature.LA57, 1L << 12,
          CpuFeature.VIRTUAL_MACHINE_EXTENSIONS, 1L << 13,
          CpuFeature.FSGSBASE, 1L << 16,
          CpuFeature.PROCESS_CONTEXT_IDS, 1L << 17,
          CpuFeature.XSAVE, 1L << 18,
          CpuFeature.SMEP, 1L << 20,
          CpuFeature.SMAP, 1L << 21,
          CpuFeature.PROTECTION_KEYS, 1L << 22,
          CpuFeature.LINEAR_ADDRESS_MASKING, 1L << 28);

  private static final long EFER_SCE = 1;
  private static final long EFER_LME = 1 << 8;
  private static final long EFER_LMA = 1 << 10;
  private static final long EFER_LMSLE = 1 << 13;

  /** arch/x86/kvm/msrs.c:__kvm_valid_efer. */
  private static final Map<CpuFeature, Long> EFER_BITS =
      Map.of(
          CpuFeature.LONG_MODE, EFER_LME | EFER_LMA,
          CpuFeature.NX, 1L << 11,
          CpuFeature.SVM, 1L << 12,
          CpuFeature.FAST_FXSR, 1L << 14,
          CpuFeature.AUTOMATIC_IBRS, 1L << 21);

  private static final long PDPTRS_VALID = 1;
  private static final long APIC_RESERVED = 0x2ff;
  private static final long APIC_X2APIC = 1 << 10;
  private static final long APIC_ENABLED = 1 << 11;
  private static final long HIGH = 0xffff_ffff_0000_0000L;

  private VcpuRegisters() {}

  /** KVM_GET_SREGS; arch/x86/kvm/regs.c:__get_sregs. */
  static void store(KvmVcpu vcpu, MemorySegment sregs) {
    sregs.copyFrom(vcpu.cpu().special());
    int vector = vcpu.events().injectedInterrupt();
    if (vector >= 0) {
      kvm_sregs.interrupt_bitmap(sregs, vector / Long.SIZE, 1L << vector);
    }
  }

  /**
   * KVM_SET_SREGS; arch/x86/kvm/regs.c:__set_sregs: the first interrupt of the bitmap is queued.
   */
  static void load(KvmVcpu vcpu, MemorySegment sregs) {
    setSpecial(vcpu.cpu(), vcpu.cpuid(), sregs);
    BitSet interrupts = BitSet.valueOf(kvm_sregs.interrupt_bitmap(sregs).asByteBuffer());
    if (!interrupts.isEmpty()) {
      vcpu.events().queueInterrupt(interrupts.nextSetBit(0));
    }
  }

  /** arch/x86/kvm/regs.c:__set_sregs_common, kvm_is_valid_sregs: EINVAL. */
  private static void setSpecial(CpuState cpu, VcpuCpuid cpuid, MemorySegment sregs) {
    long cr0 = kvm_sregs.cr0(sregs);
    long cr4 = kvm_sregs.cr4(sregs);
    long efer = kvm_sregs.efer(sregs);
    if ((efer & EFER_LME) != 0 && (cr0 & CR0_PG) != 0) {
      refuseIf((cr4 & CR4_PAE) == 0 || (efer & EFER_LMA) == 0, Errno.EINVAL);
      refuseIf((kvm_sregs.cr3(sregs) & cpuid.reservedAddressBits()) != 0, Errno.EINVAL);
    } else {
      refuseIf((efer & EFER_LMA) != 0 || kvm_segment.l(kvm_sregs.cs(sregs)) != 0, Errno.EINVAL);
    }
    refuseIf((cr4 & ~allowedCr4(cpuid)) != 0, Errno.EINVAL);
    refuseIf((cr0 & HIGH) != 0, Errno.EINVAL);
    refuseIf((cr0 & CR0_NW) != 0 && (cr0 & CR0_CD) == 0, Errno.EINVAL);
    refuseIf((cr0 & CR0_PG) != 0 && (cr0 & CpuState.CR0_PE) == 0, Errno.EINVAL);
    refuseIf((efer & ~allowedEfer(cpuid)) != 0, Errno.EINVAL);
    MemorySegment special = cpu.special();
    requireApicBase(kvm_sregs.apic_base(special), kvm_sregs.apic_base(sregs), cpuid);
    special.copyFrom(sregs.asSlice(0, special.byteSize()));
    kvm_sregs.cr0(special, cr0 | CR0_ALWAYS);
    kvm_sregs.interrupt_bitmap(special).fill((byte) 0);
  }

  /** KVM_GET_SREGS2; arch/x86/kvm/regs.c:kvm_vcpu_ioctl_x86_get_sregs2. */
  static void store2(CpuState cpu, MemorySegment sregs2) {
    sregs2.fill((byte) 0);
    MemorySegment.copy(cpu.special(), 0, sregs2, 0, kvm_sregs2.flags$offset());
    if (hasPaePaging(sregs2)) {
      kvm_sregs2.flags(sregs2, PDPTRS_VALID);
      kvm_sregs2.pdptrs(sregs2).copyFrom(cpu.pdptrs());
    }
  }

  /** Of a struct kvm_sregs2; arch/x86/kvm/x86.h:is_pae_paging. */
  private static boolean hasPaePaging(MemorySegment sregs2) {
    return (kvm_sregs2.cr0(sregs2) & CR0_PG) != 0
        && (kvm_sregs2.cr4(sregs2) & CR4_PAE) != 0
        && (kvm_sregs2.efer(sregs2) & EFER_LMA) == 0;
  }

  /**
   * KVM_SET_SREGS2; arch/x86/kvm/regs.c:kvm_vcpu_ioctl_x86_set_sregs2. Pointers of page directories
   * go with PAE paging.
   */
  static void setSpecial2(CpuState cpu, VcpuCpuid cpuid, MemorySegment sregs2) {
    long flags = kvm_sregs2.flags(sregs2);
    refuseIf((flags & ~PDPTRS_VALID) != 0, Errno.EINVAL);
    refuseIf(flags != 0 && !hasPaePaging(sregs2), Errno.EINVAL);
    MemorySegment sregs = kvm_sregs.allocate(Arena.ofAuto());
    MemorySegment.copy(sregs2, 0, sregs, 0, kvm_sregs2.flags$offset());
    setSpecial(cpu, cpuid, sregs);
    if (flags != 0) {
      cpu.pdptrs().copyFrom(kvm_sregs2.pdptrs(sregs2));
    }
  }

  /** MSR_IA32_APICBASE, set by the VM's owner; returns whether it can be that. */
  static boolean setApicBase(CpuState cpu, VcpuCpuid cpuid, long base) {
    try {
      requireApicBase(kvm_sregs.apic_base(cpu.special()), base, cpuid);
    } catch (Refused e) {
      return false;
    }
    kvm_sregs.apic_base(cpu.special(), base);
    return true;
  }

  /** MSR_EFER; arch/x86/kvm/msrs.c:set_efer: LMA stays. */
  static boolean setEfer(CpuState cpu, VcpuCpuid cpuid, long efer) {
    long before = kvm_sregs.efer(cpu.special());
    boolean switches = ((before ^ efer) & EFER_LME) != 0;
    if ((efer & ~allowedEfer(cpuid)) != 0 || (switches && cpu.hasPaging())) {
      return false;
    }
    kvm_sregs.efer(cpu.special(), (efer & ~EFER_LMA) | (before & EFER_LMA));
    return true;
  }

  private static long allowedCr4(VcpuCpuid cpuid) {
    boolean cet =
        cpuid.has(CpuFeature.SHADOW_STACK) || cpuid.has(CpuFeature.INDIRECT_BRANCH_TRACKING);
    return CR4_ALWAYS_ALLOWED | (cet ? CR4_CET : 0) | bits(CR4_BITS, cpuid);
  }

  private static long allowedEfer(VcpuCpuid cpuid) {
    long always = EFER_SCE | (cpuid.isSupported(CpuFeature.SVM) ? EFER_LMSLE : 0);
    return always | bits(EFER_BITS, cpuid);
  }

  private static long bits(Map<CpuFeature, Long> byFeature, VcpuCpuid cpuid) {
    return byFeature.entrySet().stream()
        .filter(entry -> cpuid.has(entry.getKey()))
        .mapToLong(Map.Entry::getValue)
        .reduce(0, (a, b) -> a | b);
  }

  /** arch/x86/kvm/lapic.c:kvm_apic_set_base. */
  private static void requireApicBase(long before, long base, VcpuCpuid cpuid) {
    long x2apic = cpuid.has(CpuFeature.X2APIC) ? 0 : APIC_X2APIC;
    long reserved = cpuid.reservedAddressBits() | APIC_RESERVED | x2apic;
    boolean isMode = (base & (APIC_X2APIC | APIC_ENABLED)) != APIC_X2APIC;
    refuseIf(base != before && ((base & reserved) != 0 || !isMode), Errno.EINVAL);
  }
}
