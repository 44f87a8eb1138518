package dev.iolite.differential;

import static dev.iolite.differential.Machine.name;

import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/** A guest of 16-bit code, and what it is allowed. */
final class GuestCalls {
  private static final int CODE_SLOT = 10;
  private static final long CODE = 0x1000;
  private static final long STATE = 3 * Machine.PAGE;
  private static final int PORT = 0x3f8;
  private static final int READ_WRITE = Libc.PROT_READ() | Libc.PROT_WRITE();
  private static final long ANSWER = 7;

  private final Machine machine;
  private final MemorySegment code;
  private final Map<Integer, MemorySegment> states = new HashMap<>();

  GuestCalls(Machine machine) {
    this.machine = machine;
    int anonymous = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS();
    code =
        segment(machine.kernel().mmap(0, Machine.PAGE, READ_WRITE, anonymous, -1, 0), Machine.PAGE);
  }

  private static MemorySegment segment(long address, long bytes) {
    return MemorySegment.ofAddress(Machine.checked(address)).reinterpret(bytes);
  }

  /** The program has ended. */
  void end() {
    states.values().forEach(state -> machine.kernel().munmap(state.address(), STATE));
    states.clear();
  }

  void close() {
    machine.kernel().munmap(code.address(), Machine.PAGE);
  }

  String answer(Op op) {
    return switch (op.kind()) {
      case CODE -> code(machine.vms.get(op.arg(0)));
      case GUEST_READ -> read(machine.vcpus.get(op.arg(0)), (int) op.arg(1));
      case GUEST_CALL -> call(machine.vcpus.get(op.arg(0)), (int) op.arg(1));
      case HYPERCALLS -> hypercalls(machine.vms.get(op.arg(0)), op.arg(1));
      case CAPABILITY ->
          name(
              machine.ioctl(
                  machine.vms.get(op.arg(0)), KvmIoctls.KVM_CHECK_EXTENSION_ON_VM, op.arg(1)));
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private String code(int vm) {
    MemorySegment region = machine.struct(kvm_userspace_memory_region2.layout());
    kvm_userspace_memory_region2.slot(region, CODE_SLOT);
    kvm_userspace_memory_region2.guest_phys_addr(region, CODE);
    kvm_userspace_memory_region2.memory_size(region, Machine.PAGE);
    kvm_userspace_memory_region2.userspace_addr(region, code.address());
    return name(machine.ioctl(vm, KvmIoctls.KVM_SET_USER_MEMORY_REGION2, region));
  }

  private String hypercalls(int vm, long calls) {
    MemorySegment enable = machine.struct(kvm_enable_cap.layout());
    kvm_enable_cap.cap(enable, Kvm.KVM_CAP_EXIT_HYPERCALL());
    kvm_enable_cap.args(enable, 0, calls);
    return name(machine.ioctl(vm, KvmIoctls.KVM_ENABLE_CAP, enable));
  }

  /** mov eax, [gpa]; mov dx, PORT; out dx, eax. */
  private String read(int vcpu, int gpa) {
    return run(
        vcpu, 0x67, 0x66, 0xa1, gpa, gpa >> 8, gpa >> 16, gpa >> 24, 0xba, PORT, PORT >> 8, 0x66,
        0xef);
  }

  /** mov eax, number; vmmcall; mov dx, PORT; out dx, eax. */
  private String call(int vcpu, int number) {
    return run(
        vcpu,
        0x66,
        0xb8,
        number,
        number >> 8,
        number >> 16,
        number >> 24,
        0x0f,
        0x01,
        0xd9,
        0xba,
        PORT,
        PORT >> 8,
        0x66,
        0xef);
  }

  private String run(int vcpu, int... instructions) {
    if (!states.containsKey(vcpu)) {
      int shared = Libc.MAP_SHARED();
      long address = machine.kernel().mmap(0, STATE, READ_WRITE, shared, vcpu, 0);
      if (address < 0 && address >= -Kernel.MAX_ERRNO) {
        return name(address);
      }
      states.put(vcpu, segment(address, STATE));
    }
    for (int i = 0; i < instructions.length; i++) {
      code.set(ValueLayout.JAVA_BYTE, i, (byte) instructions[i]);
    }
    String ready = prepare(vcpu);
    MemorySegment state = states.get(vcpu);
    kvm_run.exit_reason(state, 0);
    int result = machine.ioctl(vcpu, KvmIoctls.KVM_RUN, 0);
    String answer = ready + " " + name(result) + " " + exit(state);
    complete(vcpu, state);
    return answer;
  }

  /** Flat data, and the registers as the code wants them. */
  private String prepare(int vcpu) {
    MemorySegment special = machine.struct(kvm_sregs.layout());
    machine.ioctl(vcpu, KvmIoctls.KVM_GET_SREGS, special);
    MemorySegment data = kvm_sregs.ds(special);
    kvm_segment.base(data, 0);
    kvm_segment.limit(data, -1);
    kvm_segment.g(data, (byte) 1);
    MemorySegment text = kvm_sregs.cs(special);
    kvm_segment.base(text, 0);
    kvm_segment.selector(text, (short) 0);
    int result = machine.ioctl(vcpu, KvmIoctls.KVM_SET_SREGS, special);
    MemorySegment registers = machine.struct(kvm_regs.layout());
    kvm_regs.rip(registers, CODE);
    kvm_regs.rflags(registers, 2);
    kvm_regs.rbx(registers, 1);
    kvm_regs.rcx(registers, 2);
    kvm_regs.rdx(registers, 3);
    kvm_regs.rsi(registers, 4);
    return name(result) + " " + name(machine.ioctl(vcpu, KvmIoctls.KVM_SET_REGS, registers));
  }

  /** Lets an exit end that waits for its answer, and nothing more. */
  private void complete(int vcpu, MemorySegment state) {
    if (kvm_run.exit_reason(state) == Kvm.KVM_EXIT_HYPERCALL()) {
      kvm_run.hypercall.ret(kvm_run.hypercall(state), ANSWER);
    }
    kvm_run.immediate_exit(state, (byte) 1);
    machine.ioctl(vcpu, KvmIoctls.KVM_RUN, 0);
    kvm_run.immediate_exit(state, (byte) 0);
  }

  private static String exit(MemorySegment state) {
    int reason = kvm_run.exit_reason(state);
    if (reason == Kvm.KVM_EXIT_IO()) {
      long at = kvm_run.io.data_offset(kvm_run.io(state));
      return "out %x".formatted(state.get(ValueLayout.JAVA_INT, at));
    } else if (reason == Kvm.KVM_EXIT_MMIO()) {
      MemorySegment mmio = kvm_run.mmio(state);
      return "mmio %x, %d".formatted(kvm_run.mmio.phys_addr(mmio), kvm_run.mmio.len(mmio));
    } else if (reason == Kvm.KVM_EXIT_MEMORY_FAULT()) {
      MemorySegment fault = kvm_run.memory_fault(state);
      return "fault %x, %x, %x"
          .formatted(
              kvm_run.memory_fault.flags(fault),
              kvm_run.memory_fault.gpa(fault),
              kvm_run.memory_fault.size(fault));
    } else if (reason == Kvm.KVM_EXIT_HYPERCALL()) {
      MemorySegment call = kvm_run.hypercall(state);
      return "call %x: %x %x %x %x"
          .formatted(
              kvm_run.hypercall.nr(call),
              kvm_run.hypercall.args(call, 0),
              kvm_run.hypercall.args(call, 1),
              kvm_run.hypercall.args(call, 2),
              kvm_run.hypercall.args(call, 3));
    }
    return "exit " + reason;
  }
}
