package dev.iolite.tdi.guest;

import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.RealModeCode;
import dev.iolite.kvm.Vm;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.host.GuestRam;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.profile.UapiProfile;
import dev.iolite.uapi.tsm.Tsm;
import java.util.Optional;

/**
 * A guest in a VM of type SW_PROTECTED, whose memory is private only in KVM's records. Its state is
 * open to the host, so it can be given 16-bit code, in a page that is shared for this purpose. It
 * makes 32-bit accesses below 4 GiB, and makes its requests by hypercall.
 *
 * <p>Its processor does not say whether an access is private: KVM takes the kind from the page's
 * attribute. For an access of the other kind, the attribute is changed while the access lasts.
 */
public final class SwProtectedAgent implements GuestAgent {
  /** KVM_HC_MAP_GPA_RANGE of linux/kvm_para.h, and its flag for private memory. */
  private static final int MAP_GPA_RANGE = 12;

  private static final int MAP_ENCRYPTED = 1 << 4;

  private final DrivenGuest guest;

  /** An agent in the guest of an assignment. */
  public SwProtectedAgent(DrivenGuest guest) {
    this.guest = guest;
  }

  /**
   * Whether its hypercalls leave the guest: those that convert memory, and all that a bind needs.
   */
  @Override
  public boolean asks() {
    UapiProfile profile = guest.assigned().profile();
    boolean hasCalls = !profile.bindsTdis() || profile.hypercallExits() != 0;
    return hasCalls
        && vm().exitsOnHypercalls(1L << MAP_GPA_RANGE)
        && vm().exitsOnHypercalls(profile.hypercallExits());
  }

  private Vm vm() {
    return guest.assigned().vm();
  }

  @Override
  public boolean reaches(long gpa) {
    return RealModeCode.reaches(gpa);
  }

  @Override
  public GuestAnswer read(long gpa, int bytes, Kind kind) {
    return access(gpa, kind, RealModeProgram.read(gpa, bytes));
  }

  @Override
  public GuestAnswer write(long gpa, int bytes, long value, Kind kind) {
    return access(gpa, kind, RealModeProgram.write(gpa, bytes, value));
  }

  /**
   * Runs the program with the attribute that the access needs, and then restores the page's own.
   */
  private GuestAnswer access(long gpa, Kind kind, RealModeProgram program) {
    boolean wanted = kind == Kind.PRIVATE;
    if (isPrivate(gpa) == wanted) {
      return run(program);
    }
    long page = gpa & -Page.BYTES;
    if (wanted) {
      RealModeProgram.requireCodeStays(
          "have the guest access 0x%x as private memory".formatted(gpa), page, Page.BYTES);
    }
    vm().setPrivate(page, Page.BYTES, wanted);
    try {
      return run(program);
    } finally {
      // Not simply as it was: what the guest ran into may have taken the BARs away.
      vm().setPrivate(page, Page.BYTES, isPrivate(gpa));
    }
  }

  /** The attribute that the page has while no access of the other kind is made. */
  private boolean isPrivate(long gpa) {
    synchronized (guest) {
      return guest.ledger().kind(gpa).equals(Optional.of(Kind.PRIVATE));
    }
  }

  @Override
  public void out(int port, int bytes, int value) {
    RealModeAgent.requireReached(run(RealModeProgram.out(port, value)));
  }

  @Override
  public int in(int port, int bytes) {
    return (int) RealModeAgent.requireReached(run(RealModeProgram.in(port)));
  }

  @Override
  public long ask(GuestAsk ask) {
    requireCodeStays(ask);
    long bdf = guest.virtualBdf();
    return switch (ask) {
      case GuestAsk.Bind _ -> call(Tsm.KVM_HC_TSM_BIND(), bdf);
      case GuestAsk.Unbind _ -> call(Tsm.KVM_HC_TSM_UNBIND(), bdf);
      case GuestAsk.SetState set -> call(Tsm.KVM_HC_TSM_SET_TDI_STATE(), bdf, set.state());
      case GuestAsk.ValidateMmio validate ->
          call(
              Tsm.KVM_HC_TSM_VALIDATE_MMIO(),
              bdf | (long) validate.rangeId() << Short.SIZE,
              validate.gpaBase(),
              validate.gpaTop(),
              validate.physical());
      case GuestAsk.ReadReport read ->
          call(Tsm.KVM_HC_TSM_READ_REPORT(), bdf, read.gpa(), read.bytes());
      case GuestAsk.ReadMeasurements read ->
          call(Tsm.KVM_HC_TSM_READ_MEASUREMENTS(), bdf, read.gpa(), read.bytes());
      case GuestAsk.Convert convert ->
          call(
              MAP_GPA_RANGE,
              convert.gpa(),
              convert.bytes() / Page.BYTES,
              convert.kind() == Kind.PRIVATE ? MAP_ENCRYPTED : 0);
    };
  }

  private static void requireCodeStays(GuestAsk ask) {
    switch (ask) {
      case GuestAsk.Convert(long gpa, long bytes, Kind kind) when kind == Kind.PRIVATE ->
          requireCodeStays("make 0x%x bytes at 0x%x private", gpa, bytes);
      case GuestAsk.ReadReport(long gpa, long bytes) ->
          requireCodeStays("read its interface's report into 0x%x bytes at 0x%x", gpa, bytes);
      case GuestAsk.ReadMeasurements(long gpa, long bytes) ->
          requireCodeStays("read measurements into 0x%x bytes at 0x%x", gpa, bytes);
      default -> {}
    }
  }

  private static void requireCodeStays(String format, long gpa, long bytes) {
    String attempt = "have the guest " + format.formatted(bytes, gpa);
    RealModeProgram.requireCodeStays(attempt, gpa, bytes);
  }

  /** The answer has 32 bits, as a guest outside long mode sees them. */
  private long call(int number, long... arguments) {
    for (long argument : arguments) {
      if (argument != Integer.toUnsignedLong((int) argument)) {
        throw new PreconditionException(
            "have the guest make hypercall 0x%x with 0x%x".formatted(number, argument),
            "the guest's code is 16-bit, and its hypercalls have arguments of 32 bits",
            "a BAR is above 4 GiB, in the guest or on the host",
            "a device with smaller BARs");
      }
    }
    return switch (run(RealModeProgram.hypercall(number, arguments))) {
      case GuestAnswer.Reached(long answer) -> (int) answer;
      case GuestAnswer other ->
          throw new ScenarioException("hypercall 0x%x of the guest: %s".formatted(number, other));
    };
  }

  private GuestAnswer run(RealModeProgram program) {
    synchronized (guest) {
      GuestRam ram = guest.assigned().ram();
      if (!ram.isShared(RealModeProgram.CODE_GPA, Page.BYTES)) {
        ram.convert(RealModeProgram.CODE_GPA, Page.BYTES, Kind.SHARED);
      }
    }
    return program.run(guest);
  }
}
