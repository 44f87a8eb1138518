package dev.iolite.tdi.guest;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Exit;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.Set;

/**
 * One deed of a guest in real mode, as 16-bit code that ends by writing EAX to a port: what it
 * read, or what its VMM answered. The code is at a fixed address, in memory that the host shares.
 */
final class RealModeProgram {
  /** Where the code is. */
  static final long CODE_GPA = 0x1000;

  private static final int REPORT_PORT = 0x3f8;
  private static final int MOST_BYTES = 64;
  private static final long LIMIT = 1L << 32;

  private static final int EAX = 0xb8;
  private static final int ECX = 0xb9;
  private static final int EDX = 0xba;
  private static final int EBX = 0xbb;
  private static final int ESI = 0xbe;

  /** What KVM_RUN says if the guest does not get through to its memory, or to a revoked dma-buf. */
  private static final Set<Errno> NOT_REACHED = EnumSet.of(Errno.EFAULT, Errno.EIO);

  private final ByteBuffer code = ByteBuffer.allocate(MOST_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  private RealModeProgram() {}

  /** Whether real mode reaches 4 bytes at an address. */
  static boolean reaches(long gpa) {
    return gpa >= 0 && gpa <= LIMIT - Integer.BYTES;
  }

  private static void requireReachable(long gpa, int bytes) {
    if (bytes != Integer.BYTES || !reaches(gpa)) {
      throw new IllegalArgumentException(
          "a guest in real mode makes accesses of 4 bytes below 4 GiB, not one of %d at 0x%x"
              .formatted(bytes, gpa));
    }
  }

  /**
   * Reads.
   *
   * @throws IllegalArgumentException if real mode can't
   */
  static RealModeProgram read(long gpa, int bytes) {
    requireReachable(gpa, bytes);
    RealModeProgram program = new RealModeProgram();
    program.put(0x67, 0x66, 0xa1).code.putInt((int) gpa); // mov eax, [gpa]
    return program;
  }

  /**
   * Writes.
   *
   * @throws IllegalArgumentException if real mode can't
   */
  static RealModeProgram write(long gpa, int bytes, long value) {
    requireReachable(gpa, bytes);
    RealModeProgram program = new RealModeProgram().load(EAX, value);
    program.put(0x67, 0x66, 0xa3).code.putInt((int) gpa); // mov [gpa], eax
    return program;
  }

  /** Writes 32 bits to a port. */
  static RealModeProgram out(int port, int value) {
    return new RealModeProgram().load(EAX, value).load(EDX, port).put(0x66, 0xef); // out dx, eax
  }

  /** Reads 32 bits from a port. */
  static RealModeProgram in(int port) {
    return new RealModeProgram().load(EDX, port).put(0x66, 0xed); // in eax, dx
  }

  /**
   * Makes a hypercall; outside long mode its arguments have 32 bits each.
   *
   * @param arguments at most four
   */
  static RealModeProgram hypercall(int number, long... arguments) {
    int[] registers = {EBX, ECX, EDX, ESI};
    RealModeProgram program = new RealModeProgram().load(EAX, number);
    for (int i = 0; i < arguments.length; i++) {
      program.load(registers[i], arguments[i]);
    }
    return program.put(0x0f, 0x01, 0xd9); // vmmcall
  }

  private RealModeProgram put(int... bytes) {
    for (int one : bytes) {
      code.put((byte) one);
    }
    return this;
  }

  private RealModeProgram load(int register, long value) {
    put(0x66, register).code.putInt((int) value); // mov register, value
    return this;
  }

  /** Has the guest of an assignment do it. */
  GuestAnswer run(DrivenGuest guest) {
    load(EDX, REPORT_PORT).put(0x66, 0xef); // out dx, eax
    MemorySegment bytes = MemorySegment.ofBuffer(code.flip());
    MemorySegment.copy(bytes, 0, guest.assigned().ram().shared(), CODE_GPA, bytes.byteSize());
    guest.assigned().vcpu().enterRealMode(CODE_GPA);
    try {
      return answer(guest);
    } catch (KernelException e) {
      if (!NOT_REACHED.contains(e.errno())) {
        throw e;
      }
      return new GuestAnswer.Refused("KVM_RUN says " + e.errno());
    }
  }

  private static GuestAnswer answer(DrivenGuest guest) {
    return switch (guest.runGuest()) {
      case Exit.IoOut out when out.port() == REPORT_PORT ->
          new GuestAnswer.Reached(Integer.toUnsignedLong(out.value()));
      case Exit.MmioRead _, Exit.MmioWrite _ -> {
        // KVM completes the instruction with what kvm_run has when the vCPU runs again.
        guest.runGuest();
        yield new GuestAnswer.NoSlot();
      }
      case Exit.MemoryFault fault -> new GuestAnswer.Refused(fault.toString());
      case Exit other -> new GuestAnswer.Refused("the guest made an exit: " + other);
    };
  }
}
