package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.seccomp.Seccomp;
import java.util.Optional;
import java.util.Set;

/** Answers the calls on a descriptor, if it is the model's. */
final class FileCalls {
  /** fs/ioctl.c:do_vfs_ioctl answers these whatever the file, as it does for the placeholder. */
  private static final Set<Integer> OF_ANY_FILE =
      Set.of(Libc.FIOCLEX(), Libc.FIONCLEX(), Libc.FIONBIO());

  private final Kernel kernel;
  private final PathCalls paths;
  private final ProgramFiles files;
  private final MachineDirectories machines;

  FileCalls(Kernel kernel, PathCalls paths, ProgramFiles files, MachineDirectories machines) {
    this.kernel = kernel;
    this.paths = paths;
    this.files = files;
    this.machines = machines;
  }

  /** How a call is answered. */
  Answer answer(ProgramProcess caller, Notice call) {
    int number = call.number();
    if (number == Seccomp.__NR_execve()
        || number == Seccomp.__NR_execveat()
        || number == Seccomp.__NR_close_range()) {
      files.closingAny(caller);
      return Answer.pass();
    }
    if (number == Seccomp.__NR_madvise() && call.integer(2) == Libc.MADV_COLLAPSE()) {
      return files.collapse(caller, call);
    }
    if (number == Seccomp.__NR_munmap() || number == Seccomp.__NR_madvise()) {
      files.leaving(call);
      return Answer.pass();
    }
    boolean isMap = number == Seccomp.__NR_mmap();
    if (isMap && (call.integer(3) & Libc.MAP_FIXED()) != 0) {
      files.leaving(call);
    }
    if (isMap && (call.integer(3) & Libc.MAP_ANONYMOUS()) != 0) {
      return Answer.pass();
    }
    int fd = call.integer(isMap ? 4 : 0);
    Optional<Integer> file = caller.model(fd);
    if (number == Seccomp.__NR_dup2() || number == Seccomp.__NR_dup3()) {
      return duplicateTo(caller, call, file);
    }
    return file.isEmpty() ? onMachines(caller, call) : onFile(caller, call, fd, file.get());
  }

  /**
   * A number that is the model's is about to be another file's, or the other way round. Of a low
   * number that is no standard stream's, the filter sees only the ioctls, so a file that can be
   * read or written gets none: better an error than data of the placeholder's.
   */
  private Answer duplicateTo(ProgramProcess caller, Notice call, Optional<Integer> file) {
    int target = call.integer(1);
    if (target >= Filter.FIRST_DESCRIPTOR && file.isPresent()) {
      // A number of the model's is the same file in every process.
      return target == call.integer(0) ? Answer.pass() : Answer.of(Errno.EBUSY);
    }
    boolean isStream = target >= 0 && target <= Filter.LAST_STREAM;
    if (file.isPresent() && !isStream && !files.hasOnlyIoctls(file.get())) {
      return Answer.of(Errno.EBUSY);
    }
    caller.model(target).ifPresent(replaced -> files.closing(caller, replaced));
    return Answer.pass();
  }

  private Answer onMachines(ProgramProcess caller, Notice call) {
    boolean isClosedByExec = isDuplicate(call, Libc.F_DUPFD_CLOEXEC());
    return call.number() == Seccomp.__NR_dup()
            || isClosedByExec
            || isDuplicate(call, Libc.F_DUPFD())
        ? machines.duplicate(caller, call, isClosedByExec)
        : Answer.pass();
  }

  private static boolean isDuplicate(Notice call, int command) {
    return call.number() == Seccomp.__NR_fcntl() && call.integer(1) == command;
  }

  private Answer onFile(ProgramProcess caller, Notice call, int fd, int file) {
    int number = call.number();
    if (number == Seccomp.__NR_ioctl()) {
      if (OF_ANY_FILE.contains(call.integer(1))) {
        return Answer.pass();
      }
      files.closeSuspected();
      return files.give(
          caller, call, true, () -> kernel.ioctl(file, call.integer(1), call.argument(2)));
    }
    if (number == Seccomp.__NR_close()) {
      files.closing(caller, file);
      return Answer.pass();
    }
    if (number == Seccomp.__NR_mmap()) {
      return files.map(caller, call, file);
    }
    if (number == Seccomp.__NR_dup()) {
      return files.duplicate(caller, call, fd, file, false);
    }
    if (number == Seccomp.__NR_fcntl()) {
      int command = call.integer(1);
      boolean closes = command == Libc.F_DUPFD_CLOEXEC();
      return command == Libc.F_DUPFD() || closes
          ? files.duplicate(caller, call, fd, file, closes)
          : Answer.pass();
    }
    if (number == Seccomp.__NR_fstat()) {
      return paths.fstat(caller, file, call.argument(1));
    }
    if (number == Seccomp.__NR_fallocate()) {
      return files.allocate(call, file);
    }
    return transfer(caller, call, file);
  }

  private Answer transfer(ProgramProcess caller, Notice call, int file) {
    int number = call.number();
    long address = call.argument(1);
    long bytes = call.argument(2);
    if (number == Seccomp.__NR_read()) {
      return Answer.of(kernel.read(file, address, bytes));
    }
    if (number == Seccomp.__NR_write()) {
      return Answer.of(kernel.write(file, address, bytes));
    }
    if (number == Seccomp.__NR_pread64()) {
      return Answer.of(kernel.pread(file, address, bytes, call.argument(3)));
    }
    if (number == Seccomp.__NR_pwrite64()) {
      return Answer.of(kernel.pwrite(file, address, bytes, call.argument(3)));
    }
    if (number == Seccomp.__NR_readv()) {
      return vector(caller, call, (at, count, _) -> kernel.read(file, at, count));
    }
    if (number == Seccomp.__NR_writev()) {
      return vector(caller, call, (at, count, _) -> kernel.write(file, at, count));
    }
    if (number == Seccomp.__NR_preadv()) {
      long offset = call.argument(3);
      return vector(
          caller, call, (at, count, done) -> kernel.pread(file, at, count, offset + done));
    }
    if (number == Seccomp.__NR_pwritev()) {
      long offset = call.argument(3);
      return vector(
          caller, call, (at, count, done) -> kernel.pwrite(file, at, count, offset + done));
    }
    if (number == Seccomp.__NR_lseek()) {
      return Answer.of(kernel.lseek(file, address, call.integer(2)));
    }
    if (number == Seccomp.__NR_ftruncate()) {
      return Answer.of(kernel.ftruncate(file, address));
    }
    if (number == Seccomp.__NR_getdents64()) {
      return Answer.of(kernel.getdents(file, address, bytes));
    }
    // getdents, preadv2, pwritev2: no libc of today needs them.
    return Answer.of(Errno.ENOSYS);
  }

  /** A part of a transfer. */
  @FunctionalInterface
  private interface Transfer {
    long move(long address, long bytes, long done);
  }

  /** fs/read_write.c:do_loop_readv_writev: part after part, until one is cut short. */
  private static Answer vector(ProgramProcess caller, Notice call, Transfer transfer) {
    IoVector vector = IoVector.of(caller, call.argument(1), call.argument(2));
    long done = 0;
    for (IoVector.Buffer each : vector.buffers()) {
      long moved = transfer.move(each.address(), each.bytes(), done);
      if (moved < 0) {
        return Answer.of(done == 0 ? moved : done);
      }
      done += moved;
      if (moved < each.bytes()) {
        break;
      }
    }
    return Answer.of(vector.error() < 0 ? vector.error() : done);
  }
}
