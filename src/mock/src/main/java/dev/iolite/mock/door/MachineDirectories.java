package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The machine's directories that the model has names in. The program gets them at numbers like
 * those of the model's files, so that the filter sees when they are listed.
 */
final class MachineDirectories {
  private final HostKernel host;
  private final MockKernel model;
  private final Processes processes;
  private final ProgramFiles files;

  MachineDirectories(HostKernel host, MockKernel model, Processes processes, ProgramFiles files) {
    this.host = host;
    this.model = model;
    this.processes = processes;
    this.files = files;
  }

  /** open(2) of one. */
  Answer open(ProgramProcess caller, Notice call, String path, boolean isClosedByExec) {
    String name = caller.root() + Territory.normal(path);
    return give(
        caller, call, host.open(name, Libc.O_DIRECTORY() | Libc.O_CLOEXEC()), isClosedByExec);
  }

  /** dup(2) and fcntl(F_DUPFD) of one; any other file is not looked at. */
  Answer duplicate(ProgramProcess caller, Notice call, boolean isClosedByExec) {
    int fd = call.integer(0);
    return pathOf(caller, fd).isPresent()
        ? give(caller, call, caller.take(fd), isClosedByExec)
        : Answer.pass();
  }

  /** Where there is no number left of those, the program's own kernel gives one. */
  private Answer give(ProgramProcess caller, Notice call, int directory, boolean isClosedByExec) {
    if (directory < 0) {
      return Answer.pass();
    }
    int number = model.open("/", Libc.O_DIRECTORY());
    processes.takeGiven();
    if (number < 0) {
      host.close(directory);
      return Answer.pass();
    }
    caller.drop(number);
    int added = files.add(call, directory, number, isClosedByExec);
    model.close(number);
    return added < 0 ? Answer.pass() : Answer.of(number);
  }

  private static Optional<String> pathOf(ProgramProcess caller, int fd) {
    return Processes.link(caller.link(fd)).filter(Territory::isAbove);
  }

  /** Whether a directory can be entered: search permission is asked for. */
  boolean mayEnter(String path) {
    int opened = host.open(path + "/.", Libc.O_PATH() | Libc.O_DIRECTORY() | Libc.O_CLOEXEC());
    if (opened >= 0) {
      host.close(opened);
    }
    return opened >= 0;
  }

  /** getdents64(2); any other directory is not looked at. */
  Answer list(ProgramProcess caller, Notice call) {
    Optional<String> path = pathOf(caller, call.integer(0));
    if (path.isEmpty()) {
      return Answer.pass();
    }
    int directory = caller.take(call.integer(0));
    if (directory < 0) {
      return Answer.of(directory);
    }
    try (Arena arena = Arena.ofConfined()) {
      MergedList list = new MergedList(host, model, path.get());
      MemorySegment into =
          arena.allocate(Math.min(Integer.toUnsignedLong(call.integer(2)), MergedList.MOST_BYTES));
      int bytes = list.read(directory, into);
      return bytes <= 0
          ? Answer.of(bytes)
          : Answer.of(
              caller.put(call.argument(1), into.asSlice(0, bytes)) < 0
                  ? Errno.EFAULT.negated()
                  : bytes);
    } finally {
      host.close(directory);
    }
  }
}
