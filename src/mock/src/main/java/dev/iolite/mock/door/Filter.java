package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.ProcessMaps;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.seccomp_data;
import dev.iolite.uapi.seccomp.sock_filter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which system calls of the program are answered here, as instructions of classic BPF that the
 * kernel runs at each call. A call that is not answered here costs only that.
 *
 * <p>Calls by name are always looked at; calls on a descriptor only if its number is one that the
 * model gives, which are high, or one of a standard stream, which a shell redirects. ioctls of
 * VFIO, iommufd and KVM are looked at on every descriptor: one may have been duplicated to a low
 * number, or received from another process.
 */
final class Filter {
  /** The first number that the model gives. */
  static final int FIRST_DESCRIPTOR = 1000;

  /** The bit that makes a number one of the x32 ABI. */
  private static final int X32 = 0x4000_0000;

  private static final int IOCTL_TYPE_MASK = 0xff00;
  private static final int IOCTL_TYPE_VFIO = ';' << 8;
  private static final int IOCTL_TYPE_KVM = 0xae00;

  /** The highest number of a standard stream. */
  static final int LAST_STREAM = 2;

  private static final int ADVICE = 2;
  private static final int MMAP_FLAGS = 3;
  private static final int MMAP_DESCRIPTOR = 4;

  /**
   * Those that name a file, those after which a process has other descriptors or another directory,
   * and the one after which it lacks memory that may be pinned.
   */
  static final List<Integer> ALWAYS =
      List.of(
          Seccomp.__NR_openat(),
          Seccomp.__NR_newfstatat(),
          Seccomp.__NR_open(),
          Seccomp.__NR_openat2(),
          Seccomp.__NR_creat(),
          Seccomp.__NR_stat(),
          Seccomp.__NR_lstat(),
          Seccomp.__NR_statx(),
          Seccomp.__NR_access(),
          Seccomp.__NR_faccessat(),
          Seccomp.__NR_faccessat2(),
          Seccomp.__NR_readlink(),
          Seccomp.__NR_readlinkat(),
          Seccomp.__NR_execve(),
          Seccomp.__NR_execveat(),
          Seccomp.__NR_close_range(),
          Seccomp.__NR_munmap(),
          Seccomp.__NR_recvmsg(),
          Seccomp.__NR_chdir(),
          Seccomp.__NR_fchdir(),
          Seccomp.__NR_getcwd());

  /** Those whose first argument is a descriptor. */
  static final List<Integer> ON_DESCRIPTOR =
      List.of(
          Seccomp.__NR_close(),
          Seccomp.__NR_pread64(),
          Seccomp.__NR_pwrite64(),
          Seccomp.__NR_preadv(),
          Seccomp.__NR_pwritev(),
          Seccomp.__NR_preadv2(),
          Seccomp.__NR_pwritev2(),
          Seccomp.__NR_lseek(),
          Seccomp.__NR_ftruncate(),
          Seccomp.__NR_fallocate(),
          Seccomp.__NR_fstat(),
          Seccomp.__NR_getdents64(),
          Seccomp.__NR_getdents(),
          Seccomp.__NR_dup(),
          Seccomp.__NR_fcntl());

  /** Those to which a shell may redirect a standard stream. */
  static final List<Integer> ON_STREAM =
      List.of(
          Seccomp.__NR_read(), Seccomp.__NR_write(), Seccomp.__NR_readv(), Seccomp.__NR_writev());

  private final List<Instruction> code = new ArrayList<>();
  private final Map<String, Integer> labels = new HashMap<>();

  /** Where a jump leads; the empty label is the next instruction. */
  private record Instruction(int operation, int constant, String ifTrue, String ifFalse) {}

  private final ProcessMaps.Area own;

  private Filter(ProcessMaps.Area own) {
    this.own = own;
  }

  /**
   * The instructions.
   *
   * @param own the code from which this process makes its calls. The thread that starts the program
   *     has the filter, too, and who answers may wait for that thread, as for a garbage collection
   */
  static MemorySegment instructions(Arena arena, ProcessMaps.Area own) {
    Filter filter = new Filter(own);
    filter.write();
    return filter.assemble(arena);
  }

  private void write() {
    load(seccomp_data.arch$offset());
    jump(Seccomp.BPF_JEQ(), Seccomp.AUDIT_ARCH_X86_64(), "", "allow");
    load(seccomp_data.nr$offset());
    jump(Seccomp.BPF_JGE(), X32, "refuse", "");
    jump(Seccomp.BPF_JEQ(), Seccomp.__NR_io_uring_setup(), "refuse", "");
    jump(Seccomp.BPF_JEQ(), Seccomp.__NR_ioctl(), "ioctl", "");
    jump(Seccomp.BPF_JEQ(), Seccomp.__NR_mmap(), "mmap", "");
    jump(Seccomp.BPF_JEQ(), Seccomp.__NR_madvise(), "madvise", "");
    jump(Seccomp.BPF_JEQ(), Seccomp.__NR_dup2(), "two", "");
    jump(Seccomp.BPF_JEQ(), Seccomp.__NR_dup3(), "two", "");
    ON_STREAM.forEach(number -> jump(Seccomp.BPF_JEQ(), number, "stream", ""));
    ON_DESCRIPTOR.forEach(number -> jump(Seccomp.BPF_JEQ(), number, "descriptor", ""));
    ALWAYS.forEach(number -> jump(Seccomp.BPF_JEQ(), number, "notify", ""));
    NameChanges.numbers().forEach(number -> jump(Seccomp.BPF_JEQ(), number, "notify", ""));
    result(Seccomp.SECCOMP_RET_ALLOW());
    label("ioctl");
    loadArgument(1);
    emit(Seccomp.BPF_ALU() | Seccomp.BPF_AND() | Seccomp.BPF_K(), IOCTL_TYPE_MASK);
    jump(Seccomp.BPF_JEQ(), IOCTL_TYPE_VFIO, "notify", "");
    jump(Seccomp.BPF_JEQ(), IOCTL_TYPE_KVM, "notify", "descriptor");
    label("madvise");
    loadArgument(ADVICE);
    jump(Seccomp.BPF_JEQ(), Libc.MADV_DONTNEED(), "notify", "");
    jump(Seccomp.BPF_JEQ(), Libc.MADV_COLLAPSE(), "notify", "allow");
    label("mmap");
    loadArgument(MMAP_FLAGS);
    emit(Seccomp.BPF_ALU() | Seccomp.BPF_AND() | Seccomp.BPF_K(), Libc.MAP_FIXED());
    jump(Seccomp.BPF_JEQ(), 0, "", "notify");
    loadArgument(MMAP_DESCRIPTOR);
    // -1: memory of no file
    jump(Seccomp.BPF_JEQ(), -1, "allow", "");
    jump(Seccomp.BPF_JGE(), FIRST_DESCRIPTOR, "notify", "allow");
    label("stream");
    loadArgument(0);
    jump(Seccomp.BPF_JGE(), FIRST_DESCRIPTOR, "notify", "");
    jump(Seccomp.BPF_JGT(), LAST_STREAM, "allow", "notify");
    label("two");
    loadArgument(1);
    jump(Seccomp.BPF_JGE(), FIRST_DESCRIPTOR, "notify", "");
    label("descriptor");
    loadArgument(0);
    jump(Seccomp.BPF_JGE(), FIRST_DESCRIPTOR, "notify", "");
    label("allow");
    result(Seccomp.SECCOMP_RET_ALLOW());
    label("notify");
    load(seccomp_data.instruction_pointer$offset() + Integer.BYTES);
    jump(Seccomp.BPF_JEQ(), (int) (own.start() >>> Integer.SIZE), "", "answered");
    load(seccomp_data.instruction_pointer$offset());
    jump(Seccomp.BPF_JGE(), (int) own.start(), "", "answered");
    jump(Seccomp.BPF_JGE(), (int) endInSameHalf(), "answered", "allowed");
    label("allowed");
    result(Seccomp.SECCOMP_RET_ALLOW());
    label("answered");
    result(Seccomp.SECCOMP_RET_USER_NOTIF());
    label("refuse");
    result(Seccomp.SECCOMP_RET_ERRNO() | -Errno.ENOSYS.negated());
  }

  /** Where the code ends, or the 4 GiB that it begins in. */
  private long endInSameHalf() {
    long last = own.start() | 0xffff_ffffL;
    return Math.min(own.end(), last);
  }

  private void load(long offset) {
    emit(Seccomp.BPF_LD() | Seccomp.BPF_W() | Seccomp.BPF_ABS(), (int) offset);
  }

  /** Of a descriptor or a command, the kernel looks at the low half only. */
  private void loadArgument(int index) {
    load(seccomp_data.args$offset() + (long) index * Long.BYTES);
  }

  private void result(int action) {
    emit(Seccomp.BPF_RET() | Seccomp.BPF_K(), action);
  }

  private void emit(int operation, int constant) {
    code.add(new Instruction(operation, constant, "", ""));
  }

  private void jump(int condition, int constant, String ifTrue, String ifFalse) {
    code.add(
        new Instruction(
            Seccomp.BPF_JMP() | condition | Seccomp.BPF_K(), constant, ifTrue, ifFalse));
  }

  private void label(String name) {
    labels.put(name, code.size());
  }

  private MemorySegment assemble(Arena arena) {
    MemorySegment all = sock_filter.allocateArray(code.size(), arena);
    for (int i = 0; i < code.size(); i++) {
      Instruction from = code.get(i);
      MemorySegment to = sock_filter.asSlice(all, i);
      sock_filter.code(to, (short) from.operation);
      sock_filter.k(to, from.constant);
      sock_filter.jt(to, distance(i, from.ifTrue));
      sock_filter.jf(to, distance(i, from.ifFalse));
    }
    return all;
  }

  private byte distance(int from, String label) {
    int distance = label.isEmpty() ? 0 : labels.getOrDefault(label, -1) - from - 1;
    if (distance < 0 || distance > 255) {
      throw new AssertionError("no jump of " + distance + " to " + label);
    }
    return (byte) distance;
  }
}
