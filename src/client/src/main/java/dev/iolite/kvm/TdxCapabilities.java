package dev.iolite.kvm;

import java.util.List;

/**
 * What KVM and the TDX module allow a trust domain.
 *
 * @param attributes the bits of ATTRIBUTES that can be set
 * @param xfam the bits of XFAM that can be set
 * @param callsOfKernel the TDVMCALLs that KVM answers itself, as GetTdVmCallInfo reports them: R11
 *     and R12
 * @param callsOfUser the TDVMCALLs that can be left to the VM's owner, in the same way
 * @param cpuid the CPUID leaves that the owner can configure, with a 1 for each bit
 */
public record TdxCapabilities(
    long attributes,
    long xfam,
    List<Long> callsOfKernel,
    List<Long> callsOfUser,
    List<CpuidEntry> cpuid) {
  /** Copies the lists. */
  public TdxCapabilities {
    callsOfKernel = List.copyOf(callsOfKernel);
    callsOfUser = List.copyOf(callsOfUser);
    cpuid = List.copyOf(cpuid);
  }
}
