package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.core.FileStatus;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.open_how;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Answers the calls that name a file, if the name is the model's. */
final class PathCalls {
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int X_OK = 1;
  private static final int ANY_EXECUTE = 0111;
  private static final int S_IFMT = 0xf000;

  private final MockKernel model;
  private final Kernel kernel;
  private final ProgramFiles files;

  PathCalls(MockKernel model, Kernel kernel, ProgramFiles files) {
    this.model = model;
    this.kernel = kernel;
    this.files = files;
  }

  /** How a call is answered; empty: it names no file. */
  Optional<Answer> answer(ProgramProcess caller, Notice call) {
    int number = call.number();
    if (number == Seccomp.__NR_openat()) {
      return named(caller, call, 0, 1, path -> open(caller, call, path, call.integer(2)));
    }
    if (number == Seccomp.__NR_open()) {
      return named(caller, call, -1, 0, path -> open(caller, call, path, call.integer(1)));
    }
    if (number == Seccomp.__NR_creat()) {
      int flags = Libc.O_CREAT() | Libc.O_WRONLY() | Libc.O_TRUNC();
      return named(caller, call, -1, 0, path -> open(caller, call, path, flags));
    }
    List<NameChanges.Place> places = NameChanges.of(number);
    if (!places.isEmpty()) {
      boolean isModels =
          places.stream()
              .anyMatch(place -> model(caller, call, place.directory(), place.name()).isPresent());
      // What Linux says of another user's file, and of any in sysfs.
      return Optional.of(isModels ? Answer.of(Errno.EPERM) : Answer.pass());
    }
    if (number == Seccomp.__NR_openat2()) {
      return named(caller, call, 0, 1, path -> open(caller, call, path));
    }
    if (number == Seccomp.__NR_stat() || number == Seccomp.__NR_lstat()) {
      boolean follow = number == Seccomp.__NR_stat();
      return named(caller, call, -1, 0, path -> stat(caller, path, follow, call.argument(1)));
    }
    if (number == Seccomp.__NR_newfstatat()) {
      int flags = call.integer(3);
      if (isOfNumber(caller, call, flags)) {
        return ofNumber(caller, call, file -> fstat(caller, file, call.argument(2)));
      }
      boolean follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
      return named(caller, call, 0, 1, path -> stat(caller, path, follow, call.argument(2)));
    }
    if (number == Seccomp.__NR_statx()) {
      int flags = call.integer(2);
      if (isOfNumber(caller, call, flags)) {
        return ofNumber(
            caller, call, file -> fstat(caller, file, call.argument(4), StatStructs::statx));
      }
      boolean follow = (flags & AT_SYMLINK_NOFOLLOW) == 0;
      return named(caller, call, 0, 1, path -> statx(caller, path, follow, call.argument(4)));
    }
    if (number == Seccomp.__NR_access()) {
      return named(caller, call, -1, 0, path -> access(path, call.integer(1)));
    }
    if (number == Seccomp.__NR_faccessat() || number == Seccomp.__NR_faccessat2()) {
      return named(caller, call, 0, 1, path -> access(path, call.integer(2)));
    }
    if (number == Seccomp.__NR_readlink()) {
      return named(
          caller,
          call,
          -1,
          0,
          path -> Answer.of(kernel.readlink(path, call.argument(1), call.integer(2))));
    }
    if (number == Seccomp.__NR_readlinkat()) {
      return named(
          caller,
          call,
          0,
          1,
          path -> Answer.of(kernel.readlink(path, call.argument(2), call.integer(3))));
    }
    return Optional.empty();
  }

  /** Whether a call names the file of its descriptor, as libc's fstat does: AT_EMPTY_PATH. */
  private static boolean isOfNumber(ProgramProcess caller, Notice call, int flags) {
    return (flags & AT_EMPTY_PATH) != 0
        && (call.argument(1) == 0 || caller.text(call.argument(1)).orElse("/").isEmpty());
  }

  private static Optional<Answer> ofNumber(
      ProgramProcess caller, Notice call, Function<Integer, Answer> body) {
    return Optional.of(caller.model(call.integer(0)).map(body).orElseGet(Answer::pass));
  }

  /** A call on a name. */
  @FunctionalInterface
  private interface NamedCall {
    Answer on(String path);
  }

  /**
   * Answers a call if its name is the model's.
   *
   * @param directory which argument is the directory that the name begins in; -1: none is
   * @param name which argument is the name's address
   */
  private Optional<Answer> named(
      ProgramProcess caller, Notice call, int directory, int name, NamedCall body) {
    return Optional.of(model(caller, call, directory, name).map(body::on).orElseGet(Answer::pass));
  }

  /** A name of the model's; empty if it is none, or can't be read. */
  private Optional<String> model(ProgramProcess caller, Notice call, int directory, int name) {
    int from = directory < 0 ? Libc.AT_FDCWD() : call.integer(directory);
    return caller
        .text(call.argument(name))
        .flatMap(path -> absolute(caller, from, path))
        .filter(Territory::has);
  }

  private Optional<String> absolute(ProgramProcess caller, int directory, String path) {
    if (path.startsWith("/")) {
      return Optional.of(path);
    }
    String process = "/proc/" + caller.number();
    Optional<String> from =
        directory == Libc.AT_FDCWD()
            ? Processes.link(process + "/cwd")
            : caller
                .model(directory)
                .map(model::nameOf)
                .orElseGet(() -> Processes.link(process + "/fd/" + directory));
    return from.filter(name -> name.startsWith("/"))
        .map(name -> path.isEmpty() ? name : name + "/" + path);
  }

  private Answer open(ProgramProcess caller, Notice call, String path, int flags) {
    files.closeGone();
    return files.give(
        caller, call, (flags & Libc.O_CLOEXEC()) != 0, () -> kernel.open(path, flags));
  }

  private Answer open(ProgramProcess caller, Notice call, String path) {
    try (Arena arena = Arena.ofConfined()) {
      return caller
          .get(arena, call.argument(2), open_how.sizeof())
          .map(how -> open(caller, call, path, (int) open_how.flags(how)))
          .orElseGet(() -> Answer.of(Errno.EFAULT));
    }
  }

  private Answer stat(ProgramProcess caller, String path, boolean follow, long address) {
    return status(caller, path, follow, address, StatStructs::stat);
  }

  private Answer statx(ProgramProcess caller, String path, boolean follow, long address) {
    return status(caller, path, follow, address, StatStructs::statx);
  }

  /** Fills a struct with a file's status. */
  @FunctionalInterface
  private interface Status {
    MemorySegment of(Arena arena, FileStatus status);
  }

  private Answer status(
      ProgramProcess caller, String path, boolean follow, long address, Status status) {
    List<FileStatus> found = new ArrayList<>();
    int refused = model.status(path, follow, found::add);
    return refused < 0 ? Answer.of(refused) : describe(caller, found.getFirst(), address, status);
  }

  private static Answer describe(
      ProgramProcess caller, FileStatus file, long address, Status status) {
    try (Arena arena = Arena.ofConfined()) {
      return Answer.of(caller.put(address, status.of(arena, file)));
    }
  }

  private Optional<FileStatus> ofPath(String path) {
    List<FileStatus> found = new ArrayList<>();
    model.status(path, true, found::add);
    return found.stream().findFirst();
  }

  /** The status of one of the model's open files; empty if it has been closed meanwhile. */
  private Optional<FileStatus> statusOf(int number) {
    return model
        .nameOf(number)
        .filter(Territory::has)
        .flatMap(this::ofPath)
        .or(() -> model.statusOf(number));
  }

  /** fstat(2) of one of the model's files. */
  Answer fstat(ProgramProcess caller, int number, long address) {
    return fstat(caller, number, address, StatStructs::stat);
  }

  private Answer fstat(ProgramProcess caller, int number, long address, Status status) {
    return statusOf(number)
        .map(file -> describe(caller, file, address, status))
        .orElseGet(() -> Answer.of(Errno.EBADF));
  }

  private Answer access(String path, int wanted) {
    List<FileStatus> found = new ArrayList<>();
    int refused = model.status(path, true, found::add);
    if (refused < 0) {
      return Answer.of(refused);
    }
    int mode = found.getFirst().mode();
    boolean executes =
        (mode & S_IFMT) == Libc.S_IFDIR() || (mode & ANY_EXECUTE) != 0 || (wanted & X_OK) == 0;
    return executes ? Answer.of(0) : Answer.of(Errno.EACCES);
  }
}
