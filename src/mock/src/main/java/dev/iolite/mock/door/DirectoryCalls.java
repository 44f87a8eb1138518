package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.seccomp.Seccomp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * Answers the calls about the working directory. A process's kernel can't set it to a directory of
 * the model's, so it is kept here.
 */
final class DirectoryCalls {
  private final PathCalls paths;
  private final ProgramFiles files;
  private final MachineDirectories machines;
  private final Processes processes;

  DirectoryCalls(
      PathCalls paths, ProgramFiles files, MachineDirectories machines, Processes processes) {
    this.paths = paths;
    this.files = files;
    this.machines = machines;
    this.processes = processes;
  }

  /** How a call is answered; empty: it is not about a directory. */
  Optional<Answer> answer(ProgramProcess caller, Notice call) {
    int number = call.number();
    if (number == Seccomp.__NR_chdir()) {
      return Optional.of(
          paths
              .name(caller, call, PathCalls.NONE, 0)
              .map(name -> change(caller, name))
              .orElseGet(Answer::pass));
    }
    if (number == Seccomp.__NR_fchdir() && call.integer(0) >= 0) {
      int fd = call.integer(0);
      return Optional.of(
          caller
              .model(fd)
              .map(file -> enter(caller, files.nameOf(file)))
              .orElseGet(() -> leave(caller, caller.link(fd))));
    }
    if (number == Seccomp.__NR_getcwd()) {
      return Optional.of(
          caller.directory().map(path -> tell(caller, call, path)).orElseGet(Answer::pass));
    }
    if (number == Seccomp.__NR_getdents64() && caller.model(call.integer(0)).isEmpty()) {
      return Optional.of(machines.list(caller, call));
    }
    return Optional.empty();
  }

  private Answer change(ProgramProcess caller, PathCalls.Name name) {
    if (name.isModels()) {
      return enter(caller, name.path());
    }
    return name.isFromModels() ? name.elsewhere() : leave(caller, caller.root() + name.path());
  }

  private Answer enter(ProgramProcess caller, String path) {
    if (!path.startsWith("/")) {
      return Answer.of(Errno.ENOTDIR);
    }
    processes.adoptChildren(caller);
    return Answer.of(files.resolve(path, Libc.O_DIRECTORY(), caller::enter));
  }

  /**
   * Its own kernel enters a directory, if it may.
   *
   * @param path by which this process reaches it
   */
  private Answer leave(ProgramProcess caller, String path) {
    if (caller.directory().isPresent() && machines.mayEnter(path)) {
      processes.adoptChildren(caller);
      caller.leave();
    }
    return Answer.pass();
  }

  /** fs/d_path.c:getcwd. */
  private static Answer tell(ProgramProcess caller, Notice call, String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(path);
      if (Long.compareUnsigned(call.argument(1), text.byteSize()) < 0) {
        return Answer.of(Errno.ERANGE);
      }
      int put = caller.put(call.argument(0), text);
      return Answer.of(put < 0 ? put : text.byteSize());
    }
  }
}
