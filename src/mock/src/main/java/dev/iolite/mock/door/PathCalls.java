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
  /** None of a call's arguments. */
  static final int NONE = -1;

  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int X_OK = 1;
  private static final int ANY_EXECUTE = 0111;
  private static final int S_IFMT = 0xf000;

  private final MockKernel model;
  private final Kernel kernel;
  private final ProgramFiles files;
  private final MachineDirectories machines;

  PathCalls(MockKernel model, Kernel kernel, ProgramFiles files, MachineDirectories machines) {
    this.model = model;
    this.kernel = kernel;
    this.files = files;
    this.machines = machines;
  }

  /** How a call is answered; empty: it names no file. */
  Optional<Answer> answer(ProgramProcess caller, Notice call) {
    int number = call.number();
    if (number == Seccomp.__NR_openat()) {
      return open(caller, call, 0, 1, call.integer(2));
    }
    if (number == Seccomp.__NR_open()) {
      return open(caller, call, NONE, 0, call.integer(1));
    }
    if (number == Seccomp.__NR_creat()) {
      return open(caller, call, NONE, 0, Libc.O_CREAT() | Libc.O_WRONLY() | Libc.O_TRUNC());
    }
    List<NameChanges.Place> places = NameChanges.of(number);
    if (!places.isEmpty()) {
      boolean isModels =
          places.stream()
              .flatMap(place -> name(caller, call, place.directory(), place.name()).stream())
              .anyMatch(name -> name.isModels() || name.isFromModels());
      // What Linux says of another user's file, and of any in sysfs.
      return Optional.of(isModels ? Answer.of(Errno.EPERM) : Answer.pass());
    }
    if (number == Seccomp.__NR_openat2()) {
      try (Arena arena = Arena.ofConfined()) {
        return caller
            .get(arena, call.argument(2), open_how.sizeof())
            .map(how -> (int) open_how.flags(how))
            .map(flags -> open(caller, call, 0, 1, flags))
            .orElseGet(() -> Optional.of(Answer.of(Errno.EFAULT)));
      }
    }
    if (number == Seccomp.__NR_execve()) {
      return named(caller, call, NONE, 0, this::execute).filter(Answer::isResult);
    }
    if (number == Seccomp.__NR_execveat()) {
      return named(caller, call, 0, 1, this::execute).filter(Answer::isResult);
    }
    if (number == Seccomp.__NR_stat() || number == Seccomp.__NR_lstat()) {
      boolean follow = number == Seccomp.__NR_stat();
      return named(caller, call, NONE, 0, path -> stat(caller, path, follow, call.argument(1)));
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
      return named(caller, call, NONE, 0, path -> access(path, call.integer(1)));
    }
    if (number == Seccomp.__NR_faccessat() || number == Seccomp.__NR_faccessat2()) {
      return named(caller, call, 0, 1, path -> access(path, call.integer(2)));
    }
    if (number == Seccomp.__NR_readlink()) {
      return named(
          caller,
          call,
          NONE,
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
   * @param directory which argument is the directory that the name begins in, or {@link #NONE}
   * @param name which argument is the name's address
   */
  private Optional<Answer> named(
      ProgramProcess caller, Notice call, int directory, int name, NamedCall body) {
    return Optional.of(
        name(caller, call, directory, name)
            .map(named -> named.isModels() ? body.on(named.path) : named.elsewhere())
            .orElseGet(Answer::pass));
  }

  /**
   * A name of a file.
   *
   * @param path absolute
   * @param isFromModels whether it begins in a directory that only the model has
   */
  record Name(String path, boolean isFromModels) {
    boolean isModels() {
      return Territory.has(path);
    }

    /** What is said if it is not the model's: there, the program's kernel knows no way. */
    Answer elsewhere() {
      return isFromModels ? Answer.of(Errno.ENOENT) : Answer.pass();
    }
  }

  /**
   * The name that a call has; empty if it can't be read.
   *
   * @param directory which argument is the directory that the name begins in, or {@link #NONE}
   * @param name which argument is the name's address
   */
  Optional<Name> name(ProgramProcess caller, Notice call, int directory, int name) {
    int from = directory == NONE ? Libc.AT_FDCWD() : call.integer(directory);
    return caller.text(call.argument(name)).flatMap(path -> absolute(caller, from, path));
  }

  private Optional<Name> absolute(ProgramProcess caller, int directory, String path) {
    if (path.startsWith("/")) {
      return Optional.of(new Name(path, false));
    }
    Optional<String> ofModel =
        directory == Libc.AT_FDCWD()
            ? caller.directory()
            : caller.model(directory).map(files::nameOf);
    return ofModel
        .or(() -> Processes.link(caller.link(directory)))
        .filter(start -> start.startsWith("/") && !path.isEmpty())
        .map(start -> new Name(start + "/" + path, ofModel.isPresent()));
  }

  private Optional<Answer> open(
      ProgramProcess caller, Notice call, int directory, int name, int flags) {
    return Optional.of(
        name(caller, call, directory, name)
            .map(named -> open(caller, call, named, flags))
            .orElseGet(Answer::pass));
  }

  private Answer open(ProgramProcess caller, Notice call, Name name, int flags) {
    boolean isClosedByExec = (flags & Libc.O_CLOEXEC()) != 0;
    if (name.path.contains("..") && name.isModels()) {
      // It may lead out again, through links of the model's.
      List<String> found = new ArrayList<>();
      files.resolve(name.path, Libc.O_DIRECTORY(), found::add);
      if (found.stream().anyMatch(Territory::isAbove)) {
        return machines.open(caller, call, found.getFirst(), isClosedByExec);
      }
    }
    if (name.isModels()) {
      files.closeGone();
      return files.give(caller, call, isClosedByExec, () -> kernel.open(name.path, flags));
    }
    boolean reads =
        (flags & (Libc.O_WRONLY() | Libc.O_RDWR() | Libc.O_CREAT() | Libc.O_PATH())) == 0;
    return reads && Territory.isAbove(name.path)
        ? machines.open(caller, call, name.path, isClosedByExec)
        : name.elsewhere();
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
    return onFile(path, follow, file -> describe(caller, file, address, status));
  }

  private Answer onFile(String path, boolean follow, Function<FileStatus, Answer> body) {
    List<FileStatus> found = new ArrayList<>();
    int refused = model.status(path, follow, found::add);
    return refused < 0 ? Answer.of(refused) : body.apply(found.getFirst());
  }

  /** None of the model's files is a program. */
  private Answer execute(String path) {
    return onFile(path, true, _ -> Answer.of(Errno.EACCES));
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
    return model.nameOf(number).flatMap(this::ofPath).or(() -> model.statusOf(number));
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
    return onFile(
        path,
        true,
        file -> {
          boolean executes =
              (file.mode() & S_IFMT) == Libc.S_IFDIR() || (file.mode() & ANY_EXECUTE) != 0;
          return executes || (wanted & X_OK) == 0 ? Answer.of(0) : Answer.of(Errno.EACCES);
        });
  }
}
