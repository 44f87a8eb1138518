package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.ProcessMaps;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.seccomp_notif_addfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.IntSupplier;

/** Gives the program descriptors of the model's files, and closes those that nobody has. */
final class ProgramFiles {
  private final HostKernel host;
  private final MockKernel model;
  private final Kernel kernel;
  private final Processes processes;
  private final Placeholders placeholders;
  private final Tracers tracers;
  private final int listener;

  ProgramFiles(
      HostKernel host,
      MockKernel model,
      Kernel kernel,
      Processes processes,
      Placeholders placeholders,
      Tracers tracers,
      int listener) {
    this.host = host;
    this.model = model;
    this.kernel = kernel;
    this.processes = processes;
    this.placeholders = placeholders;
    this.tracers = tracers;
    this.listener = listener;
  }

  /**
   * Makes a call of the model, and gives the calling process what descriptors it has made.
   *
   * @param isClosedByExec whether an exec closes them (O_CLOEXEC)
   */
  Answer give(ProgramProcess caller, Notice call, boolean isClosedByExec, IntSupplier body) {
    int result = body.getAsInt();
    List<Integer> made = processes.takeGiven();
    if (result < 0) {
      // A fault after its effect: the injector has closed what was made.
      return Answer.of(result);
    }
    for (int number : made) {
      int added = add(call, placeholders.make(number), number, isClosedByExec);
      if (added < 0) {
        made.forEach(placeholders::remove);
        made.forEach(kernel::close);
        return Answer.of(added);
      }
      caller.hold(number);
    }
    return Answer.of(result);
  }

  /** The name of one of the model's open files; nothing if it has been closed. */
  String nameOf(int number) {
    return model.nameOf(number).orElse("");
  }

  /**
   * Opens a name of the model's, and closes it again.
   *
   * @param found receives the name without links
   * @return 0, or a negated errno
   */
  int resolve(String path, int flags, Consumer<String> found) {
    int number = model.open(path, flags);
    processes.takeGiven();
    if (number < 0) {
      return number;
    }
    found.accept(nameOf(number));
    return model.close(number);
  }

  /** Gives the program a file of this process at a number, and closes it here. */
  int add(Notice call, int file, int number, boolean isClosedByExec) {
    int atNumber = (int) Seccomp.SECCOMP_ADDFD_FLAG_SETFD();
    return add(call, file, atNumber, number, isClosedByExec);
  }

  /** The same, at the lowest number without SECCOMP_ADDFD_FLAG_SETFD. */
  private int add(Notice call, int file, int flags, int number, boolean isClosedByExec) {
    if (file < 0) {
      return file;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment added = seccomp_notif_addfd.allocate(arena);
      seccomp_notif_addfd.id(added, call.id());
      seccomp_notif_addfd.flags(added, flags);
      seccomp_notif_addfd.srcfd(added, file);
      seccomp_notif_addfd.newfd(added, number);
      seccomp_notif_addfd.newfd_flags(added, isClosedByExec ? Libc.O_CLOEXEC() : 0);
      int result = host.ioctl(listener, Seccomp.SECCOMP_IOCTL_NOTIF_ADDFD(), added.address());
      // fs/file.c:replace_fd says EBADF beyond RLIMIT_NOFILE, where open(2) says EMFILE.
      return result == Errno.EBADF.negated() ? Errno.EMFILE.negated() : result;
    } finally {
      host.close(file);
    }
  }

  /** dup(2) and fcntl(F_DUPFD): another high number, which the filter knows. */
  Answer duplicate(ProgramProcess caller, Notice call, int fd, int number, boolean isClosedByExec) {
    int file = caller.take(fd);
    return Answer.of(file < 0 ? file : duplicate(caller, call, file, isClosedByExec, number));
  }

  /**
   * Gives the program another number of one of the model's files.
   *
   * @param file of this process, which is closed
   * @return the number, or a negated errno
   */
  private int duplicate(
      ProgramProcess caller, Notice call, int file, boolean isClosedByExec, int number) {
    int duplicate = model.duplicate(number);
    processes.takeGiven();
    if (duplicate < 0) {
      host.close(file);
      return duplicate;
    }
    int added = add(call, file, duplicate, isClosedByExec);
    if (added < 0) {
      kernel.close(duplicate);
      return added;
    }
    placeholders.duplicate(number, duplicate);
    caller.hold(duplicate);
    return duplicate;
  }

  /** Whether a file of this process is one of the model's. */
  static boolean isModels(int file) {
    return Processes.link("/proc/self/fd/" + file).filter(Placeholder::isModels).isPresent();
  }

  /**
   * Gives the program a file that a message brought.
   *
   * @param file of this process, which is closed
   * @return its number, or a negated errno
   */
  int receive(ProgramProcess caller, Notice call, int file, boolean isClosedByExec) {
    Optional<Integer> known = isModels(file) ? placeholders.numberOf(file) : Optional.empty();
    return known
        .map(number -> duplicate(caller, call, file, isClosedByExec, number))
        .orElseGet(() -> add(call, file, 0, 0, isClosedByExec));
  }

  /** The memory at a range will no longer be what it is. */
  void leaving(Notice call) {
    model.leaving(call.argument(0), call.argument(1));
  }

  /** fallocate(2). */
  Answer allocate(Notice call, int number) {
    return Answer.of(model.fallocate(number, call.integer(1), call.argument(2), call.argument(3)));
  }

  /**
   * madvise(2) with MADV_COLLAPSE. mm/khugepaged.c:madvise_collapse refuses what is mapped from a
   * driver's file; the memfd that stands for it here, it would collapse.
   */
  Answer collapse(ProgramProcess caller, Notice call) {
    boolean isModels =
        ProcessMaps.areaAt(host, Integer.toString(caller.number()), call.argument(0))
            .filter(area -> Placeholder.isModels(area.name()))
            .isPresent();
    return isModels ? Answer.of(Errno.EINVAL) : Answer.pass();
  }

  /** What mmap(2) maps, and the file of the host to which the model moved it, if to any. */
  private record Mapped(MappedObject object, OptionalInt file) {}

  /** mmap(2): the program's own kernel maps its placeholder, unless the model refuses. */
  Answer map(ProgramProcess caller, Notice call, int number) {
    Optional<Placeholder> placeholder = placeholders.of(number);
    List<Mapped> found = new ArrayList<>();
    long bytes = call.argument(1);
    long offset = call.argument(5);
    int refused =
        model.mappable(
            number,
            bytes,
            call.integer(2),
            call.integer(3),
            offset,
            object -> found.add(new Mapped(object, fileOf(object, placeholder))));
    if (refused < 0) {
      return Answer.of(refused);
    }
    if (placeholder.isEmpty()) {
      return Answer.of(Errno.ENODEV);
    }
    return switch (found.getFirst().object) {
      case MappedObject.Pages pages when pages.offset() != offset -> Answer.of(Errno.ENODEV);
      case MappedObject.Pages pages ->
          mapFile(caller, call, placeholder.get(), pages.ram().hostFd());
      case MappedObject.DeviceRegisters _ when found.getFirst().file.isPresent() ->
          mapFile(caller, call, placeholder.get(), found.getFirst().file.getAsInt());
      case MappedObject.DeviceRegisters registers -> {
        int traced = tracers.trace(caller);
        if (traced < 0) {
          yield Answer.of(traced);
        }
        placeholders.map(
            number, new Placeholder.MappedRegisters(offset, bytes, registers.access()));
        yield placeholder.get().isMemory()
            ? mapped(caller, call, placeholder.get().empty())
            : Answer.pass();
      }
    };
  }

  private static OptionalInt fileOf(MappedObject object, Optional<Placeholder> placeholder) {
    return object instanceof MappedObject.DeviceRegisters registers && placeholder.isPresent()
        ? registers.file().named(placeholder.get().memoryName())
        : OptionalInt.empty();
  }

  /** The placeholder becomes the memory itself, so that the program reaches it without a detour. */
  private Answer mapFile(ProgramProcess caller, Notice call, Placeholder placeholder, int file) {
    return mapped(caller, call, placeholder.of(file));
  }

  private Answer mapped(ProgramProcess caller, Notice call, int file) {
    int fd = call.integer(4);
    int added = add(call, file, fd, caller.isClosedByExec(fd));
    return added < 0 ? Answer.of(added) : Answer.pass();
  }

  /** Whether a file is one that is used by ioctls alone. */
  boolean hasOnlyIoctls(int number) {
    String name = model.nameOf(number).orElse("");
    return name.equals("/dev/kvm")
        || name.equals("/dev/iommu")
        || name.equals("/dev/udmabuf")
        || name.matches("/dev/vfio/(vfio|\\d+)")
        || name.startsWith("anon_inode:kvm");
  }

  /** A descriptor is about to be closed. */
  void closing(ProgramProcess caller, int number) {
    caller.drop(number);
    placeholders.suspect(number);
  }

  /** Any descriptor of a process may be closed by what it is about to do. */
  void closingAny(ProgramProcess caller) {
    caller.dropAll();
    placeholders.suspectAll();
  }

  /** Closes what a process had that has ended, and what nobody has any longer. */
  void closeGone() {
    if (processes.forgetEnded()) {
      placeholders.suspectAll();
    }
    closeSuspected();
  }

  /** Closes what nobody has any longer, of what was about to be closed. */
  void closeSuspected() {
    placeholders.takeGone().forEach(kernel::close);
  }
}
