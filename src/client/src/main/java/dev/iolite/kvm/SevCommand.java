package dev.iolite.kvm;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Makes the sub-commands of KVM_MEMORY_ENCRYPT_OP on a VM that the secure processor encrypts. */
record SevCommand(Fd vm, Fd processor) {
  /** SEV_RET_INVALID_LEN: a buffer has another size than the processor wants. */
  static final int INVALID_LEN = 4;

  /**
   * Makes a command.
   *
   * @throws KernelException what the kernel said, with the secure processor's error
   */
  void make(Arena arena, String name, int id, MemorySegment data) {
    MemorySegment command = command(arena, id, data);
    require(name, command, vm.tryIoctl(KvmIoctls.KVM_MEMORY_ENCRYPT_OP, command));
  }

  /** Makes a command about memory of this process, which stays allocated for as long. */
  void make(Arena arena, String name, int id, MemorySegment data, MemorySegment memory) {
    HeldMemory.during(
        memory,
        () -> {
          make(arena, name, id, data);
          return 0;
        });
  }

  /** Makes a command that has no argument. */
  void make(String name, int id) {
    try (Arena arena = Arena.ofConfined()) {
      make(arena, name, id, MemorySegment.NULL);
    }
  }

  /**
   * Asks for the size of something: the processor writes it into the argument, and says that the
   * size there, 0, was wrong.
   *
   * @throws KernelException what else the kernel said
   */
  void askSize(Arena arena, String name, int id, MemorySegment data) {
    MemorySegment command = command(arena, id, data);
    int result = vm.tryIoctl(KvmIoctls.KVM_MEMORY_ENCRYPT_OP, command);
    if (result != Errno.EIO.negated() || kvm_sev_cmd.error(command) != INVALID_LEN) {
      require(name, command, result);
    }
  }

  private MemorySegment command(Arena arena, int id, MemorySegment data) {
    MemorySegment command = kvm_sev_cmd.allocate(arena);
    kvm_sev_cmd.id(command, id);
    kvm_sev_cmd.data(command, data.address());
    kvm_sev_cmd.sev_fd(command, processor.number());
    return command;
  }

  private void require(String name, MemorySegment command, int result) {
    if (result < 0) {
      throw new KernelException(
          name, vm.target(), SevStatus.text(kvm_sev_cmd.error(command)), -result);
    }
  }
}
