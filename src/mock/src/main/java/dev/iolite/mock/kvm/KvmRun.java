package dev.iolite.mock.kvm;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Ram;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_debug_exit_arch;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A vCPU's struct kvm_run, as the kernel writes and reads it, and the page of port I/O data. */
final class KvmRun {
  private static final long PIO = Page.BYTES;

  /** DR6.BS. */
  private static final long SINGLE_STEP = 1 << 14;

  /** get_exit_info: what the processor said about its last exit. The model has no processor. */
  private static final int EXIT_INFO_WORDS = 5;

  private static final int INSN_BYTES = 15;
  private static final byte NOP = (byte) 0x90;

  private final Ram pages;

  KvmRun(Ram pages) {
    this.pages = pages;
  }

  Ram pages() {
    return pages;
  }

  MemorySegment segment() {
    return pages.segment();
  }

  boolean immediateExit() {
    return kvm_run.immediate_exit(segment()) != 0;
  }

  int reason() {
    return kvm_run.exit_reason(segment());
  }

  /** The ring of coalesced writes: KVM_COALESCED_MMIO_PAGE_OFFSET. */
  MemorySegment coalescedRing() {
    return segment().asSlice(Kvm.KVM_COALESCED_MMIO_PAGE_OFFSET() * Page.BYTES, Page.BYTES);
  }

  /** A single step; arch/x86/kvm/svm/svm.c:db_interception. */
  void debug(long address, long dr7) {
    reason(Kvm.KVM_EXIT_DEBUG());
    MemorySegment arch = kvm_run.debug.arch(kvm_run.debug(segment()));
    kvm_debug_exit_arch.exception(arch, 1);
    kvm_debug_exit_arch.pc(arch, address);
    kvm_debug_exit_arch.dr6(arch, DebugState.DR6_AT_RESET | SINGLE_STEP);
    kvm_debug_exit_arch.dr7(arch, dr7);
  }

  void reason(int reason) {
    kvm_run.exit_reason(segment(), reason);
  }

  /** include/linux/kvm_host.h:kvm_prepare_memory_fault_exit. */
  void memoryFault(long gpa, boolean isPrivate) {
    reason(Kvm.KVM_EXIT_MEMORY_FAULT());
    MemorySegment fault = kvm_run.memory_fault(segment());
    kvm_run.memory_fault.gpa(fault, gpa & -Page.BYTES);
    kvm_run.memory_fault.size(fault, Page.BYTES);
    kvm_run.memory_fault.flags(fault, isPrivate ? Kvm.KVM_MEMORY_EXIT_FLAG_PRIVATE() : 0);
  }

  /** arch/x86/kvm/x86.c:emulator_pio_in_out; the data are written or read separately. */
  void io(boolean out, int port, int size, int count) {
    reason(Kvm.KVM_EXIT_IO());
    MemorySegment io = kvm_run.io(segment());
    kvm_run.io.direction(io, (byte) (out ? Kvm.KVM_EXIT_IO_OUT() : Kvm.KVM_EXIT_IO_IN()));
    kvm_run.io.size(io, (byte) size);
    kvm_run.io.port(io, (short) port);
    kvm_run.io.count(io, count);
    kvm_run.io.data_offset(io, PIO);
  }

  void putIoData(int size, long value) {
    store(segment(), PIO, size, value);
  }

  long ioData(int size, int index) {
    return load(segment(), PIO + (long) index * size, size);
  }

  /** arch/x86/kvm/x86.c:kvm_prepare_emulated_mmio_exit. */
  void mmio(boolean write, long gpa, int size, long value) {
    reason(Kvm.KVM_EXIT_MMIO());
    MemorySegment mmio = kvm_run.mmio(segment());
    kvm_run.mmio.phys_addr(mmio, gpa);
    kvm_run.mmio.len(mmio, size);
    kvm_run.mmio.is_write(mmio, (byte) (write ? 1 : 0));
    if (write) {
      store(kvm_run.mmio.data(mmio), 0, size, value);
    }
  }

  long mmioData(int size) {
    return load(kvm_run.mmio.data(kvm_run.mmio(segment())), 0, size);
  }

  /** arch/x86/kvm/msrs.c:kvm_msr_user_space. */
  void msr(boolean read, int index, long data, int reason) {
    reason(read ? Kvm.KVM_EXIT_X86_RDMSR() : Kvm.KVM_EXIT_X86_WRMSR());
    MemorySegment msr = kvm_run.msr(segment());
    kvm_run.msr.error(msr, (byte) 0);
    kvm_run.msr.reason(msr, reason);
    kvm_run.msr.index(msr, index);
    kvm_run.msr.data(msr, data);
  }

  boolean msrFailed() {
    return kvm_run.msr.error(kvm_run.msr(segment())) != 0;
  }

  long msrData() {
    return kvm_run.msr.data(kvm_run.msr(segment()));
  }

  /** arch/x86/kvm/x86.c:____kvm_emulate_hypercall. */
  void hypercall(long number, long flags, long... arguments) {
    reason(Kvm.KVM_EXIT_HYPERCALL());
    MemorySegment call = kvm_run.hypercall(segment());
    kvm_run.hypercall.nr(call, number);
    kvm_run.hypercall.ret(call, 0);
    kvm_run.hypercall.flags(call, flags);
    for (int i = 0; i < arguments.length; i++) {
      kvm_run.hypercall.args(call, i, arguments[i]);
    }
  }

  void hypercallResult(long result) {
    kvm_run.hypercall.ret(kvm_run.hypercall(segment()), result);
  }

  long hypercallResult() {
    return kvm_run.hypercall.ret(kvm_run.hypercall(segment()));
  }

  /** KVM_EXIT_SYSTEM_EVENT. */
  void systemEvent(int type, long... data) {
    reason(Kvm.KVM_EXIT_SYSTEM_EVENT());
    MemorySegment event = kvm_run.system_event(segment());
    kvm_run.system_event.type(event, type);
    kvm_run.system_event.ndata(event, data.length);
    for (int i = 0; i < data.length; i++) {
      kvm_run.system_event.data(event, i, data[i]);
    }
  }

  /** arch/x86/kvm/x86.c:prepare_emulation_failure_exit. */
  void emulationFailure(byte[] instruction, int bytes) {
    reason(Kvm.KVM_EXIT_INTERNAL_ERROR());
    MemorySegment failure = kvm_run.emulation_failure(segment());
    kvm_run.emulation_failure.suberror(failure, Kvm.KVM_INTERNAL_ERROR_EMULATION());
    int words = 1;
    kvm_run.emulation_failure.flags(failure, 0);
    if (bytes > 0) {
      words += 2;
      kvm_run.emulation_failure.flags(
          failure, Kvm.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES());
      kvm_run.emulation_failure.insn_size(failure, (byte) bytes);
      for (int i = 0; i < INSN_BYTES; i++) {
        kvm_run.emulation_failure.insn_bytes(failure, i, i < bytes ? instruction[i] : NOP);
      }
    }
    MemorySegment internal = kvm_run.internal(segment());
    for (int i = 0; i < EXIT_INFO_WORDS; i++) {
      kvm_run.internal.data(internal, words + i, 0L);
    }
    kvm_run.emulation_failure.ndata(failure, words + EXIT_INFO_WORDS);
  }

  static void store(MemorySegment to, long at, int size, long value) {
    switch (size) {
      case 1 -> to.set(ValueLayout.JAVA_BYTE, at, (byte) value);
      case 2 -> to.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) value);
      case 4 -> to.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) value);
      case 8 -> to.set(ValueLayout.JAVA_LONG_UNALIGNED, at, value);
      default -> {
        for (int i = 0; i < size; i++) {
          to.set(ValueLayout.JAVA_BYTE, at + i, (byte) (value >>> (i * Byte.SIZE)));
        }
      }
    }
  }

  static long load(MemorySegment from, long at, int size) {
    return switch (size) {
      case 1 -> Byte.toUnsignedLong(from.get(ValueLayout.JAVA_BYTE, at));
      case 2 -> Short.toUnsignedLong(from.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
      case 4 -> Integer.toUnsignedLong(from.get(ValueLayout.JAVA_INT_UNALIGNED, at));
      case 8 -> from.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
      default -> {
        long value = 0;
        for (int i = 0; i < size; i++) {
          value |= Byte.toUnsignedLong(from.get(ValueLayout.JAVA_BYTE, at + i)) << (i * Byte.SIZE);
        }
        yield value;
      }
    };
  }
}
