package dev.iolite.mock.kvm;

/** Thrown by an instruction that can't be finished now. It carries no stack trace. */
@SuppressWarnings("StaticAssignmentOfThrowable") // control flow, which must be cheap
final class GuestTrap extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * The guest has exited, and kvm_run contains what it waits for; the instruction will be repeated.
   */
  static final GuestTrap LEFT = new GuestTrap(-1);

  /** The model does not know the instruction. */
  static final GuestTrap UNKNOWN = new GuestTrap(-2);

  /** #UD. */
  static final GuestTrap INVALID_OPCODE = new GuestTrap(6);

  /** #GP. */
  static final GuestTrap GENERAL_PROTECTION = new GuestTrap(13);

  /** #BP; the instruction pointer is already past the instruction. */
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
