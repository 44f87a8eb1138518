package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_debug_exit_arch;
import dev.iolite.uapi.kvm.kvm_exit_snp_req_certs;
import dev.iolite.uapi.kvm.kvm_hyperv_exit;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_xen_exit;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The exits that a healthy guest does not make. */
class ExitDecoderTest {
  private final MemorySegment run = kvm_run.allocate(Arena.ofAuto());
  private final ExitDecoder decoder = new ExitDecoder(run);

  private Exit decode(int reason) {
    kvm_run.exit_reason(run, reason);
    return decoder.decode();
  }

  @Test
  void failedEntry() {
    MemorySegment entry = kvm_run.fail_entry(run);
    kvm_run.fail_entry.hardware_entry_failure_reason(entry, 0x80000021L);
    kvm_run.fail_entry.cpu(entry, 3);

    assertThat(decode(Kvm.KVM_EXIT_FAIL_ENTRY())).isEqualTo(new Exit.FailEntry(0x80000021L, 3));
  }

  @Test
  void internalErrorWithAsMuchDataAsTheKernelSays() {
    MemorySegment error = kvm_run.internal(run);
    kvm_run.internal.suberror(error, Kvm.KVM_INTERNAL_ERROR_EMULATION());
    kvm_run.internal.ndata(error, 2);
    MemorySegment data = kvm_run.internal.data(error);
    data.setAtIndex(ValueLayout.JAVA_LONG, 0, 7);
    data.setAtIndex(ValueLayout.JAVA_LONG, 1, 8);

    assertThat(decode(Kvm.KVM_EXIT_INTERNAL_ERROR()))
        .isEqualTo(new Exit.KvmInternalError(1, List.of(7L, 8L)));
  }

  @Test
  void aDataCountBeyondTheStructIsNotBelieved() {
    MemorySegment event = kvm_run.system_event(run);
    kvm_run.system_event.type(event, Kvm.KVM_SYSTEM_EVENT_CRASH());
    kvm_run.system_event.ndata(event, -1);
    assertThat(decode(Kvm.KVM_EXIT_SYSTEM_EVENT())).isEqualTo(new Exit.SystemEvent(3, List.of()));

    kvm_run.system_event.ndata(event, 17);
    assertThat(decode(Kvm.KVM_EXIT_SYSTEM_EVENT()))
        .isInstanceOfSatisfying(
            Exit.SystemEvent.class, crash -> assertThat(crash.data()).hasSize(16));
  }

  @Test
  void hypercallIsAnsweredInPlace() {
    MemorySegment call = kvm_run.hypercall(run);
    kvm_run.hypercall.nr(call, 12);
    kvm_run.hypercall.args(call, 5, 99);

    assertThat(decode(Kvm.KVM_EXIT_HYPERCALL()))
        .isInstanceOfSatisfying(
            Exit.Hypercall.class,
            exit -> {
              assertThat(exit.number()).isEqualTo(12);
              assertThat(exit.argument(5)).isEqualTo(99);
              exit.respond(-1);
            });
    assertThat(kvm_run.hypercall.ret(call)).isEqualTo(-1);
  }

  @Test
  void eightBytesOfMmioAreNotCut() {
    MemorySegment mmio = kvm_run.mmio(run);
    kvm_run.mmio.is_write(mmio, (byte) 1);
    kvm_run.mmio.len(mmio, 8);
    kvm_run.mmio.data(mmio).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, -2);

    assertThat(decode(Kvm.KVM_EXIT_MMIO()))
        .isInstanceOfSatisfying(
            Exit.MmioWrite.class, write -> assertThat(write.value()).isEqualTo(-2));
  }

  @Test
  void whatIsNotDecodedKeepsItsNumberAndName() {
    assertThat(decode(4711)).hasToString("exit 4711");
    assertThat(decode(Kvm.KVM_EXIT_UNKNOWN())).isEqualTo(new Exit.Unknown(0));
  }

  @Test
  void whatIsNotDecodedIsAnsweredInItsPayload() {
    long union = kvm_run.hypercall$offset();
    run.set(ValueLayout.JAVA_LONG, union + 8, 5);
    assertThat(decode(4711))
        .isInstanceOfSatisfying(
            Exit.Other.class,
            other -> {
              assertThat(other.reason()).isEqualTo(4711);
              assertThat(other.payload().byteSize()).isEqualTo(256);
              assertThat(other.payload().get(ValueLayout.JAVA_LONG, 8)).isEqualTo(5);
              other.payload().set(ValueLayout.JAVA_LONG, 16, 6);
            });
    assertThat(run.get(ValueLayout.JAVA_LONG, union + 16)).isEqualTo(6);
  }

  @Test
  void anMsrReadIsAnsweredWithAValueOrRefused() {
    MemorySegment msr = kvm_run.msr(run);
    kvm_run.msr.index(msr, 0x10);
    kvm_run.msr.reason(msr, Kvm.KVM_MSR_EXIT_REASON_FILTER());

    Exit.MsrRead read = (Exit.MsrRead) decode(Kvm.KVM_EXIT_X86_RDMSR());
    assertThat(read.index()).isEqualTo(0x10);
    assertThat(read.reason()).isEqualTo(MsrExitReason.FILTER);
    read.refuse();
    assertThat(kvm_run.msr.error(msr)).isEqualTo((byte) 1);
    read.respond(77);
    assertThat(kvm_run.msr.error(msr)).isZero();
    assertThat(kvm_run.msr.data(msr)).isEqualTo(77);
    assertThat(decode(Kvm.KVM_EXIT_X86_RDMSR())).as("no allocation").isSameAs(read);
  }

  @Test
  void anMsrWriteIsAcceptedOrRefused() {
    MemorySegment msr = kvm_run.msr(run);
    kvm_run.msr.index(msr, 0xc0000080);
    kvm_run.msr.data(msr, -2);
    kvm_run.msr.reason(msr, Kvm.KVM_MSR_EXIT_REASON_UNKNOWN());

    Exit.MsrWrite write = (Exit.MsrWrite) decode(Kvm.KVM_EXIT_X86_WRMSR());
    assertThat(write.reason()).isEqualTo(MsrExitReason.UNKNOWN);
    assertThat(write).hasToString("write of 0xfffffffffffffffe to MSR 0xc0000080");
    write.refuse();
    assertThat(kvm_run.msr.error(msr)).isEqualTo((byte) 1);
    write.accept();
    assertThat(kvm_run.msr.error(msr)).isZero();
  }

  @Test
  void everyExitOfX86HasAClass() {
    kvm_run.msr.reason(kvm_run.msr(run), Kvm.KVM_MSR_EXIT_REASON_INVAL());
    for (ExitReason reason : ExitReason.values()) {
      run.asSlice(kvm_run.hw$offset(), 256).fill((byte) 0);
      kvm_xen_exit.type(kvm_run.xen(run), Kvm.KVM_EXIT_XEN_HCALL());
      if (reason == ExitReason.HYPERV) {
        kvm_hyperv_exit.type(kvm_run.hyperv(run), Kvm.KVM_EXIT_HYPERV_HCALL());
      }
      assertThat(decode(reason.number())).as("%s", reason).isNotInstanceOf(Exit.Other.class);
    }
  }

  @Test
  void aBreakpointHasItsAddress() {
    MemorySegment arch = kvm_run.debug.arch(kvm_run.debug(run));
    kvm_debug_exit_arch.exception(arch, 3);
    kvm_debug_exit_arch.pc(arch, 0x1000);
    kvm_debug_exit_arch.dr6(arch, 0xffff0ff0L);
    kvm_debug_exit_arch.dr7(arch, 0x400);

    assertThat(decode(Kvm.KVM_EXIT_DEBUG()))
        .isEqualTo(new Exit.Debug(3, 0x1000, 0xffff0ff0L, 0x400));
  }

  @Test
  void smallValuesAreReadFromTheirStructs() {
    kvm_run.eoi.vector(kvm_run.eoi(run), (byte) 0xf0);
    assertThat(decode(Kvm.KVM_EXIT_IOAPIC_EOI())).isEqualTo(new Exit.IoapicEoi(0xf0));

    kvm_run.notify.flags(kvm_run.notify(run), Kvm.KVM_NOTIFY_CONTEXT_INVALID());
    assertThat(decode(Kvm.KVM_EXIT_NOTIFY())).isEqualTo(new Exit.Notify(true));

    kvm_run.ex.exception(kvm_run.ex(run), 6);
    kvm_run.ex.error_code(kvm_run.ex(run), 9);
    assertThat(decode(Kvm.KVM_EXIT_EXCEPTION())).isEqualTo(new Exit.UnhandledException(6, 9));

    kvm_run.tpr_access.rip(kvm_run.tpr_access(run), 5);
    kvm_run.tpr_access.is_write(kvm_run.tpr_access(run), 1);
    assertThat(decode(Kvm.KVM_EXIT_TPR_ACCESS())).isEqualTo(new Exit.TprAccess(5, true));
  }

  @Test
  void aMemoryFaultSaysOfWhichMemoryItIs() {
    MemorySegment fault = kvm_run.memory_fault(run);
    kvm_run.memory_fault.gpa(fault, 0x2000);
    kvm_run.memory_fault.size(fault, 0x1000);
    assertThat(decode(Kvm.KVM_EXIT_MEMORY_FAULT()))
        .isEqualTo(new Exit.MemoryFault(false, 0x2000, 0x1000));

    kvm_run.memory_fault.flags(fault, Kvm.KVM_MEMORY_EXIT_FLAG_PRIVATE());
    assertThat(decode(Kvm.KVM_EXIT_MEMORY_FAULT()))
        .isEqualTo(new Exit.MemoryFault(true, 0x2000, 0x1000));
  }

  @Test
  void hypervAndXenAreToldApartByTheirTypes() {
    MemorySegment hyperv = kvm_run.hyperv(run);
    kvm_hyperv_exit.type(hyperv, Kvm.KVM_EXIT_HYPERV_SYNIC());
    MemorySegment synic = kvm_hyperv_exit.u.synic(kvm_hyperv_exit.u(hyperv));
    kvm_hyperv_exit.u.synic.msr(synic, 1);
    kvm_hyperv_exit.u.synic.control(synic, 2);
    kvm_hyperv_exit.u.synic.evt_page(synic, 3);
    kvm_hyperv_exit.u.synic.msg_page(synic, 4);
    assertThat(decode(Kvm.KVM_EXIT_HYPERV())).isEqualTo(new Exit.HypervSynic(1, 2, 3, 4));

    kvm_hyperv_exit.type(hyperv, Kvm.KVM_EXIT_HYPERV_HCALL());
    Exit.HypervHypercall call = (Exit.HypervHypercall) decode(Kvm.KVM_EXIT_HYPERV());
    call.respond(6);
    assertThat(kvm_hyperv_exit.u.hcall.result(kvm_hyperv_exit.u.hcall(kvm_hyperv_exit.u(hyperv))))
        .isEqualTo(6);

    kvm_hyperv_exit.type(hyperv, 99);
    assertThat(decode(Kvm.KVM_EXIT_HYPERV())).hasToString("exit 27");
    kvm_xen_exit.type(kvm_run.xen(run), 99);
    assertThat(decode(Kvm.KVM_EXIT_XEN())).hasToString("exit 34");
  }

  @Test
  void aTdxRequestIsAnsweredInItsFirstWord() {
    kvm_run.tdx.nr(kvm_run.tdx(run), 0x10002);
    Exit.Tdx tdx = (Exit.Tdx) decode(Kvm.KVM_EXIT_TDX());
    tdx.word(2, 8);
    tdx.respond(1);
    MemorySegment quote = kvm_run.tdx.get_quote(kvm_run.tdx(run));
    assertThat(tdx.number()).isEqualTo(0x10002);
    assertThat(kvm_run.tdx.get_quote.ret(quote)).isEqualTo(1);
    assertThat(kvm_run.tdx.get_quote.size(quote)).isEqualTo(8);
  }

  @Test
  void certificatesAreGivenOrNeedMoreRoomOrFail() {
    MemorySegment request = kvm_run.snp_req_certs(run);
    kvm_exit_snp_req_certs.npages(request, 1);
    Exit.SnpRequestCertificates exit =
        (Exit.SnpRequestCertificates) decode(Kvm.KVM_EXIT_SNP_REQ_CERTS());
    exit.needs(4);
    assertThat(kvm_exit_snp_req_certs.npages(request)).isEqualTo(4);
    assertThat(kvm_exit_snp_req_certs.ret(request)).as("ENOSPC").isEqualTo(28);
    exit.failed(Errno.EIO);
    assertThat(kvm_exit_snp_req_certs.ret(request)).as("EIO").isEqualTo(5);
    exit.done();
    assertThat(kvm_exit_snp_req_certs.ret(request)).isZero();
  }
}
