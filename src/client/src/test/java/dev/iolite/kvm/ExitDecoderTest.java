package dev.iolite.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
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
    assertThat(decode(Kvm.KVM_EXIT_X86_RDMSR())).hasToString("exit 29 (KVM_EXIT_X86_RDMSR)");
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
}
