package dev.iolite.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.iolite.kernel.HostKernel.Function;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.sock_filter;
import dev.iolite.uapi.seccomp.sock_fprog;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The calls with which this process starts another program and answers its system calls: beside
 * {@link HostKernel} the only class that calls native code. None of them is a call of {@link
 * Kernel}, since no model has to answer them.
 *
 * <p>As those of {@link Kernel}, each returns what the system call returns, or a negated errno.
 * Safe for use by several threads.
 */
public final class HostSupervisor {
  private static final HostKernel HOST = new HostKernel();

  /** Larger than any libc's posix_spawnattr_t and sigset_t. */
  private static final long SPAWN_ATTRIBUTES_BYTES = 1024;

  private static final long SIGSET_BYTES = 128;

  /** POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK of glibc and musl. */
  private static final short SPAWN_SIGNALS = 0x04 | 0x08;

  private static final long SIG_IGN = 1;
  private static final Pattern IGNORED = Pattern.compile("\nSigIgn:\t(\\p{XDigit}+)");
  private static final int HEXADECIMAL = 16;

  private static final int ANY_CHILD = -1;

  /** Java has files open that a program must not inherit; Java's own processes don't, either. */
  private static final int FIRST_OF_JAVA = 3;

  private static final long LAST_DESCRIPTOR = 0xffff_ffffL;

  /** linux/close_range.h: they are closed by the exec, not now. */
  private static final int CLOSE_RANGE_CLOEXEC = 4;

  private static final class Spawn {
    static final Function CALL = Function.of("posix_spawnp");
    static final Function INIT = Function.of("posix_spawnattr_init");
    static final Function SET_FLAGS = Function.of("posix_spawnattr_setflags");
    static final Function SET_DEFAULT = Function.of("posix_spawnattr_setsigdefault");
    static final Function SET_MASK = Function.of("posix_spawnattr_setsigmask");
    static final Function FILL = Function.of("sigfillset");
    static final Function EMPTY = Function.of("sigemptyset");
    static final Function REMOVE = Function.of("sigdelset");
  }

  private static final class Syscall {
    static final Function CALL = Function.of("syscall");
  }

  private static final class Wait {
    static final Function CALL = Function.of("waitpid");
  }

  private static final class Ptrace {
    static final Function CALL = Function.of("ptrace");
  }

  private static final class Kill {
    static final Function CALL = Function.of("kill");
  }

  private static final class Signal {
    static final Function CALL = Function.of("signal");
  }

  /** An address in the code from which this process makes its system calls: that of its libc. */
  public long callingCode() {
    return HostKernel.address("mmap");
  }

  /** The signals that this process ignores, the first one in the lowest bit. */
  private static long ignoredSignals() {
    Matcher line = IGNORED.matcher(new SysFs(HOST).readIfPresent("/proc/self/status").orElse(""));
    return line.find() ? Long.parseUnsignedLong(line.group(1), HEXADECIMAL) : 0;
  }

  /** Who answers the calls of a program that is about to be started. */
  @FunctionalInterface
  public interface Listener {
    /** The filter is on; its descriptor is to be served before the program can start. */
    void on(int descriptor);
  }

  /**
   * Starts a program whose system calls, and those of its children, go through a filter.
   *
   * <p>The filter is the calling thread's from then on, for good: call this on a thread of its own
   * that ends afterwards. The calls that the start itself needs are filtered too: a filter that has
   * somebody of this process answer calls should let those of {@link #callingCode} through.
   *
   * @param filter instructions of classic BPF
   * @param flags SECCOMP_FILTER_FLAG_*
   * @param program a path, or a name to look for on the PATH
   * @param arguments the program's, beginning with its own name
   * @param environment as {@code NAME=VALUE}
   * @param listener gets the descriptor that the filter's notifications are read from
   * @return the process, or a negated errno
   */
  public int start(
      MemorySegment filter,
      int flags,
      String program,
      List<String> arguments,
      List<String> environment,
      Listener listener) {
    try (Arena arena = Arena.ofConfined()) {
      long attributes = arena.allocate(SPAWN_ATTRIBUTES_BYTES, Long.BYTES).address();
      long signals = arena.allocate(SIGSET_BYTES, Long.BYTES).address();
      // This links all of Spawn, before the filter is on: the linker opens files.
      int prepared = -Spawn.INIT.toInt(attributes);
      // Java handles some signals itself and blocks one; the program begins as from a shell, which
      // leaves alone what was ignored before, as by nohup.
      prepared |= Spawn.FILL.toInt(signals);
      long ignored = ignoredSignals();
      for (int signal = 1; signal < Long.SIZE; signal++) {
        if ((ignored & 1L << (signal - 1)) != 0) {
          // glibc refuses those that it has for itself.
          int _ = Spawn.REMOVE.toInt(signals, signal);
        }
      }
      prepared |= -Spawn.SET_DEFAULT.toInt(attributes, signals);
      prepared |= Spawn.EMPTY.toInt(signals);
      prepared |= -Spawn.SET_MASK.toInt(attributes, signals);
      prepared |= -Spawn.SET_FLAGS.toInt(attributes, SPAWN_SIGNALS);
      if (prepared != 0) {
        return prepared;
      }
      MemorySegment process = arena.allocate(JAVA_INT);
      long file = arena.allocateFrom(program).address();
      long argv = strings(arena, arguments).address();
      long envp = strings(arena, environment).address();
      MemorySegment code = sock_fprog.allocate(arena);
      sock_fprog.len(code, (short) (filter.byteSize() / sock_filter.sizeof()));
      sock_fprog.filter(code, filter);
      int kept =
          call(Seccomp.__NR_close_range(), FIRST_OF_JAVA, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC);
      if (kept < 0) {
        return kept;
      }
      int privileges = HOST.refuseNewPrivileges();
      if (privileges < 0) {
        return privileges;
      }
      int descriptor =
          call(Seccomp.__NR_seccomp(), Seccomp.SECCOMP_SET_MODE_FILTER(), flags, code.address());
      if (descriptor < 0) {
        return descriptor;
      }
      listener.on(descriptor);
      int refused = Spawn.CALL.toInt(process.address(), file, 0, attributes, argv, envp);
      return refused == 0 ? process.get(JAVA_INT, 0) : -refused;
    }
  }

  private static MemorySegment strings(Arena arena, List<String> texts) {
    MemorySegment array = arena.allocate(ADDRESS, texts.size() + 1L);
    for (int i = 0; i < texts.size(); i++) {
      array.setAtIndex(ADDRESS, i, arena.allocateFrom(texts.get(i)));
    }
    return array;
  }

  /**
   * Waits until a child has ended.
   *
   * @return its status as of waitpid(2), or a negated errno: ECHILD if the thread that traces it
   *     has been told
   */
  public int awaitEnd(int process) {
    int descriptor = openProcess(process);
    if (descriptor < 0) {
      return descriptor;
    }
    try (Arena arena = Arena.ofConfined()) {
      // To wait for the child itself would take away what its tracer is to be told.
      int polled;
      do {
        polled = poll(descriptor, -1);
      } while (polled == Errno.EINTR.negated());
      MemorySegment status = arena.allocate(JAVA_INT);
      int result = await(process, status, 0);
      return result < 0 ? result : status.get(JAVA_INT, 0);
    } finally {
      HOST.close(descriptor);
    }
  }

  /**
   * Waits until a descriptor can be read, or never can be again (poll(2) with POLLIN).
   *
   * @param millis how long; negative: without an end
   * @return what is the case (revents); 0: nothing until then; or a negated errno
   */
  public int poll(int descriptor, int millis) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment asked = pollfd.allocate(arena);
      pollfd.fd(asked, descriptor);
      pollfd.events(asked, (short) Libc.POLLIN());
      int result = HOST.poll(asked.address(), 1, millis);
      return result > 0 ? pollfd.revents(asked) : result;
    }
  }

  /**
   * Waits until something happens to any thread that the calling thread traces.
   *
   * @param status gets what it is, as of waitpid(2)
   * @return that thread's number, or a negated errno: ECHILD if there is none
   */
  public int awaitTraced(MemorySegment status) {
    return await(ANY_CHILD, status, Seccomp.__WALL() | Seccomp.__WNOTHREAD());
  }

  private static int await(int process, MemorySegment status, int options) {
    int result;
    do {
      result = Wait.CALL.toInt(process, status.address(), options);
    } while (result == Errno.EINTR.negated());
    return result;
  }

  /**
   * Acts on a thread of another process, as ptrace(2). All calls for one must come from the thread
   * that began with PTRACE_SEIZE.
   */
  public int trace(int request, int thread, long address, long data) {
    return (int) Ptrace.CALL.toLong(request, thread, address, data, 0, 0);
  }

  /** Sends a process a signal, as kill(2). */
  public int kill(int process, int signal) {
    return Kill.CALL.toInt(process, signal);
  }

  /**
   * Ignores a signal from now on, as signal(2).
   *
   * @return the handler so far, for {@link #handle}, or a negated errno
   */
  public long ignore(int signal) {
    return handle(signal, SIG_IGN);
  }

  /** Gives a signal back to a handler that {@link #ignore} returned. */
  public long handle(int signal, long handler) {
    return Signal.CALL.toLong(signal, handler, 0);
  }

  /** A descriptor of a process, as pidfd_open(2). */
  public int openProcess(int process) {
    return call(Seccomp.__NR_pidfd_open(), process, 0, 0);
  }

  /** A duplicate of another process's descriptor, as pidfd_getfd(2). */
  public int takeDescriptor(int process, int descriptor) {
    return call(Seccomp.__NR_pidfd_getfd(), process, descriptor, 0);
  }

  /**
   * Receives a message, as recvmsg(2).
   *
   * @param header the address of a struct user_msghdr
   */
  public long receive(int socket, long header, int flags) {
    return Syscall.CALL.toLong(Seccomp.__NR_recvmsg(), socket, header, flags, 0, 0);
  }

  private static int call(int number, long argument0, long argument1, long argument2) {
    return (int) Syscall.CALL.toLong(number, argument0, argument1, argument2, 0, 0);
  }

  /**
   * Whether anybody has a file open for writing. A read lease can be had only while nobody has
   * (fs/locks.c:check_conflicting_open); it is given back at once.
   *
   * @param descriptor of the file, open for reading only
   * @return 1 or 0, or a negated errno
   */
  public int hasWriters(int descriptor) {
    int lease = HostKernel.fcntl(descriptor, Libc.F_SETLEASE(), Libc.F_RDLCK());
    if (lease == Errno.EAGAIN.negated()) {
      return 1;
    }
    return lease < 0 ? lease : HostKernel.fcntl(descriptor, Libc.F_SETLEASE(), Libc.F_UNLCK());
  }
}
