package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_fpu;
import dev.iolite.uapi.kvm.kvm_lapic_state;
import dev.iolite.uapi.kvm.kvm_mp_state;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_sregs2;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.LongStream;

/**
 * What a vCPU has that x86 defines, beside its general registers. From {@link Vcpu#x86}.
 *
 * <p>KVM locks the vCPU for each of these calls: one that another thread makes waits until the run
 * has left the guest.
 *
 * <p>If the guest's state is protected from the host, the calls about special registers and the FPU
 * fail with EINVAL (but to a guest of KVM_SEV_ES_INIT, they say 0), there are fewer MSRs, and that
 * about the local APIC fails with EINVAL if the processor has it, as in a trust domain.
 *
 * <p>Safe for use by several threads.
 */
public final class X86State {
  private static final int PDPTRS = 4;

  private final Fd fd;

  X86State(Fd fd) {
    this.fd = fd;
  }

  /**
   * The special registers.
   *
   * <p>KVM_GET_SREGS, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_get_sregs.
   */
  public SpecialRegisters specialRegisters() {
    try (Arena arena = Arena.ofConfined()) {
      return SpecialRegisters.of(sregs(arena));
    }
  }

  /**
   * The external interrupt that the vCPU has accepted and not taken yet, if there is one.
   *
   * <p>KVM_GET_SREGS, arch/x86/kvm/x86.c:__get_sregs.
   */
  public OptionalInt pendingInterrupt() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bitmap = kvm_sregs.interrupt_bitmap(sregs(arena));
      for (int i = 0; i < bitmap.byteSize() / Long.BYTES; i++) {
        long word = bitmap.getAtIndex(ValueLayout.JAVA_LONG, i);
        if (word != 0) {
          return OptionalInt.of(i * Long.SIZE + Long.numberOfTrailingZeros(word));
        }
      }
      return OptionalInt.empty();
    }
  }

  private MemorySegment sregs(Arena arena) {
    MemorySegment sregs = kvm_sregs.allocate(arena);
    fd.ioctl(KvmIoctls.KVM_GET_SREGS, sregs);
    return sregs;
  }

  /**
   * Sets the special registers. An interrupt that is pending stays so; {@link
   * VcpuInjection#setEvents} can take it back.
   *
   * <p>KVM_SET_SREGS, arch/x86/kvm/regs.c:kvm_arch_vcpu_ioctl_set_sregs, __set_sregs.
   *
   * @throws KernelException EINVAL: a combination that the processor does not have, such as
   *     EFER.LMA without paging, a reserved bit of CR4, or a mode of the APIC that it can't enter
   */
  public void setSpecialRegisters(SpecialRegisters registers) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sregs = kvm_sregs.allocate(arena);
      registers.store(sregs);
      fd.ioctl(KvmIoctls.KVM_SET_SREGS, sregs);
    }
  }

  /**
   * The special registers with the page directory pointers.
   *
   * <p>KVM_GET_SREGS2, since Linux 5.14, arch/x86/kvm/x86.c:__get_sregs2.
   */
  public SpecialRegisters2 specialRegisters2() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sregs = kvm_sregs2.allocate(arena);
      fd.ioctl(KvmIoctls.KVM_GET_SREGS2, sregs);
      boolean valid = (kvm_sregs2.flags(sregs) & Kvm.KVM_SREGS2_FLAGS_PDPTRS_VALID()) != 0;
      return new SpecialRegisters2(
          SpecialRegisters.of(sregs),
          valid
              ? Optional.of(
                  LongStream.range(0, PDPTRS).mapToObj(i -> kvm_sregs2.pdptrs(sregs, i)).toList())
              : Optional.empty());
    }
  }

  /**
   * Sets the special registers, and the page directory pointers if there are any.
   *
   * <p>KVM_SET_SREGS2, since Linux 5.14, arch/x86/kvm/x86.c:__set_sregs2.
   *
   * @throws KernelException EINVAL: as for {@link #setSpecialRegisters}, or there are pointers and
   *     the processor is not in 32-bit PAE mode
   */
  public void setSpecialRegisters2(SpecialRegisters2 registers) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sregs = kvm_sregs2.allocate(arena);
      registers.registers().store(sregs);
      registers
          .pdptrs()
          .ifPresent(pointers -> {
            kvm_sregs2.flags(sregs, Kvm.KVM_SREGS2_FLAGS_PDPTRS_VALID());
            for (int i = 0; i < PDPTRS; i++) {
              kvm_sregs2.pdptrs(sregs, i, pointers.get(i));
            }
          });
      fd.ioctl(KvmIoctls.KVM_SET_SREGS2, sregs);
    }
  }

  /**
   * The x87 and SSE registers.
   *
   * <p>KVM_GET_FPU, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_get_fpu.
   */
  public FpuState fpu() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fpu = kvm_fpu.allocate(arena);
      fd.ioctl(KvmIoctls.KVM_GET_FPU, fpu);
      return FpuState.of(fpu);
    }
  }

  /**
   * Sets the x87 and SSE registers. KVM ignores {@link FpuState#mxcsr}.
   *
   * <p>KVM_SET_FPU, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_set_fpu.
   */
  public void setFpu(FpuState state) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fpu = kvm_fpu.allocate(arena);
      state.store(fpu);
      fd.ioctl(KvmIoctls.KVM_SET_FPU, fpu);
    }
  }

  /**
   * What CPUID answers in the guest.
   *
   * <p>KVM_GET_CPUID2, arch/x86/kvm/cpuid.c:kvm_vcpu_ioctl_get_cpuid2.
   */
  public List<CpuidEntry> cpuid() {
    return CpuidCall.get(fd, KvmIoctls.KVM_GET_CPUID2);
  }

  /**
   * Sets what CPUID answers in the guest, before it runs for the first time. Begin with {@link
   * dev.iolite.kvm.Kvm#supportedCpuid}, and give the leaves 1 and 0xb the vCPU's APIC id.
   *
   * <p>KVM_SET_CPUID2, arch/x86/kvm/cpuid.c:kvm_vcpu_ioctl_set_cpuid2.
   *
   * @throws KernelException E2BIG: more than 256 entries; EINVAL: the guest has run and they differ
   *     from what it was told, or the address width is not one that processors have
   */
  public void setCpuid(List<CpuidEntry> entries) {
    CpuidCall.set(fd, KvmIoctls.KVM_SET_CPUID2, entries);
  }

  /**
   * Sets what CPUID answers, with leaves that have no sub-leaves.
   *
   * <p>KVM_SET_CPUID, arch/x86/kvm/cpuid.c:kvm_vcpu_ioctl_set_cpuid. {@link #setCpuid} does more.
   *
   * @param entries the leaves; their indexes are ignored
   * @throws KernelException as for {@link #setCpuid}
   */
  public void setCpuidWithoutIndexes(List<CpuidEntry> entries) {
    CpuidCall.setWithoutIndexes(fd, entries);
  }

  /**
   * Reads model-specific registers.
   *
   * <p>KVM_GET_MSRS, arch/x86/kvm/x86.c:msr_io.
   *
   * @return fewer than asked for if one can't be read: the first that is missing
   * @throws KernelException E2BIG: 256 or more
   */
  public List<Msr> msrs(List<Integer> indexes) {
    return MsrCall.get(fd, KvmIoctls.KVM_GET_MSRS_ON_VCPU, indexes);
  }

  /**
   * Writes model-specific registers.
   *
   * <p>KVM_SET_MSRS, arch/x86/kvm/x86.c:msr_io.
   *
   * @return how many were written, fewer than asked for if one can't be: the next one
   * @throws KernelException E2BIG: 256 or more
   */
  public int setMsrs(List<Msr> msrs) {
    return MsrCall.set(fd, KvmIoctls.KVM_SET_MSRS, msrs);
  }

  /**
   * The registers of the local APIC.
   *
   * <p>KVM_GET_LAPIC, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_get_lapic.
   *
   * @throws KernelException EINVAL: the local APIC is not in the kernel
   */
  public LapicState lapic() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = kvm_lapic_state.allocate(arena);
      fd.ioctl(KvmIoctls.KVM_GET_LAPIC, state);
      return new LapicState(state.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /**
   * Sets the registers of the local APIC.
   *
   * <p>KVM_SET_LAPIC, arch/x86/kvm/x86.c:kvm_vcpu_ioctl_set_lapic.
   *
   * @throws KernelException EINVAL: the local APIC is not in the kernel, or the id is not the
   *     vCPU's
   */
  public void setLapic(LapicState lapic) {
    try (Arena arena = Arena.ofConfined()) {
      fd.ioctl(KvmIoctls.KVM_SET_LAPIC, arena.allocateFrom(ValueLayout.JAVA_BYTE, lapic.bytes()));
    }
  }

  /**
   * Whether it runs, halts, or waits to be started.
   *
   * <p>KVM_GET_MP_STATE, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_get_mpstate.
   */
  public MpState mpState() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = kvm_mp_state.allocate(arena);
      fd.ioctl(KvmIoctls.KVM_GET_MP_STATE, state);
      return MpState.of(kvm_mp_state.mp_state(state));
    }
  }

  /**
   * Makes it run, halt, or wait to be started.
   *
   * <p>KVM_SET_MP_STATE, arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_set_mpstate.
   *
   * @throws KernelException EINVAL: only a vCPU whose local APIC is in the kernel can wait to be
   *     started, or the state is not one for this guest
   */
  public void setMpState(MpState state) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment argument = kvm_mp_state.allocate(arena);
      kvm_mp_state.mp_state(argument, state.number());
      fd.ioctl(KvmIoctls.KVM_SET_MP_STATE, argument);
    }
  }
}
