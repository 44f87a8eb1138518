package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;

/**
 * The requests that a trust domain makes to its VMM with TDG.VP.VMCALL;
 * arch/x86/kvm/vmx/tdx.c:handle_tdvmcall. The numbers are those of the Guest-Host-Communication
 * Interface.
 */
final class TdVmCalls {
  static final long MAP_GPA = 0x10001;

  /** VMGEXIT_PSC_ERROR_GENERIC, for the other vendor's guests. */
  static final long GENERIC_ERROR = 0x100L << 32;

  private static final long GET_TD_VM_CALL_INFO = 0x10000;
  private static final long GET_QUOTE = 0x10002;
  private static final long REPORT_FATAL_ERROR = 0x10003;
  private static final long SETUP_EVENT_NOTIFY_INTERRUPT = 0x10004;

  private static final long SUCCESS = 0;
  private static final long RETRY = 1;
  private static final long INVALID_OPERAND = 1L << 63;
  private static final long ALIGN_ERROR = INVALID_OPERAND | 2;
  private static final long SUBFUNC_UNSUPPORTED = INVALID_OPERAND | 3;

  private static final long EINVAL_ANSWER = 22;
  private static final long EAGAIN_ANSWER = 11;
  private static final long MAP_GPA_AT_ONCE = 2 << 20;
  private static final int R12 = 12;

  /** Receives R10 to R14 and returns whether the guest continues. */
  interface Result {
    boolean take(long... registers);
  }

  /** Makes the guest exit, and sets what to do with the answer. */
  interface Leaver {
    boolean leave(BooleanSupplier whenAnswered);
  }

  private final KvmVcpu vcpu;
  private final KvmRun run;

  TdVmCalls(KvmVcpu vcpu) {
    this.vcpu = vcpu;
    run = vcpu.run();
  }

  /**
   * Makes a call.
   *
   * @param arguments R12 to R15
   * @return whether the guest continues
   */
  boolean make(long leaf, long[] arguments, Result result, Leaver leaver) {
    long first = arguments[0];
    if (leaf == MAP_GPA) {
      return mapGpa(first, arguments[1], result, leaver);
    }
    if (leaf == GET_TD_VM_CALL_INFO) {
      return callInfo(first, result, leaver);
    }
    if (leaf == GET_QUOTE) {
      return getQuote(first, arguments[1], result, leaver);
    }
    if (leaf == SETUP_EVENT_NOTIFY_INTERRUPT) {
      return setUpNotification(first, result, leaver);
    }
    if (leaf == REPORT_FATAL_ERROR) {
      reportFatalError(first, arguments[1]);
      return leaver.leave(() -> result.take(SUCCESS, 0, 0, 0, 0));
    }
    return result.take(SUBFUNC_UNSUPPORTED, 0, 0, 0, 0);
  }

  private long sharedBit() {
    return vcpu.vm().aliasPages() << 12;
  }

  private boolean isPrivate(long gpa) {
    return (gpa & sharedBit()) == 0;
  }

  private boolean isLegal(long gpa) {
    return Long.compareUnsigned(gpa, sharedBit() << 1) < 0;
  }

  /** tdx_map_gpa. */
  private boolean mapGpa(long gpa, long bytes, Result result, Leaver leaver) {
    if (!vcpu.vm().leavesForMapGpa()) {
      return result.take(SUBFUNC_UNSUPPORTED, gpa, 0, 0, 0);
    }
    long last = gpa + bytes - 1;
    if (Long.compareUnsigned(gpa + bytes, gpa) <= 0
        || !isLegal(gpa)
        || !isLegal(last)
        || isPrivate(gpa) != isPrivate(last)) {
      return result.take(INVALID_OPERAND, gpa, 0, 0, 0);
    }
    if (((gpa | bytes) & 0xfff) != 0) {
      return result.take(ALIGN_ERROR, gpa, 0, 0, 0);
    }
    return mapNext(gpa, gpa + bytes, result, leaver);
  }

  /** __tdx_map_gpa, tdx_complete_vmcall_map_gpa: 2 MiB at a time. */
  private boolean mapNext(long gpa, long end, Result result, Leaver leaver) {
    run.hypercall(
        Hypercalls.MAP_GPA_RANGE,
        Kvm.KVM_EXIT_HYPERCALL_LONG_MODE(),
        gpa & ~sharedBit(),
        Math.min(MAP_GPA_AT_ONCE, end - gpa) >>> 12,
        isPrivate(gpa) ? Hypercalls.MAP_ENCRYPTED : 0);
    return leaver.leave(() -> {
      long said = run.hypercallResult();
      if (said == EAGAIN_ANSWER || said == EINVAL_ANSWER) {
        return result.take(said == EAGAIN_ANSWER ? RETRY : INVALID_OPERAND, gpa, 0, 0, 0);
      }
      if (said != 0) {
        throw refused(Errno.EINVAL);
      }
      long after = gpa + MAP_GPA_AT_ONCE;
      return Long.compareUnsigned(after, end) >= 0
          ? result.take(SUCCESS, 0, 0, 0, 0)
          : mapNext(after, end, result, leaver);
    });
  }

  /** tdx_get_td_vm_call_info. */
  private boolean callInfo(long leaf, Result result, Leaver leaver) {
    if (leaf == 0) {
      return result.take(SUCCESS, 0, 0, 0, 0);
    }
    if (leaf != 1) {
      return result.take(INVALID_OPERAND, 0, leaf, 0, 0);
    }
    MemorySegment info = kvm_run.tdx.get_tdvmcall_info(begin(GET_TD_VM_CALL_INFO));
    kvm_run.tdx.get_tdvmcall_info.ret(info, SUCCESS);
    kvm_run.tdx.get_tdvmcall_info.leaf(info, leaf);
    kvm_run.tdx.get_tdvmcall_info.r11(info, 0);
    kvm_run.tdx.get_tdvmcall_info.r12(info, 0);
    kvm_run.tdx.get_tdvmcall_info.r13(info, 0);
    kvm_run.tdx.get_tdvmcall_info.r14(info, 0);
    return leaver.leave(() -> {
      MemorySegment answer = kvm_run.tdx.get_tdvmcall_info(kvm_run.tdx(run.segment()));
      return result.take(
          kvm_run.tdx.get_tdvmcall_info.ret(answer),
          kvm_run.tdx.get_tdvmcall_info.r11(answer),
          kvm_run.tdx.get_tdvmcall_info.r12(answer),
          kvm_run.tdx.get_tdvmcall_info.r13(answer),
          kvm_run.tdx.get_tdvmcall_info.r14(answer));
    });
  }

  /** Begins KVM_EXIT_TDX. */
  private MemorySegment begin(long number) {
    run.reason(Kvm.KVM_EXIT_TDX());
    MemorySegment tdx = kvm_run.tdx(run.segment());
    kvm_run.tdx.flags(tdx, 0);
    kvm_run.tdx.nr(tdx, number);
    return tdx;
  }

  /** tdx_complete_simple: only the status is taken. */
  private BooleanSupplier status(Result result) {
    return () ->
        result.take(
            kvm_run.tdx.unknown.ret(kvm_run.tdx.unknown(kvm_run.tdx(run.segment()))), 0, 0, 0, 0);
  }

  /** tdx_get_quote. */
  private boolean getQuote(long gpa, long bytes, Result result, Leaver leaver) {
    if (isPrivate(gpa)) {
      return result.take(INVALID_OPERAND, 0, gpa, bytes, 0);
    }
    MemorySegment quote = kvm_run.tdx.get_quote(begin(GET_QUOTE));
    kvm_run.tdx.get_quote.ret(quote, SUBFUNC_UNSUPPORTED);
    kvm_run.tdx.get_quote.gpa(quote, gpa & ~sharedBit());
    kvm_run.tdx.get_quote.size(quote, bytes);
    return leaver.leave(status(result));
  }

  /** tdx_setup_event_notify_interrupt. */
  private boolean setUpNotification(long vector, Result result, Leaver leaver) {
    if (vector < 32 || vector > 255) {
      return result.take(INVALID_OPERAND, 0, vector, 0, 0);
    }
    MemorySegment notify = kvm_run.tdx.setup_event_notify(begin(SETUP_EVENT_NOTIFY_INTERRUPT));
    kvm_run.tdx.setup_event_notify.ret(notify, SUBFUNC_UNSUPPORTED);
    kvm_run.tdx.setup_event_notify.vector(notify, vector);
    return leaver.leave(status(result));
  }

  /** tdx_report_fatal_error: sixteen registers, of which the guest set R12 and R13. */
  void reportFatalError(long code, long address) {
    long[] registers = new long[16];
    registers[R12] = code;
    registers[R12 + 1] = address;
    run.systemEvent(Kvm.KVM_SYSTEM_EVENT_TDX_FATAL(), registers);
  }
}
