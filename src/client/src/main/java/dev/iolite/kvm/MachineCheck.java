package dev.iolite.kvm;

/**
 * An error of the hardware for {@link VcpuInjection#machineCheck}.
 *
 * @param bank which bank reports it
 * @param status IA32_MCi_STATUS
 * @param address IA32_MCi_ADDR
 * @param misc IA32_MCi_MISC
 * @param mcgStatus IA32_MCG_STATUS
 */
public record MachineCheck(int bank, long status, long address, long misc, long mcgStatus) {}
