package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Alu;
import dev.iolite.uapi.kvm.Kvm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongPredicate;

/** A guest that executes a script step by step, with the exits that such steps cause in reality. */
final class ScriptedGuest implements Guest {
  private static final long GHCB_TERMINATE = 0x100;

  private static final long EINVAL_ANSWER = 22;
  private static final long EAGAIN_ANSWER = 11;

  private final KvmVcpu vcpu;
  private final KvmRun run;
  private final List<GuestStep> steps;
  private final TdVmCalls tdVmCalls;
  private final MemorySegment cell = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
  private int next;

  /** Handles the owner's answer; returns whether the guest continues. */
  private BooleanSupplier answer = ScriptedGuest::nothing;

  ScriptedGuest(KvmVcpu vcpu, GuestScript script) {
    this.vcpu = vcpu;
    run = vcpu.run();
    steps = script.steps();
    tdVmCalls = new TdVmCalls(vcpu);
  }

  private static boolean nothing() {
    return true;
  }

  @Override
  public boolean complete() {
    BooleanSupplier given = answer;
    answer = ScriptedGuest::nothing;
    return given.getAsBoolean();
  }

  @Override
  public boolean step() {
    if (next >= steps.size()) {
      return vcpu.halt();
    }
    return make(steps.get(next));
  }

  /** A script takes no interrupts. */
  @Override
  public boolean deliver(int vector) {
    return true;
  }

  private boolean make(GuestStep step) {
    return switch (step) {
      case GuestStep.Read read -> read(read);
      case GuestStep.Write write -> write(write);
      case GuestStep.Out out -> {
        if (vcpu.vm().ioeventfds().signalPort(out.port(), out.bytes(), out.value())) {
          yield advance();
        }
        run.io(true, out.port(), out.bytes(), 1);
        run.putIoData(out.bytes(), out.value());
        yield leave(this::advance);
      }
      case GuestStep.In in -> {
        run.io(false, in.port(), in.bytes(), 1);
        yield leave(() -> take(run.ioData(in.bytes(), 0), in.value()));
      }
      case GuestStep.MapGpa map -> mapGpa(map);
      case GuestStep.Hypercall call -> hypercall(call);
      case GuestStep.TdVmCall call -> tdVmCall(call);
      case GuestStep.Leave(var exit) -> {
        if (exit.answeredByKvm(vcpu.vm())) {
          yield advance();
        }
        exit.leave(vcpu.vm(), run.segment());
        yield leave(() -> {
          exit.answered(vcpu.vm(), run.segment());
          return advance();
        });
      }
      case GuestStep.Halt _ -> {
        advance();
        yield vcpu.halt();
      }
      case GuestStep.Terminate _ -> terminate(0);
      case GuestStep.GoTo(int target) -> {
        next = target;
        yield true;
      }
      case GuestStep.Told told -> make(told.step().get());
    };
  }

  private boolean advance() {
    if (steps.get(next) instanceof GuestStep.Told told) {
      told.done().run();
    }
    next++;
    return true;
  }

  private boolean leave(BooleanSupplier whenAnswered) {
    answer = whenAnswered;
    return false;
  }

  private boolean take(long value, LongPredicate wanted) {
    if (wanted.test(value)) {
      return advance();
    }
    return terminate(value);
  }

  /** Whether an access is private; only TDX and SNP guests state this themselves. */
  private boolean isPrivate(boolean asked, long gpa) {
    return vcpu.vm().guestSaysPrivate() ? asked : vcpu.memory().isPrivate(gpa);
  }

  private boolean read(GuestStep.Read read) {
    MemorySegment into = cell.asSlice(0, read.bytes());
    if (vcpu.memory().read(read.gpa(), into, isPrivate(read.isPrivate(), read.gpa()))) {
      return take(KvmRun.load(cell, 0, read.bytes()), read.value());
    }
    run.mmio(false, read.gpa(), read.bytes(), 0);
    return leave(() -> take(run.mmioData(read.bytes()), read.value()));
  }

  private boolean write(GuestStep.Write write) {
    KvmRun.store(cell, 0, write.bytes(), write.value());
    MemorySegment from = cell.asSlice(0, write.bytes());
    if (vcpu.memory().write(write.gpa(), from, isPrivate(write.isPrivate(), write.gpa()))
        || vcpu.vm().ioeventfds().signalMmio(write.gpa(), write.bytes(), write.value())) {
      return advance();
    }
    run.mmio(true, write.gpa(), write.bytes(), write.value() & Alu.mask(write.bytes()));
    return leave(this::advance);
  }

  private boolean hypercall(GuestStep.Hypercall call) {
    boolean answered =
        vcpu.vm()
            .hypercall(
                run, true, call.number(), call.argument(0), call.argument(1), call.argument(2), 0);
    BooleanSupplier take =
        () -> {
          call.result().accept(run.hypercallResult());
          return advance();
        };
    return answered ? take.getAsBoolean() : leave(take);
  }

  private boolean mapGpa(GuestStep.MapGpa map) {
    if (vcpu.vm().type() == Kvm.KVM_X86_TDX_VM()) {
      long shared = map.isPrivate() ? 0 : vcpu.vm().aliasPages() << 12;
      return tdVmCalls.make(
          TdVmCalls.MAP_GPA,
          new long[] {map.gpa() | shared, map.bytes(), 0, 0},
          result -> {
            map.result().accept(result[0]);
            return advance();
          },
          this::leave);
    }
    long attribute = map.isPrivate() ? Hypercalls.MAP_ENCRYPTED : 0;
    if (vcpu.vm().type() == Kvm.KVM_X86_SNP_VM()) {
      return changePageState(map, attribute);
    }
    return hypercall(
        new GuestStep.Hypercall(
            Hypercalls.MAP_GPA_RANGE,
            List.of(map.gpa(), map.bytes() >>> 12, attribute),
            map.result()));
  }

  /** arch/x86/kvm/svm/sev.c:snp_begin_psc, snp_do_psc, snp_complete_one_psc. */
  private boolean changePageState(GuestStep.MapGpa map, long attribute) {
    if (!vcpu.vm().leavesForMapGpa()) {
      map.result().accept(TdVmCalls.GENERIC_ERROR);
      return advance();
    }
    run.hypercall(Hypercalls.MAP_GPA_RANGE, 0, map.gpa(), map.bytes() >>> 12, attribute);
    return leave(() -> {
      long said = run.hypercallResult();
      refuseIf(said != 0 && said != EINVAL_ANSWER && said != EAGAIN_ANSWER, Errno.EINVAL);
      map.result().accept(said == 0 ? 0 : TdVmCalls.GENERIC_ERROR);
      return advance();
    });
  }

  private boolean tdVmCall(GuestStep.TdVmCall call) {
    if (vcpu.vm().type() != Kvm.KVM_X86_TDX_VM()) {
      return terminate(call.leaf());
    }
    long[] arguments = {call.argument(0), call.argument(1), call.argument(2), call.argument(3)};
    return tdVmCalls.make(
        call.leaf(),
        arguments,
        result -> {
          call.result().accept(List.of(result[0], result[1], result[2], result[3], result[4]));
          return advance();
        },
        this::leave);
  }

  /**
   * Makes the guest give up: it reports this as guests of its kind do, and again each time it is
   * run.
   */
  private boolean terminate(long value) {
    int type = vcpu.vm().type();
    if (type == Kvm.KVM_X86_TDX_VM()) {
      tdVmCalls.reportFatalError(next, value);
    } else if (type == Kvm.KVM_X86_SNP_VM() || type == Kvm.KVM_X86_SEV_ES_VM()) {
      run.systemEvent(Kvm.KVM_SYSTEM_EVENT_SEV_TERM(), GHCB_TERMINATE);
    } else {
      run.reason(Kvm.KVM_EXIT_SHUTDOWN());
    }
    return leave(ScriptedGuest::nothing);
  }
}
