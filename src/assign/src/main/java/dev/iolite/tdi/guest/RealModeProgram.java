package dev.iolite.tdi.guest;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.RealModeCode;
import dev.iolite.kvm.RealModeCode.Register;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * One action of a guest in real mode, as 16-bit code that ends by writing EAX to a port: what it
 * read, or what its VMM answered. The code is at a fixed address, in memory shared with the host.
 */
final class RealModeProgram {
  /** Where the code is. */
  static final long CODE_GPA = 0x1000;

  private static final int REPORT_PORT = 0x3f8;

  /** What KVM_RUN returns if the guest cannot reach its memory, or touches a revoked dma-buf. */
  private static final Set<Errno> NOT_REACHED = EnumSet.of(Errno.EFAULT, Errno.EIO);

  /** Where a hypercall has its arguments outside long mode. */
  private static final List<Register> ARGUMENTS =
      List.of(Register.EBX, Register.ECX, Register.EDX, Register.ESI);

  private final RealModeCode code;

  private RealModeProgram(RealModeCode code) {
    this.code = code;
  }

  private static void requireReachable(long gpa, int bytes) {
    if (bytes != Integer.BYTES || !RealModeCode.reaches(gpa)) {
      throw new IllegalArgumentException(
          "a guest in real mode makes accesses of 4 bytes below 4 GiB, not one of %d at 0x%x"
              .formatted(bytes, gpa));
    }
  }

  /**
   * Requires that an action leaves the guest its code. Without it, the processor runs whatever is
   * there, until the deadline.
   *
   * @param attempt what the guest is to do
   * @param bytes from {@code gpa} on, what is written or becomes private
   * @throws PreconditionException if the code is there
   */
  static void requireCodeStays(String attempt, long gpa, long bytes) {
    if (gpa < CODE_GPA + Page.BYTES && bytes > CODE_GPA - gpa) {
      throw new PreconditionException(
          attempt,
          "the page at 0x%x has the guest's own code".formatted(CODE_GPA),
          "the address is meant to be the device's, or any page of the RAM",
          "another page");
    }
  }

  /**
   * A read.
   *
   * @throws IllegalArgumentException if real mode cannot make it
   */
  static RealModeProgram read(long gpa, int bytes) {
    requireReachable(gpa, bytes);
    return new RealModeProgram(new RealModeCode().load(gpa));
  }

  /**
   * A write.
   *
   * @throws IllegalArgumentException if real mode cannot make it
   * @throws PreconditionException if it would hit the guest's code
   */
  static RealModeProgram write(long gpa, int bytes, long value) {
    requireReachable(gpa, bytes);
    requireCodeStays("have the guest write to 0x%x".formatted(gpa), gpa, bytes);
    return new RealModeProgram(new RealModeCode().set(Register.EAX, value).store(gpa));
  }

  /** A write of 32 bits to a port. */
  static RealModeProgram out(int port, int value) {
    return new RealModeProgram(new RealModeCode().set(Register.EAX, value).out(port));
  }

  /** A read of 32 bits from a port. */
  static RealModeProgram in(int port) {
    return new RealModeProgram(new RealModeCode().in(port));
  }

  /**
   * A hypercall; outside long mode, its arguments have 32 bits each.
   *
   * @param arguments at most four
   */
  static RealModeProgram hypercall(int number, long... arguments) {
    RealModeCode code = new RealModeCode().set(Register.EAX, number);
    for (int i = 0; i < arguments.length; i++) {
      code.set(ARGUMENTS.get(i), arguments[i]);
    }
    return new RealModeProgram(code.hypercall());
  }

  /** Makes the guest of an assignment do it. */
  GuestAnswer run(DrivenGuest guest) {
    code.out(REPORT_PORT).copyTo(guest.assigned().ram().shared(), CODE_GPA);
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
