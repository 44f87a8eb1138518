package dev.iolite.mock.kvm;

/**
 * A processor feature that decides which bits of its registers may be set, with its place in CPUID
 * (arch/x86/include/asm/cpufeatures.h).
 */
enum CpuFeature {
  VIRTUAL_MACHINE_EXTENSIONS(1, 0, CpuidEntries.ECX, 5),
  PROCESS_CONTEXT_IDS(1, 0, CpuidEntries.ECX, 17),
  X2APIC(1, 0, CpuidEntries.ECX, 21),
  XSAVE(1, 0, CpuidEntries.ECX, 26),
  FSGSBASE(7, 0, CpuidEntries.EBX, 0),
  SMEP(7, 0, CpuidEntries.EBX, 7),
  SMAP(7, 0, CpuidEntries.EBX, 20),
  UMIP(7, 0, CpuidEntries.ECX, 2),
  PROTECTION_KEYS(7, 0, CpuidEntries.ECX, 3),
  SHADOW_STACK(7, 0, CpuidEntries.ECX, 7),
  LA57(7, 0, CpuidEntries.ECX, 16),
  INDIRECT_BRANCH_TRACKING(7, 0, CpuidEntries.EDX, 20),
  LINEAR_ADDRESS_MASKING(7, 1, CpuidEntries.EAX, 26),
  SVM(0x8000_0001, 0, CpuidEntries.ECX, 2),
  NX(0x8000_0001, 0, CpuidEntries.EDX, 20),
  FAST_FXSR(0x8000_0001, 0, CpuidEntries.EDX, 25),
  LONG_MODE(0x8000_0001, 0, CpuidEntries.EDX, 29),
  AUTOMATIC_IBRS(0x8000_0021, 0, CpuidEntries.EAX, 8);

  final int leaf;
  final int subleaf;
  final int register;
  final int bit;

  CpuFeature(int leaf, int subleaf, int register, int bit) {
    this.leaf = leaf;
    this.subleaf = subleaf;
    this.register = register;
    this.bit = bit;
  }
}
