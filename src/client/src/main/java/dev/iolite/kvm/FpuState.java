package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_fpu;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A vCPU's x87 and SSE registers, as FXSAVE stores them.
 *
 * @param fcw the x87 control word
 * @param fsw the x87 status word
 * @param ftwx the x87 tag word, abridged: a bit for each register that is not empty
 * @param lastOpcode the last x87 instruction
 * @param lastIp where it is
 * @param lastDp where its operand is
 * @param mxcsr the SSE control and status register
 * @param st the 8 x87 registers
 * @param xmm the 16 SSE registers
 */
public record FpuState(
    int fcw,
    int fsw,
    int ftwx,
    int lastOpcode,
    long lastIp,
    long lastDp,
    int mxcsr,
    List<Register> st,
    List<Register> xmm) {
  private static final int ST = 8;
  private static final int XMM = 16;
  private static final int RESET_FCW = 0x37f;
  private static final int RESET_MXCSR = 0x1f80;

  /**
   * A register of 128 bits.
   *
   * @param low its low half
   * @param high its high half
   */
  public record Register(long low, long high) {
    private static final Register ZERO = new Register(0, 0);
  }

  /** Copies the lists. */
  public FpuState {
    st = List.copyOf(st);
    xmm = List.copyOf(xmm);
    if (st.size() != ST || xmm.size() != XMM) {
      throw new IllegalArgumentException("there are 8 x87 and 16 SSE registers");
    }
  }

  /** What FNINIT leaves, with SSE's exceptions masked. */
  public static FpuState initial() {
    return new FpuState(RESET_FCW, 0, 0, 0, 0, 0, RESET_MXCSR, zeros(ST), zeros(XMM));
  }

  private static List<Register> zeros(int count) {
    return IntStream.range(0, count).mapToObj(_ -> Register.ZERO).toList();
  }

  static FpuState of(MemorySegment fpu) {
    return new FpuState(
        Short.toUnsignedInt(kvm_fpu.fcw(fpu)),
        Short.toUnsignedInt(kvm_fpu.fsw(fpu)),
        Byte.toUnsignedInt(kvm_fpu.ftwx(fpu)),
        Short.toUnsignedInt(kvm_fpu.last_opcode(fpu)),
        kvm_fpu.last_ip(fpu),
        kvm_fpu.last_dp(fpu),
        kvm_fpu.mxcsr(fpu),
        registers(kvm_fpu.fpr(fpu), ST),
        registers(kvm_fpu.xmm(fpu), XMM));
  }

  private static List<Register> registers(MemorySegment array, int count) {
    return IntStream.range(0, count)
        .mapToObj(i ->
            new Register(
                array.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, 2L * i),
                array.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, 2L * i + 1)))
        .toList();
  }

  void store(MemorySegment fpu) {
    kvm_fpu.fcw(fpu, (short) fcw);
    kvm_fpu.fsw(fpu, (short) fsw);
    kvm_fpu.ftwx(fpu, (byte) ftwx);
    kvm_fpu.last_opcode(fpu, (short) lastOpcode);
    kvm_fpu.last_ip(fpu, lastIp);
    kvm_fpu.last_dp(fpu, lastDp);
    kvm_fpu.mxcsr(fpu, mxcsr);
    store(st, kvm_fpu.fpr(fpu));
    store(xmm, kvm_fpu.xmm(fpu));
  }

  private static void store(List<Register> registers, MemorySegment array) {
    for (int i = 0; i < registers.size(); i++) {
      array.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, 2L * i, registers.get(i).low());
      array.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, 2L * i + 1, registers.get(i).high());
    }
  }
}
