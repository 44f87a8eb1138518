package dev.iolite.mock.door;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.Registers;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.core.Ram;
import dev.iolite.uapi.libc.Libc;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the program has in its table of descriptors for a file of the model: a memfd. The kernel
 * keeps count of who has it, over dup, fork, exec, mappings and the end of a process; it is gone
 * when nobody has it open for writing any longer.
 */
final class Placeholder {
  private static final String NAME = "iolite-file-";
  private static final String MEMORY = "/memfd:" + Ram.FILE_NAME;
  private static final String IN_MEMORY = "-memory";
  private static final Pattern LINK =
      Pattern.compile("/memfd:" + NAME + "(\\d+)(?:" + IN_MEMORY + ")? \\(deleted\\)");

  private static final Pattern INODE = Pattern.compile("\nino:\t(\\d+)");

  /** Not the descriptor of any memfd of the model's. */
  private static final int EMPTY = -1;

  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final int number;

  /** The model's numbers of the file; more than one after a dup. */
  private final List<Integer> numbers = new ArrayList<>();

  /** For each memfd that the program has been given for the file, one that is read-only. */
  private final Map<Integer, Integer> watched = new HashMap<>();

  /** What of the file is mapped and is no memory. */
  private final List<MappedRegisters> registers = new ArrayList<>();

  /**
   * Registers that are mapped through the file.
   *
   * @param offset where in the file they begin, in bytes
   */
  record MappedRegisters(long offset, long bytes, Registers registers) {
    private boolean has(long at) {
      return at >= offset && at < offset + bytes;
    }
  }

  Placeholder(HostKernel host, HostSupervisor supervisor, int number) {
    this.host = host;
    this.supervisor = supervisor;
    this.number = number;
    numbers.add(number);
  }

  /**
   * The model's number that a link of {@code /proc/PID/fd} tells; empty: it is another file.
   *
   * @param fd the descriptor of the link: what was mapped is the model's memory since, which has no
   *     number of its own
   */
  static Optional<Integer> numberIn(String link, int fd) {
    if (link.startsWith(MEMORY) && fd >= Filter.FIRST_DESCRIPTOR) {
      return Optional.of(fd);
    }
    Matcher name = LINK.matcher(link);
    return name.matches() ? Optional.of(Integer.valueOf(name.group(1))) : Optional.empty();
  }

  /**
   * Whether a name is a placeholder's. Of a file of the model, a program has the placeholder mapped
   * where the model has registers.
   */
  static boolean isFor(String name) {
    return LINK.matcher(name).matches();
  }

  /** Whether what is mapped from a file of this name is a file of the model. */
  static boolean isModels(String name) {
    return name.startsWith(MEMORY) || isFor(name);
  }

  synchronized List<Integer> numbers() {
    return List.copyOf(numbers);
  }

  synchronized void add(int duplicate) {
    numbers.add(duplicate);
  }

  /** A part of the file is mapped which is registers; the last mapping of a part counts. */
  synchronized void map(MappedRegisters mapped) {
    registers.removeIf(known -> known.offset == mapped.offset && known.bytes == mapped.bytes);
    registers.add(mapped);
  }

  synchronized Optional<MappedRegisters> registersAt(long offset) {
    return registers.stream().filter(each -> each.has(offset)).findFirst();
  }

  /**
   * Makes the memfd. It is empty: an access to a mapping of it is a SIGBUS.
   *
   * @return a descriptor to be given to the program and closed then, or a negated errno
   */
  int make() {
    int made = host.memfdCreate(NAME + number, Libc.MFD_CLOEXEC());
    if (made < 0) {
      return made;
    }
    int opened = of(EMPTY, made);
    host.close(made);
    return opened;
  }

  /** Another descriptor of the memfd that is empty; otherwise the same as {@link #of}. */
  int empty() {
    return of(EMPTY, EMPTY);
  }

  /** Whether the program may have been given another memfd than the empty one. */
  synchronized boolean isMemory() {
    return watched.size() > 1;
  }

  /** The name of a memfd that has a part of the file. */
  String memoryName() {
    return NAME + number + IN_MEMORY;
  }

  /**
   * Another descriptor of a memfd.
   *
   * @param memfd one that memfd_create(2) returned: it does not count as one that has it open
   * @return a descriptor to be given to the program and closed then, or a negated errno
   */
  int of(int memfd) {
    return of(memfd, memfd);
  }

  private synchronized int of(int key, int memfd) {
    Integer watching = watched.get(key);
    if (watching == null) {
      int opened = open(memfd, Libc.O_RDONLY());
      if (opened < 0) {
        return opened;
      }
      watched.put(key, opened);
      watching = opened;
    }
    return open(watching, Libc.O_RDWR());
  }

  private int open(int descriptor, int access) {
    return host.open("/proc/self/fd/" + descriptor, access | Libc.O_CLOEXEC());
  }

  /** Whether a file of this process is one that the program was given for it. */
  synchronized boolean isOf(int file) {
    Optional<String> inode = inode(file);
    return inode.isPresent() && watched.values().stream().map(this::inode).anyMatch(inode::equals);
  }

  /** All memfds are in one file system. */
  private Optional<String> inode(int descriptor) {
    Matcher inode =
        INODE.matcher(new SysFs(host).readIfPresent("/proc/self/fdinfo/" + descriptor).orElse(""));
    return inode.find() ? Optional.of(inode.group(1)) : Optional.empty();
  }

  /** Whether any process still has it. */
  synchronized boolean isHeld() {
    return watched.values().stream().anyMatch(file -> supervisor.hasWriters(file) != 0);
  }

  synchronized void close() {
    watched.values().forEach(host::close);
    watched.clear();
  }
}
