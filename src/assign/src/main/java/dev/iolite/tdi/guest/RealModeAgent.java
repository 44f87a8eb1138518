package dev.iolite.tdi.guest;

import dev.iolite.kvm.RealModeCode;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.layout.Kind;

/**
 * A guest in a VM whose state is open to the host: a few instructions of 16-bit code, for 32-bit
 * accesses below 4 GiB. It has no private memory and asks for nothing.
 */
public final class RealModeAgent implements GuestAgent {
  private final DrivenGuest guest;

  /** An agent in the guest of an assignment; its code is put into the guest's memory. */
  public RealModeAgent(DrivenGuest guest) {
    this.guest = guest;
  }

  @Override
  public boolean asks() {
    return false;
  }

  @Override
  public boolean reaches(long gpa) {
    return RealModeCode.reaches(gpa);
  }

  @Override
  public GuestAnswer read(long gpa, int bytes, Kind kind) {
    requireShared(kind);
    return RealModeProgram.read(gpa, bytes).run(guest);
  }

  @Override
  public GuestAnswer write(long gpa, int bytes, long value, Kind kind) {
    requireShared(kind);
    return RealModeProgram.write(gpa, bytes, value).run(guest);
  }

  private static void requireShared(Kind kind) {
    if (kind != Kind.SHARED) {
      throw new IllegalArgumentException(
          "a guest in real mode makes shared accesses of 4 bytes below 4 GiB, not a private one");
    }
  }

  @Override
  public void out(int port, int bytes, int value) {
    requireReached(RealModeProgram.out(port, value).run(guest));
  }

  @Override
  public int in(int port, int bytes) {
    return (int) requireReached(RealModeProgram.in(port).run(guest));
  }

  /** Port I/O always reaches the VMM: if it did not, the guest has not run its code. */
  static long requireReached(GuestAnswer answer) {
    if (answer instanceof GuestAnswer.Reached(long value)) {
      return value;
    }
    throw new ScenarioException("port I/O of the guest: " + answer);
  }

  @Override
  public long ask(GuestAsk ask) {
    throw new UnsupportedOperationException("a guest in real mode can't ask for " + ask);
  }
}
