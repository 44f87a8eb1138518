package dev.iolite.tdi;

import dev.iolite.kvm.Exit;
import dev.iolite.kvm.Vcpu;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.layout.Kind;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A guest in a VM whose state is open to the host: a few instructions of 16-bit code, for 32-bit
 * accesses below 4 GiB. It has no private memory and asks for nothing.
 */
public final class RealModeAgent implements GuestAgent {
  private static final long CODE_GPA = 0x1000;
  private static final int REPORT_PORT = 0x3f8;
  private static final long LIMIT = 1L << 32;

  private final TdiAssignment assignment;

  /** An agent in the guest of an assignment; its code is put into the guest's memory. */
  public RealModeAgent(TdiAssignment assignment) {
    this.assignment = assignment;
  }

  @Override
  public boolean asks() {
    return false;
  }

  @Override
  public boolean reaches(long gpa) {
    return gpa >= 0 && gpa <= LIMIT - Integer.BYTES;
  }

  @Override
  public GuestAnswer read(long gpa, int bytes, Kind kind) {
    requireKnown(gpa, bytes, kind);
    return run(
        code()
            .put(new byte[] {0x67, 0x66, (byte) 0xa1}) // mov eax, [gpa]
            .putInt((int) gpa));
  }

  @Override
  public GuestAnswer write(long gpa, int bytes, long value, Kind kind) {
    requireKnown(gpa, bytes, kind);
    return run(
        loadEax((int) value)
            .put(new byte[] {0x67, 0x66, (byte) 0xa3}) // mov [gpa], eax
            .putInt((int) gpa));
  }

  private static ByteBuffer loadEax(int value) {
    return code().put(new byte[] {0x66, (byte) 0xb8}).putInt(value); // mov eax, value
  }

  @Override
  public void out(int port, int bytes, int value) {
    requireReached(
        run(
            loadEax(value)
                .put((byte) 0xba) // mov dx, port
                .putShort((short) port)
                .put(new byte[] {0x66, (byte) 0xef}))); // out dx, eax
  }

  @Override
  public int in(int port, int bytes) {
    return (int)
        requireReached(
            run(
                code()
                    .put((byte) 0xba) // mov dx, port
                    .putShort((short) port)
                    .put(new byte[] {0x66, (byte) 0xed}))); // in eax, dx
  }

  private static long requireReached(GuestAnswer answer) {
    if (answer instanceof GuestAnswer.Reached(long value)) {
      return value;
    }
    throw new ScenarioException("port I/O of the guest: " + answer);
  }

  @Override
  public long ask(GuestAsk ask) {
    throw new UnsupportedOperationException("a guest in real mode can't ask for " + ask);
  }

  private void requireKnown(long gpa, int bytes, Kind kind) {
    if (kind != Kind.SHARED || bytes != Integer.BYTES || !reaches(gpa)) {
      throw new IllegalArgumentException(
          "a guest in real mode makes shared accesses of 4 bytes below 4 GiB, not a %s one of %d"
                  .formatted(kind, bytes)
              + " at 0x%x".formatted(gpa));
    }
  }

  private static ByteBuffer code() {
    return ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
  }

  private GuestAnswer run(ByteBuffer code) {
    code.put((byte) 0xba).putShort((short) REPORT_PORT); // mov dx, REPORT_PORT
    code.put(new byte[] {0x66, (byte) 0xef}); // out dx, eax
    MemorySegment bytes = MemorySegment.ofBuffer(code.rewind());
    MemorySegment.copy(bytes, 0, assignment.sharedRam(), CODE_GPA, bytes.byteSize());
    Vcpu vcpu = assignment.vcpu();
    vcpu.enterRealMode(CODE_GPA);
    return switch (assignment.runGuest()) {
      case Exit.IoOut out when out.port() == REPORT_PORT ->
          new GuestAnswer.Reached(Integer.toUnsignedLong(out.value()));
      case Exit.MmioRead _, Exit.MmioWrite _ -> finishMmio();
      case Exit.MemoryFault fault -> new GuestAnswer.Refused(fault.toString());
      case Exit other -> new GuestAnswer.Refused("the guest made an exit: " + other);
    };
  }

  /** KVM completes the instruction with what kvm_run has when the vCPU runs again. */
  private GuestAnswer finishMmio() {
    assignment.runGuest();
    return new GuestAnswer.NoSlot();
  }
}
