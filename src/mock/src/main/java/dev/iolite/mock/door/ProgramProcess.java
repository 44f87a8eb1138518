package dev.iolite.mock.door;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.core.ProcessMemory;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A process of the program: its memory, and its table of descriptors, which is the kernel's. */
final class ProgramProcess {
  private static final int PATH_MAX = 4096;
  private static final int OCTAL = 8;
  private static final Pattern FLAGS = Pattern.compile("\nflags:\t(\\d+)");

  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final int number;
  private final int pidfd;
  private final ProcessMemory memory;
  private volatile Optional<String> directory;

  /** Numbers of which it is known that they are the model's here. */
  private final Set<Integer> held = ConcurrentHashMap.newKeySet();

  ProgramProcess(
      HostKernel host, HostSupervisor supervisor, int number, Optional<String> directory) {
    this.directory = directory;
    this.host = host;
    this.supervisor = supervisor;
    this.number = number;
    pidfd = supervisor.openProcess(number);
    memory = new ProcessMemory(host, name -> !Placeholder.isFor(name));
    memory.attach(number);
  }

  int number() {
    return number;
  }

  /** Which directory of the model's is its working directory; empty: one of the machine's is. */
  Optional<String> directory() {
    return directory;
  }

  void enter(String path) {
    directory = Optional.of(path);
  }

  void leave() {
    directory = Optional.empty();
  }

  /** The root of its files, as this process reaches it. */
  String root() {
    return "/proc/" + number + "/root";
  }

  /** The link in procfs to one of its descriptors' files; of AT_FDCWD, to its directory. */
  String link(int fd) {
    return "/proc/" + number + (fd == Libc.AT_FDCWD() ? "/cwd" : "/fd/" + fd);
  }

  ProcessMemory memory() {
    return memory;
  }

  boolean hasEnded() {
    return pidfd < 0 || supervisor.poll(pidfd, 0) > 0;
  }

  void close() {
    if (pidfd >= 0) {
      host.close(pidfd);
    }
  }

  /** A duplicate of one of its descriptors, or a negated errno. */
  int take(int fd) {
    return supervisor.takeDescriptor(pidfd, fd);
  }

  /** It has this number of the model's now. */
  void hold(int fd) {
    held.add(fd);
  }

  /** It may no longer have it. */
  void drop(int fd) {
    held.remove(fd);
  }

  /** It may have lost any of them. */
  void dropAll() {
    held.clear();
  }

  /** The model's number of a descriptor; empty: it is none of the model's. */
  Optional<Integer> model(int fd) {
    if (held.contains(fd)) {
      return Optional.of(fd);
    }
    Optional<Integer> found =
        fd < 0
            ? Optional.empty()
            : Processes.link(link(fd)).flatMap(link -> Placeholder.numberIn(link, fd));
    found.filter(Integer.valueOf(fd)::equals).ifPresent(this::hold);
    return found;
  }

  /** Whether an exec closes a descriptor (FD_CLOEXEC). */
  boolean isClosedByExec(int fd) {
    return hasFlag(fd, Libc.O_CLOEXEC());
  }

  boolean isNonBlocking(int fd) {
    return hasFlag(fd, Libc.O_NONBLOCK());
  }

  private boolean hasFlag(int fd, int flag) {
    Matcher flags =
        FLAGS.matcher(
            new SysFs(host).readIfPresent("/proc/" + number + "/fdinfo/" + fd).orElse(""));
    return flags.find() && (Integer.parseInt(flags.group(1), OCTAL) & flag) != 0;
  }

  /**
   * A text of the program's.
   *
   * @return empty if it is not all readable, or longer than any path
   */
  Optional<String> text(long address) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(PATH_MAX);
      long bytes = host.readProcess(number, address, into.address(), PATH_MAX);
      for (long i = 0; i < bytes; i++) {
        if (into.get(ValueLayout.JAVA_BYTE, i) == 0) {
          byte[] text = into.asSlice(0, i).toArray(ValueLayout.JAVA_BYTE);
          return Optional.of(new String(text, StandardCharsets.UTF_8));
        }
      }
      return Optional.empty();
    }
  }

  /** Copies a struct to the program; 0 or a negated errno. */
  int put(long address, MemorySegment struct) {
    return host.writeProcess(number, address, struct.address(), struct.byteSize())
            == struct.byteSize()
        ? 0
        : Errno.EFAULT.negated();
  }

  /** Copies a struct of the program; empty if it is not all readable. */
  Optional<MemorySegment> get(Arena arena, long address, long bytes) {
    MemorySegment into = arena.allocate(bytes, Long.BYTES);
    return host.readProcess(number, address, into.address(), bytes) == bytes
        ? Optional.of(into)
        : Optional.empty();
  }
}
