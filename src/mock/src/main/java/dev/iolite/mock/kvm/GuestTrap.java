package dev.iolite.mock.kvm;

/** An instruction that can't be finished now. It carries no stack trace. */
@SuppressWarnings("StaticAssignmentOfThrowable") // it is control flow, and as cheap as that
final class GuestTrap extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The guest has left, and what it waits for is in kvm_run; the instruction will be repeated. */
  static final GuestTrap LEFT = new GuestTrap(-1);

  /** The model does not know the instruction. */
  static final GuestTrap UNKNOWN = new GuestTrap(-2);

  /** #UD. */
  static final GuestTrap INVALID_OPCODE = new GuestTrap(6);

  /** #GP. */
  static final GuestTrap GENERAL_PROTECTION = new GuestTrap(13);

  /** #BP; the instruction pointer is behind the instruction already. */
  static final GuestTrap BREAKPOINT = new GuestTrap(3);

  private final int vector;

  private GuestTrap(int vector) {
    super("", null, false, false);
    this.vector = vector;
  }

  /** The exception's vector; negative for the other two. */
  int vector() {
    return vector;
  }
}
