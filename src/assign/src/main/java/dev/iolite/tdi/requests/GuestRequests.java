package dev.iolite.tdi.requests;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Exit;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.Event;
import dev.iolite.tdi.State;
import dev.iolite.tdi.bars.MmioMaps;
import dev.iolite.tdi.evidence.Measurements;
import dev.iolite.tdi.host.GuestRam;
import dev.iolite.tdi.layout.Kind;
import dev.iolite.tdi.layout.MalformedLayoutException;
import dev.iolite.tdi.layout.MalformedReportException;
import dev.iolite.tdi.profile.GuestRequest;
import dev.iolite.tdi.profile.Outcome;
import dev.iolite.tdi.profile.TdiBinding;
import dev.iolite.tdi.profile.TsmCallException;
import dev.iolite.tdi.profile.TsmOperation;
import dev.iolite.tdi.profile.UapiProfile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.Function;

/**
 * Serves a guest's requests to its VMM. The guest is not trusted: it may ask for ranges that are
 * not its own or for what has already been done, and it may ask at any time.
 */
public final class GuestRequests {
  private final AssignmentOptions options;
  private final Vmm vmm;

  /** Serves the requests of an assignment's guest. */
  public GuestRequests(AssignmentOptions options, Vmm vmm) {
    this.options = options;
    this.vmm = vmm;
  }

  /** Serves an exit; returns whether it was such a request, and was answered. */
  public boolean serve(Exit exit) {
    Optional<GuestRequest> request = vmm.usedProfile().flatMap(profile -> profile.request(exit));
    request.ifPresent(asked -> asked.respond(answer(asked)));
    return request.isPresent();
  }

  private long answer(GuestRequest request) {
    try {
      return serve(request);
    } catch (TsmCallException e) {
      return told(request, e, e.kernel().errno());
    } catch (KernelException e) {
      return told(request, e, e.errno());
    } catch (PreconditionException e) {
      return told(request, e, Errno.EBUSY);
    } catch (MalformedReportException | MalformedLayoutException | ScenarioException e) {
      return told(request, e, Errno.EIO);
    }
  }

  /**
   * The guest's answer to a failed request.
   *
   * @throws RuntimeException the failure, if there is no longer a guest to tell
   */
  private long told(GuestRequest request, RuntimeException failure, Errno errno) {
    if (vmm.usedProfile().isEmpty()) {
      throw failure;
    }
    options
        .listener()
        .remark(
            "The guest asked to %s and was refused with %s: %s"
                .formatted(words(request), errno, failure.getMessage()));
    return errno == Errno.UNKNOWN ? Errno.EIO.negated() : errno.negated();
  }

  private static String words(GuestRequest request) {
    return switch (request) {
      case GuestRequest.Bind _ -> "bind the interface";
      case GuestRequest.Unbind _ -> "unbind the interface";
      case GuestRequest.SetState state -> "change the interface's state to " + state.number();
      case GuestRequest.ValidateMmio validate ->
          "validate MMIO 0x%x-0x%x".formatted(validate.gpaBase(), validate.gpaTop() - 1);
      case GuestRequest.ReadReport _ -> "read the interface's report";
      case GuestRequest.ReadMeasurements _ -> "read the device's measurements";
      case GuestRequest.MapGpa map ->
          "make 0x%x bytes at 0x%x %s"
              .formatted(map.bytes(), map.gpa(), map.isPrivate() ? "private" : "shared");
    };
  }

  private long serve(GuestRequest request) {
    return switch (request) {
      case GuestRequest.Bind bind -> owned(bind.virtualBdf(), () -> fire(Event.BIND));
      case GuestRequest.Unbind unbind -> owned(unbind.virtualBdf(), () -> fire(Event.UNBIND));
      case GuestRequest.SetState state -> owned(state.virtualBdf(), () -> setState(state));
      case GuestRequest.ValidateMmio validate ->
          owned(validate.virtualBdf(), () -> validate(validate));
      case GuestRequest.ReadReport read -> owned(read.virtualBdf(), () -> report(read));
      case GuestRequest.ReadMeasurements read -> owned(read.virtualBdf(), () -> measurements(read));
      case GuestRequest.MapGpa map -> convert(map);
    };
  }

  /** Fulfils a request of the guest. */
  @FunctionalInterface
  private interface Wish {
    long grant();
  }

  /** Refuses requests for any other device: the guest has no other device of ours. */
  private long owned(long virtualBdf, Wish wish) {
    return virtualBdf == options.virtualBdf()
        ? wish.grant()
        : refuse(Errno.ENODEV, "a device %x that it does not have".formatted(virtualBdf));
  }

  private long refuse(Errno errno, String what) {
    options.listener().remark("The guest asked for " + what + ": " + errno);
    return errno.negated();
  }

  private long fire(Event event) {
    vmm.fire(event);
    return 0;
  }

  private long setState(GuestRequest.SetState wanted) {
    return switch (wanted.state().orElse(null)) {
      case CONFIG_UNLOCKED -> fire(Event.UNBIND);
      case CONFIG_LOCKED -> vmm.state() == State.SPLIT ? 0 : fire(Event.BIND);
      case RUN -> fire(Event.START);
      case ERROR -> refuse(Errno.EINVAL, "the state ERROR");
      case null -> refuse(Errno.EINVAL, "a state " + wanted.number());
    };
  }

  /** The addresses are checked here, since not every proposal's kernel can check them all. */
  private long validate(GuestRequest.ValidateMmio wanted) {
    Optional<MmioMaps> maps = vmm.maps().filter(_ -> vmm.binding().isPresent());
    if (maps.isEmpty()) {
      return refuse(Errno.ENXIO, "a validation, but the interface is not bound");
    }
    boolean matches =
        maps.get()
            .physical(vmm.device(), wanted.gpaBase(), wanted.gpaTop())
            .filter(physical -> physical == wanted.physical())
            .isPresent();
    if (!matches) {
      return refuse(
          Errno.EINVAL,
          "a validation of 0x%x-0x%x at 0x%x, which is not private memory of its device there"
              .formatted(wanted.gpaBase(), wanted.gpaTop(), wanted.physical()));
    }
    UapiProfile profile = vmm.device().profile();
    if (!profile.operations().contains(TsmOperation.VALIDATE_MMIO)) {
      return refuse(Errno.EOPNOTSUPP, "a validation, which " + noCall(profile));
    }
    return asked(binding -> {
      binding.validateMmio(wanted.gpaBase(), wanted.gpaTop(), wanted.physical(), wanted.rangeId());
      return 0L;
    });
  }

  /**
   * Passes a request on to the TSM. If that fails, the interface itself may have failed; and where
   * the TSM maps what is validated, a validation that may have been done leaves the state unknown.
   */
  private <T> T asked(Function<TdiBinding, T> call) {
    try {
      return call.apply(vmm.binding().orElseThrow());
    } catch (TsmCallException e) {
      boolean maps = !vmm.device().profile().operations().contains(TsmOperation.PRIVATE_SLOT);
      try {
        vmm.fire(maps && e.outcome() == Outcome.MAYBE_DONE ? Event.UNCLEAR : Event.LOOK);
      } catch (RuntimeException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw e;
    }
  }

  private long report(GuestRequest.ReadReport read) {
    Optional<byte[]> report = vmm.report();
    if (report.isEmpty()) {
      return refuse(Errno.ENXIO, "a report that the VMM does not have");
    }
    Optional<MemorySegment> room = room(read.gpa(), read.bytes());
    return room.isEmpty()
        ? refuse(Errno.EFAULT, "its report " + elsewhere(read.gpa(), read.bytes()))
        : give("report", report.get(), room.get());
  }

  /**
   * The nonce comes from the guest, and the message is for the guest to judge, so it gets whatever
   * the device says. This is not a step of the assignment: a guest may ask as often as it likes.
   */
  private long measurements(GuestRequest.ReadMeasurements read) {
    if (vmm.binding().isEmpty() || vmm.state() == State.QUARANTINED) {
      return refuse(Errno.ENXIO, "measurements, but the interface is not surely bound");
    }
    UapiProfile profile = vmm.device().profile();
    if (!profile.operations().contains(TsmOperation.READ_MEASUREMENTS)) {
      return refuse(Errno.EOPNOTSUPP, "measurements, which " + noCall(profile));
    }
    Optional<MemorySegment> room = room(read.gpa(), read.bytes());
    if (room.isEmpty()) {
      return refuse(Errno.EFAULT, "measurements " + elsewhere(read.gpa(), read.bytes()));
    }
    if (read.bytes() < Measurements.NONCE_BYTES) {
      return refuse(
          Errno.EINVAL, "measurements without a nonce: it gives %d bytes".formatted(read.bytes()));
    }
    byte[] nonce = room.get().asSlice(0, Measurements.NONCE_BYTES).toArray(ValueLayout.JAVA_BYTE);
    return give("measurements", asked(binding -> binding.measurements(nonce)), room.get());
  }

  private static String noCall(UapiProfile profile) {
    return profile.name() + " has no call for";
  }

  /** The room that the guest provides for an answer; empty if it is not entirely shared memory. */
  private Optional<MemorySegment> room(long gpa, long bytes) {
    GuestRam ram = vmm.device().ram();
    return ram.isShared(gpa, bytes)
        ? Optional.of(ram.shared().asSlice(gpa, bytes))
        : Optional.empty();
  }

  private static String elsewhere(long gpa, long bytes) {
    return "at 0x%x, where it has not 0x%x bytes of shared memory".formatted(gpa, bytes);
  }

  private long give(String what, byte[] answer, MemorySegment room) {
    if (answer.length > room.byteSize()) {
      return refuse(
          Errno.ENOSPC,
          "its %s of %d bytes in %d bytes".formatted(what, answer.length, room.byteSize()));
    }
    room.asSlice(0, answer.length).copyFrom(MemorySegment.ofArray(answer));
    return answer.length;
  }

  private long convert(GuestRequest.MapGpa wanted) {
    Kind kind = wanted.isPrivate() ? Kind.PRIVATE : Kind.SHARED;
    if (!vmm.device().ram().has(wanted.gpa(), wanted.bytes())) {
      return refuse(
          Errno.EINVAL,
          "%s memory at 0x%x, 0x%x bytes, which is not its RAM"
              .formatted(kind, wanted.gpa(), wanted.bytes()));
    }
    if (!vmm.device().ram().canConvert()) {
      return refuse(Errno.EOPNOTSUPP, "%s memory, and its VM has no private half".formatted(kind));
    }
    vmm.device().ram().convert(wanted.gpa(), wanted.bytes(), kind);
    return 0;
  }
}
