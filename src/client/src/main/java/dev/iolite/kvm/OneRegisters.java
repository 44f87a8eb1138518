package dev.iolite.kvm;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_one_reg;
import dev.iolite.uapi.kvm.kvm_reg_list;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The registers of a vCPU by name, one at a time. Made by {@link Vcpu#oneRegisters}.
 *
 * <p>Like its vCPU, for use by one thread at a time.
 */
public final class OneRegisters {
  private final Fd vcpu;

  OneRegisters(Fd vcpu) {
    this.vcpu = vcpu;
  }

  /**
   * Reads a register.
   *
   * <p>KVM_GET_ONE_REG, on x86 since Linux 6.18, arch/x86/kvm/msrs.c:kvm_get_set_one_reg.
   *
   * @throws KernelException EINVAL: the vCPU has no such register
   */
  public long get(RegisterId register) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
      make(arena, KvmIoctls.KVM_GET_ONE_REG, register, value);
      return value.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /**
   * Sets a register.
   *
   * <p>KVM_SET_ONE_REG, on x86 since Linux 6.18, arch/x86/kvm/msrs.c:kvm_get_set_one_reg.
   *
   * @throws KernelException EINVAL: the vCPU has no such register, or it can't have that value
   */
  public void set(RegisterId register, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_LONG, value);
      make(arena, KvmIoctls.KVM_SET_ONE_REG, register, memory);
    }
  }

  private void make(Arena arena, Ioctl call, RegisterId register, MemorySegment value) {
    MemorySegment argument = kvm_one_reg.allocate(arena);
    kvm_one_reg.id(argument, register.number());
    kvm_one_reg.addr(argument, value.address());
    vcpu.ioctl(call, argument);
  }

  /**
   * The registers that have no other call than these.
   *
   * <p>KVM_GET_REG_LIST, on x86 since Linux 6.18, arch/x86/kvm/msrs.c:kvm_get_reg_list. Asked for
   * the number first.
   */
  public List<RegisterId> list() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment head = kvm_reg_list.allocate(arena);
      int result = vcpu.ioctl(KvmIoctls.KVM_GET_REG_LIST, head, Errno.E2BIG);
      long count = kvm_reg_list.n(head);
      if (result == 0 && count == 0) {
        return List.of();
      }
      MemorySegment list =
          arena.allocate(kvm_reg_list.sizeof() + Math.multiplyExact(count, Long.BYTES), Long.BYTES);
      kvm_reg_list.n(list, count);
      vcpu.ioctl(KvmIoctls.KVM_GET_REG_LIST, list);
      List<RegisterId> registers = new ArrayList<>();
      for (long i = 0; i < Math.min(count, kvm_reg_list.n(list)); i++) {
        registers.add(
            new RegisterId(
                list.get(ValueLayout.JAVA_LONG, kvm_reg_list.sizeof() + i * Long.BYTES)));
      }
      return registers;
    }
  }
}
