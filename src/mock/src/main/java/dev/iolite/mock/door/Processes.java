package dev.iolite.mock.door;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.HostSupervisor;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.core.CallerEventFd;
import dev.iolite.mock.core.CallerFile;
import dev.iolite.mock.core.CallerFiles;
import dev.iolite.mock.core.CallerMemFd;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.ProcessMaps;
import dev.iolite.mock.core.ProcessMemory;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.UserMemory;
import dev.iolite.uapi.libc.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The processes that make calls. To the model they are one caller, whose memory and own descriptors
 * are those of the process that makes the current call.
 */
final class Processes implements UserMemory, CallerFiles, CallerMemory {
  private static final Pattern NUMBERS =
      Pattern.compile("\nTgid:\t(\\d+)\n(?:.*\n)*?PPid:\t(\\d+)");
  private static final int NO_FD = -1;
  private static final int INIT = 1;
  private static final String MEMFD = "/memfd:";
  private static final Pattern EVENTFD = Pattern.compile("eventfd-id: *(\\d+)");

  private final HostKernel host;
  private final HostSupervisor supervisor;
  private final Map<Integer, ProgramProcess> byThread = new ConcurrentHashMap<>();
  private final Map<Integer, ProgramProcess> byProcess = new HashMap<>();

  /** Under the model's lock. */
  private final Map<String, CallerEventFd> eventfds = new HashMap<>();

  private final ThreadLocal<Optional<ProgramProcess>> current =
      ThreadLocal.withInitial(Optional::empty);
  private final ThreadLocal<List<Integer>> given = ThreadLocal.withInitial(ArrayList::new);

  Processes(HostKernel host, HostSupervisor supervisor) {
    this.host = host;
    this.supervisor = supervisor;
  }

  /** Begins a call of a thread of the program; empty: it has ended meanwhile. */
  Optional<ProgramProcess> enter(int thread) {
    ProgramProcess process = byThread.get(thread);
    if (process == null) {
      Optional<ProgramProcess> found = find(thread);
      if (found.isEmpty()) {
        return found;
      }
      process = found.get();
      byThread.put(thread, process);
    }
    current.set(Optional.of(process));
    return current.get();
  }

  private Optional<ProgramProcess> find(int thread) {
    Matcher numbers =
        NUMBERS.matcher(new SysFs(host).readIfPresent("/proc/" + thread + "/status").orElse(""));
    if (!numbers.find()) {
      return Optional.empty();
    }
    int number = Integer.parseInt(numbers.group(1));
    int parent = Integer.parseInt(numbers.group(2));
    synchronized (byProcess) {
      ProgramProcess known = byProcess.get(number);
      if (known == null) {
        // A shell forks without another call before: its own parent may be unknown, too.
        boolean isPrograms = parent > INIT && parent != ProcessHandle.current().pid();
        Optional<String> directory =
            isPrograms ? find(parent).flatMap(ProgramProcess::directory) : Optional.empty();
        known = new ProgramProcess(host, supervisor, number, directory);
        byProcess.put(number, known);
      }
      return Optional.of(known);
    }
  }

  /** A process is about to change its directory: its children have the one that it still has. */
  void adoptChildren(ProgramProcess parent) {
    SysFs files = new SysFs(host);
    String tasks = "/proc/" + parent.number() + "/task/";
    for (String task : files.listIfPresent(tasks).orElse(List.of())) {
      for (String child :
          files.readIfPresent(tasks + task + "/children").orElse("").split(" ", -1)) {
        if (!child.isBlank()) {
          find(Integer.parseInt(child.strip())).ifPresent(this::adoptChildren);
        }
      }
    }
  }

  /** Forgets processes that have ended; returns whether there were any. */
  boolean forgetEnded() {
    synchronized (byProcess) {
      List<ProgramProcess> ended =
          byProcess.values().stream().filter(ProgramProcess::hasEnded).toList();
      ended.forEach(process -> byProcess.remove(process.number()));
      byThread.values().removeAll(ended);
      ended.forEach(ProgramProcess::close);
      return !ended.isEmpty();
    }
  }

  /** Forgets all. */
  void close() {
    synchronized (byProcess) {
      byProcess.values().forEach(ProgramProcess::close);
      byProcess.clear();
      byThread.clear();
    }
  }

  /** The numbers that the model has given to the thread's current call; forgotten then. */
  List<Integer> takeGiven() {
    List<Integer> all = List.copyOf(given.get());
    given.get().clear();
    return all;
  }

  private ProcessMemory memory() {
    return current.get().map(ProgramProcess::memory).orElseThrow(() -> refused(Errno.EFAULT));
  }

  @Override
  public void read(long address, MemorySegment into) {
    memory().read(address, into);
  }

  @Override
  public void write(long address, MemorySegment from) {
    memory().write(address, from);
  }

  @Override
  public void requireMapped(long address, long bytes, boolean write) {
    memory().requireMapped(address, bytes, write);
  }

  @Override
  public Optional<FilePlace> registersAt(long address) {
    return current
        .get()
        .flatMap(process -> ProcessMaps.areaAt(host, Integer.toString(process.number()), address))
        .flatMap(area ->
            Placeholder.numberIn(area.name(), NO_FD)
                .map(fd ->
                    new FilePlace(
                        fd, area.offset() + (address - area.start()), area.end() - address)));
  }

  @Override
  public Optional<MemorySegment> copy(long address, long bytes) {
    return current.get().flatMap(process -> process.get(Arena.ofAuto(), address, bytes));
  }

  @Override
  public UserMemory ofCaller() {
    return memory();
  }

  @Override
  public int first() {
    return Filter.FIRST_DESCRIPTOR;
  }

  @Override
  public boolean has(int fd) {
    return current.get().flatMap(process -> link(process.link(fd))).isPresent();
  }

  @Override
  public void given(int fd) {
    given.get().add(fd);
  }

  /** One of the model's by a low number, or a file of the program's own. */
  @Override
  public Optional<OpenFile> find(Task task, int fd) {
    if (current.get().isEmpty() || fd < 0) {
      return Optional.empty();
    }
    ProgramProcess process = current.get().get();
    Optional<Integer> number = process.model(fd);
    if (number.isPresent()) {
      return number
          .filter(other -> other != fd)
          .map(other -> withReference(task.descriptors().get(other)));
    }
    // Another thread may close it or give its number to another file meanwhile: looked at is a
    // copy.
    int taken = process.take(fd);
    return taken < 0 ? Optional.empty() : wrap(task, taken);
  }

  /** A file of the program's, of which this process has a descriptor. */
  private Optional<OpenFile> wrap(Task task, int taken) {
    String link = link("/proc/self/fd/" + taken).orElse("");
    if (link.startsWith(MEMFD)) {
      return memfd(task, taken, link);
    }
    Matcher eventfd =
        EVENTFD.matcher(new SysFs(host).readIfPresent("/proc/self/fdinfo/" + taken).orElse(""));
    if (eventfd.find()) {
      return Optional.of(eventfd(task, taken, eventfd.group(1)));
    }
    host.close(taken);
    return Optional.of(new CallerFile(task, link));
  }

  private static OpenFile withReference(OpenFile file) {
    file.get();
    return file;
  }

  /** Opened anew, so that nothing here moves the program's position in it. */
  private Optional<OpenFile> memfd(Task task, int taken, String link) {
    int opened = host.open("/proc/self/fd/" + taken, Libc.O_RDWR() | Libc.O_CLOEXEC());
    host.close(taken);
    String name = link.substring(MEMFD.length(), link.lastIndexOf(' '));
    return opened < 0 ? Optional.empty() : Optional.of(new CallerMemFd(task, host, name, opened));
  }

  /** An eventfd is the same file whatever its descriptor, as its number in fdinfo says. */
  private OpenFile eventfd(Task task, int taken, String id) {
    CallerEventFd known = eventfds.get(id);
    if (known != null) {
      host.close(taken);
      return withReference(known);
    }
    CallerEventFd made = new CallerEventFd(task, host, taken, () -> eventfds.remove(id));
    eventfds.put(id, made);
    return made;
  }

  /** What a link of procfs holds; empty if it is not there. */
  static Optional<String> link(String path) {
    try {
      return Optional.of(Files.readSymbolicLink(Path.of(path)).toString());
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
