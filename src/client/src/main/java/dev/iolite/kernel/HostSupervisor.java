package dev.iolite.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import dev.iolite.uapi.seccomp.Seccomp;
import dev.iolite.uapi.seccomp.sock_filter;
import dev.iolite.uapi.seccomp.sock_fprog;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;

/**
 * The calls with which this process starts another program and answers its system calls: beside
 * {@link HostKernel} the only class that calls native code. None of them is a call of {@link
 * Kernel}, since no model has to answer them.
 *
 * <p>As those of {@link Kernel}, each returns what the system call returns, or a negated errno.
 * Safe for use by several threads.
 */
public final class HostSupervisor {
  /** Larger than any libc's posix_spawnattr_t and sigset_t. */
  private static final long SPAWN_ATTRIBUTES_BYTES = 1024;

  private static final long SIGSET_BYTES = 128;

  /** POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK of glibc and musl. */
  private static final short SPAWN_SIGNALS = 0x04 | 0x08;

  private static final long SIG_IGN = 1;

  private static final int ANY_CHILD = -1;

  /** Java has files open that a program must not inherit; Java's own processes don't, either. */
  private static final int FIRST_OF_JAVA = 3;

  private static final long LAST_DESCRIPTOR = 0xffff_ffffL;

  /** linux/close_range.h: they are closed by the exec, not now. */
  private static final int CLOSE_RANGE_CLOEXEC = 4;

  private static final class Spawn {
    static final MethodHandle CALL =
        HostKernel.plain(
            "posix_spawnp",
            JAVA_INT,
            JAVA_LONG,
            ADDRESS,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);
    static final MethodHandle INIT = HostKernel.plain("posix_spawnattr_init", JAVA_INT, JAVA_LONG);
    static final MethodHandle SET_FLAGS =
        HostKernel.plain("posix_spawnattr_setflags", JAVA_INT, JAVA_LONG, JAVA_INT);
    static final MethodHandle SET_DEFAULT =
        HostKernel.plain("posix_spawnattr_setsigdefault", JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SET_MASK =
        HostKernel.plain("posix_spawnattr_setsigmask", JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle FILL = HostKernel.plain("sigfillset", JAVA_INT, JAVA_LONG);
    static final MethodHandle EMPTY = HostKernel.plain("sigemptyset", JAVA_INT, JAVA_LONG);
  }

  private static final class Prctl {
    static final MethodHandle CALL =
        HostKernel.variadic(
            "prctl", 1, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  }

  private static final class Syscall {
    static final MethodHandle CALL =
        HostKernel.variadic("syscall", 1, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  }

  private static final class Fcntl {
    static final MethodHandle CALL =
        HostKernel.variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  }

  private static final class Wait {
    static final MethodHandle CALL =
        HostKernel.plain("waitpid", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  }

  private static final class Ptrace {
    static final MethodHandle CALL =
        HostKernel.variadic("ptrace", 1, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  }

  private static final class Kill {
    static final MethodHandle CALL = HostKernel.plain("kill", JAVA_INT, JAVA_INT, JAVA_INT);
  }

  private static final class Signal {
    static final MethodHandle CALL = HostKernel.plain("signal", JAVA_LONG, JAVA_INT, JAVA_LONG);
  }

  /** An address in the code from which this process makes its system calls: that of its libc. */
  public long callingCode() {
    return HostKernel.address("mmap");
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
      MemorySegment state = HostKernel.state();
      MemorySegment attributes = arena.allocate(SPAWN_ATTRIBUTES_BYTES, Long.BYTES);
      MemorySegment signals = arena.allocate(SIGSET_BYTES, Long.BYTES);
      int prepared = -(int) Spawn.INIT.invokeExact(state, attributes.address());
      // Java handles some signals itself and blocks one; the program begins as from a shell.
      prepared |= (int) Spawn.FILL.invokeExact(state, signals.address());
      prepared |=
          -(int) Spawn.SET_DEFAULT.invokeExact(state, attributes.address(), signals.address());
      prepared |= (int) Spawn.EMPTY.invokeExact(state, signals.address());
      prepared |= -(int) Spawn.SET_MASK.invokeExact(state, attributes.address(), signals.address());
      prepared |=
          -(int) Spawn.SET_FLAGS.invokeExact(state, attributes.address(), (int) SPAWN_SIGNALS);
      if (prepared != 0) {
        return prepared;
      }
      MemorySegment process = arena.allocate(JAVA_INT);
      MemorySegment file = arena.allocateFrom(program);
      long argv = strings(arena, arguments).address();
      long envp = strings(arena, environment).address();
      MemorySegment code = sock_fprog.allocate(arena);
      sock_fprog.len(code, (short) (filter.byteSize() / sock_filter.sizeof()));
      sock_fprog.filter(code, filter);
      // Linked before the filter is on: the linker opens files.
      MethodHandle spawn = Spawn.CALL;
      int kept =
          call(Seccomp.__NR_close_range(), FIRST_OF_JAVA, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC);
      if (kept < 0) {
        return kept;
      }
      int privileges =
          HostKernel.result(
              (int) Prctl.CALL.invokeExact(state, Seccomp.PR_SET_NO_NEW_PRIVS(), 1L, 0L, 0L, 0L),
              state);
      if (privileges < 0) {
        return privileges;
      }
      long descriptor =
          HostKernel.result(
              (long)
                  Syscall.CALL.invokeExact(
                      state,
                      (long) Seccomp.__NR_seccomp(),
                      (long) Seccomp.SECCOMP_SET_MODE_FILTER(),
                      (long) flags,
                      code.address()),
              state);
      if (descriptor < 0) {
        return (int) descriptor;
      }
      listener.on((int) descriptor);
      int refused =
          (int)
              spawn.invokeExact(
                  state, process.address(), file, 0L, attributes.address(), argv, envp);
      return refused == 0 ? process.get(JAVA_INT, 0) : -refused;
    } catch (Throwable e) {
      throw HostKernel.unexpected(e);
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
    try (Arena arena = Arena.ofConfined()) {
      // To wait for the child itself would take away what its tracer is to be told.
      MemorySegment ended = pollfd.allocate(arena);
      pollfd.fd(ended, descriptor);
      pollfd.events(ended, (short) Libc.POLLIN());
      int polled;
      do {
        polled = new HostKernel().poll(ended.address(), 1, -1);
      } while (polled == Errno.EINTR.negated());
      MemorySegment status = arena.allocate(JAVA_INT);
      int result = await(process, status, 0);
      return result < 0 ? result : status.get(JAVA_INT, 0);
    } finally {
      if (descriptor >= 0) {
        new HostKernel().close(descriptor);
      }
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
    MemorySegment state = HostKernel.state();
    try {
      int result;
      do {
        result =
            HostKernel.result(
                (int) Wait.CALL.invokeExact(state, process, status.address(), options), state);
      } while (result == Errno.EINTR.negated());
      return result;
    } catch (Throwable e) {
      throw HostKernel.unexpected(e);
    }
  }

  /**
   * Acts on a thread of another process, as ptrace(2). All calls for one must come from the thread
   * that began with PTRACE_SEIZE.
   */
  public int trace(int request, int thread, long address, long data) {
    MemorySegment state = HostKernel.state();
    try {
      return (int)
          HostKernel.result(
              (long) Ptrace.CALL.invokeExact(state, request, thread, address, data), state);
    } catch (Throwable e) {
      throw HostKernel.unexpected(e);
    }
  }

  /** Sends a process a signal, as kill(2). */
  public int kill(int process, int signal) {
    MemorySegment state = HostKernel.state();
    try {
      return HostKernel.result((int) Kill.CALL.invokeExact(state, process, signal), state);
    } catch (Throwable e) {
      throw HostKernel.unexpected(e);
    }
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
    MemorySegment state = HostKernel.state();
    try {
      return HostKernel.result((long) Signal.CALL.invokeExact(state, signal, handler), state);
    } catch (Throwable e) {
      throw HostKernel.unexpected(e);
    }
  }

  /** A descriptor of a process, as pidfd_open(2). */
  public int openProcess(int process) {
    return call(Seccomp.__NR_pidfd_open(), process, 0, 0);
  }

  /** A duplicate of another process's descriptor, as pidfd_getfd(2). */
  public int takeDescriptor(int process, int descriptor) {
    return call(Seccomp.__NR_pidfd_getfd(), process, descriptor, 0);
  }

  private static int call(int number, long first, long second, long third) {
    MemorySegment state = HostKernel.state();
    try {
      return (int)
          HostKernel.result(
              (long) Syscall.CALL.invokeExact(state, (long) number, first, second, third), state);
    } catch (Throwable e) {
      throw HostKernel.unexpected(e);
    }
  }

  /**
   * Whether anybody has a file open for writing. A read lease can be had only while nobody has
   * (fs/locks.c:check_conflicting_open); it is given back at once.
   *
   * @param descriptor of the file, open for reading only
   * @return 1 or 0, or a negated errno
   */
  public int hasWriters(int descriptor) {
    int lease = lease(descriptor, Libc.F_RDLCK());
    if (lease == Errno.EAGAIN.negated()) {
      return 1;
    }
    return lease < 0 ? lease : lease(descriptor, Libc.F_UNLCK());
  }

  private static int lease(int descriptor, int type) {
    MemorySegment state = HostKernel.state();
    try {
      return HostKernel.result(
          (int) Fcntl.CALL.invokeExact(state, descriptor, Libc.F_SETLEASE(), type), state);
    } catch (Throwable e) {
      throw HostKernel.unexpected(e);
    }
  }
}
