package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.kvm_fpu;
import dev.iolite.uapi.kvm.kvm_xsave;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A vCPU's x87 and SSE registers, in the format of FXSAVE, and XCR0. */
final class FpuArea {
  /** The bytes that KVM_GET_XSAVE and KVM_GET_XSAVE2 fill. */
  static final long BYTES = kvm_xsave.sizeof();

  /** The components that the model's processor has: x87 and SSE. */
  static final long COMPONENTS = 3;

  private static final long X87 = 1;
  private static final long SSE = 2;

  private static final long FXSAVE_BYTES = 512;
  private static final long MXCSR = 24;
  private static final long MXCSR_MASK = 28;
  private static final long ST = 32;
  private static final long ST_BYTES = 128;
  private static final long XMM = 160;
  private static final long XMM_BYTES = 256;
  private static final long XSTATE_BV = 512;
  private static final long XCOMP_BV = 520;
  private static final long HEADER_END = 576;

  private static final short FCW_AT_RESET = 0x37f;
  private static final int MXCSR_AT_RESET = 0x1f80;
  private static final int MXCSR_ALLOWED = 0xffff;

  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;

  private final VcpuCpuid cpuid;
  private final MemorySegment fxsave = Arena.ofAuto().allocate(FXSAVE_BYTES, Long.BYTES);

  /** XSTATE_BV: which components are not as after reset. */
  private long inUse;

  private long xcr0 = X87;

  /** arch/x86/kernel/fpu/core.c:fpstate_init_user. */
  FpuArea(VcpuCpuid cpuid) {
    this.cpuid = cpuid;
    resetX87(fxsave);
    resetSse(fxsave);
  }

  private static void resetX87(MemorySegment area) {
    area.asSlice(0, MXCSR).fill((byte) 0);
    area.asSlice(ST, ST_BYTES).fill((byte) 0);
    area.set(SHORT, 0, FCW_AT_RESET);
  }

  private static void resetSse(MemorySegment area) {
    area.set(INT, MXCSR, MXCSR_AT_RESET);
    area.asSlice(XMM, XMM_BYTES).fill((byte) 0);
  }

  /**
   * KVM_GET_XSAVE; arch/x86/kernel/fpu/xstate.c:__copy_xstate_to_uabi_buf: a component that is not
   * in use is as after reset.
   */
  void store(MemorySegment area) {
    area.fill((byte) 0);
    area.copyFrom(fxsave);
    if ((inUse & X87) == 0) {
      resetX87(area);
    }
    if ((inUse & SSE) == 0) {
      resetSse(area);
    }
    area.set(INT, MXCSR_MASK, MXCSR_ALLOWED);
    area.set(LONG, XSTATE_BV, inUse);
  }

  /** KVM_SET_XSAVE; arch/x86/kernel/fpu/xstate.c:copy_uabi_to_xstate. */
  void load(MemorySegment area) {
    long components = area.get(LONG, XSTATE_BV);
    refuseIf((components & ~COMPONENTS) != 0, Errno.EINVAL);
    for (long at = XCOMP_BV; at < HEADER_END; at += Long.BYTES) {
      refuseIf(area.get(LONG, at) != 0, Errno.EINVAL);
    }
    refuseIf(components != 0 && (area.get(INT, MXCSR) & ~MXCSR_ALLOWED) != 0, Errno.EINVAL);
    if ((components & X87) != 0) {
      MemorySegment.copy(area, 0, fxsave, 0, MXCSR);
      MemorySegment.copy(area, ST, fxsave, ST, ST_BYTES);
    }
    if ((components & SSE) != 0) {
      MemorySegment.copy(area, XMM, fxsave, XMM, XMM_BYTES);
    }
    if (components != 0) {
      fxsave.set(INT, MXCSR, area.get(INT, MXCSR));
    }
    inUse = components;
  }

  /**
   * KVM_GET_FPU; arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_get_fpu. It does not tell what is in use.
   */
  void storeFpu(MemorySegment fpu) {
    fpu.fill((byte) 0);
    MemorySegment.copy(fxsave, ST, kvm_fpu.fpr(fpu), 0, ST_BYTES);
    kvm_fpu.fcw(fpu, fxsave.get(SHORT, 0));
    kvm_fpu.fsw(fpu, fxsave.get(SHORT, 2));
    kvm_fpu.ftwx(fpu, fxsave.get(ValueLayout.JAVA_BYTE, 4));
    kvm_fpu.last_opcode(fpu, fxsave.get(SHORT, 6));
    kvm_fpu.last_ip(fpu, fxsave.get(LONG, 8));
    kvm_fpu.last_dp(fpu, fxsave.get(LONG, 16));
    MemorySegment.copy(fxsave, XMM, kvm_fpu.xmm(fpu), 0, XMM_BYTES);
  }

  /** KVM_SET_FPU; arch/x86/kvm/x86.c:kvm_arch_vcpu_ioctl_set_fpu. It does not set MXCSR. */
  void loadFpu(MemorySegment fpu) {
    MemorySegment.copy(kvm_fpu.fpr(fpu), 0, fxsave, ST, ST_BYTES);
    fxsave.set(SHORT, 0, kvm_fpu.fcw(fpu));
    fxsave.set(SHORT, 2, kvm_fpu.fsw(fpu));
    fxsave.set(ValueLayout.JAVA_BYTE, 4, kvm_fpu.ftwx(fpu));
    fxsave.set(SHORT, 6, kvm_fpu.last_opcode(fpu));
    fxsave.set(LONG, 8, kvm_fpu.last_ip(fpu));
    fxsave.set(LONG, 16, kvm_fpu.last_dp(fpu));
    MemorySegment.copy(kvm_fpu.xmm(fpu), 0, fxsave, XMM, XMM_BYTES);
  }

  long xcr0() {
    return xcr0;
  }

  /** arch/x86/kvm/x86.c:__kvm_set_xcr, for the components that the model has. */
  void setXcr0(long value) {
    long allowed = cpuid.supportedXcr0() | X87;
    refuseIf((value & X87) == 0 || (value & ~allowed) != 0, Errno.EINVAL);
    xcr0 = value;
  }
}
