package dev.iolite.rehearsal;

import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.Exit;
import dev.iolite.mock.kvm.GuestStep;
import dev.iolite.mock.kvm.ToldGuest;
import dev.iolite.mock.kvm.TsmExits;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.Kind;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** The guest of an assignment on a model. It follows instructions. */
public final class MockGuest implements GuestAgent {
  private static final long ALL_ONES = -1;

  private final ToldGuest guest;
  private final TdiAssignment assignment;
  private final long virtualBdf;

  /**
   * The guest of an assignment.
   *
   * @param guest what the model's vCPU runs
   * @param virtualBdf the guest's number for the device
   */
  public MockGuest(ToldGuest guest, TdiAssignment assignment, long virtualBdf) {
    this.guest = guest;
    this.assignment = assignment;
    this.virtualBdf = virtualBdf;
  }

  @Override
  public GuestAnswer read(long gpa, int bytes, Kind kind) {
    AtomicLong value = new AtomicLong();
    guest.tell(
        new GuestStep.Read(
            kind == Kind.PRIVATE,
            gpa,
            bytes,
            read -> {
              value.set(read);
              return true;
            }));
    return run(value);
  }

  @Override
  public GuestAnswer write(long gpa, int bytes, long value, Kind kind) {
    guest.tell(new GuestStep.Write(kind == Kind.PRIVATE, gpa, bytes, value));
    return run(new AtomicLong(value));
  }

  private GuestAnswer run(AtomicLong value) {
    try {
      return switch (assignment.runGuest()) {
        case Exit.IoOut out when out.port() == ToldGuest.IDLE_PORT ->
            new GuestAnswer.Reached(value.get());
        case Exit.MmioRead read -> {
          read.respond(ALL_ONES);
          assignment.runGuest();
          yield new GuestAnswer.NoSlot();
        }
        case Exit.MmioWrite _ -> {
          assignment.runGuest();
          yield new GuestAnswer.NoSlot();
        }
        case Exit other -> new GuestAnswer.Refused(other.toString());
      };
    } catch (KernelException e) {
      return new GuestAnswer.Refused("KVM_RUN says " + e.errno());
    } finally {
      guest.forget();
    }
  }

  @Override
  public void out(int port, int bytes, int value) {
    guest.tell(new GuestStep.Out(port, bytes, value));
    requireReached("write to a port", run(new AtomicLong()));
  }

  @Override
  public int in(int port, int bytes) {
    AtomicLong value = new AtomicLong();
    guest.tell(
        new GuestStep.In(
            port,
            bytes,
            read -> {
              value.set(read);
              return true;
            }));
    requireReached("read from a port", run(value));
    return (int) value.get();
  }

  private static void requireReached(String what, GuestAnswer came) {
    if (!came.reached()) {
      throw new ScenarioException("the guest was to " + what + ": " + came);
    }
  }

  @Override
  public long ask(GuestAsk ask) {
    AtomicLong answer = new AtomicLong();
    guest.tell(step(ask, answer::set));
    requireReached("ask for " + ask, run(answer));
    return answer.get();
  }

  private GuestStep step(GuestAsk ask, LongConsumer result) {
    return switch (ask) {
      case GuestAsk.Bind _ -> new GuestStep.Leave(TsmExits.bind(virtualBdf, result));
      case GuestAsk.Unbind _ -> new GuestStep.Leave(TsmExits.unbind(virtualBdf, result));
      case GuestAsk.SetState state ->
          new GuestStep.Leave(TsmExits.setState(virtualBdf, state.state(), result));
      case GuestAsk.ValidateMmio validate ->
          new GuestStep.Leave(
              TsmExits.validateMmio(
                  virtualBdf,
                  validate.gpaBase(),
                  validate.gpaTop(),
                  validate.physical(),
                  validate.rangeId(),
                  result));
      case GuestAsk.ReadReport read ->
          new GuestStep.Leave(TsmExits.readReport(virtualBdf, read.gpa(), read.bytes(), result));
      case GuestAsk.ReadMeasurements read ->
          new GuestStep.Leave(
              TsmExits.readMeasurements(virtualBdf, read.gpa(), read.bytes(), result));
      case GuestAsk.Convert convert ->
          new GuestStep.MapGpa(
              convert.gpa(), convert.bytes(), convert.kind() == Kind.PRIVATE, result);
    };
  }
}
