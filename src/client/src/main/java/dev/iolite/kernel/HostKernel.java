package dev.iolite.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The kernel that this process runs on, called through libc.
 *
 * <p>errno is captured by the same downcall that sets it, into a segment that belongs to the
 * calling thread. No call is linked as critical: each may block, and a critical call that blocks
 * would hold up the garbage collector. Needs {@code --enable-native-access=dev.iolite}.
 *
 * <p>Each call has its own class, and is linked when it is first made: linking takes milliseconds,
 * and few programs make all the calls.
 *
 * <p>Safe for use by several threads.
 */
public final class HostKernel implements Kernel, HostFiles {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final long ERRNO =
      CALL_STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

  /** One errno per thread, allocated once; it lives as long as the thread. */
  private static final ThreadLocal<MemorySegment> STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CALL_STATE));

  private static final int CREATE_MODE = 0600;
  private static final int DIRECTORY_MODE = 0700;

  /** struct flock: its first field is the kind of lock; zeros elsewhere mean the whole file. */
  private static final long FLOCK_BYTES = 32;

  /** PR_SET_NO_NEW_PRIVS of linux/prctl.h. */
  private static final int NO_NEW_PRIVILEGES = 38;

  /** struct iovec: an address and a length. */
  private static final long IOVEC_BYTES = 2 * Long.BYTES;

  /** The calling thread's errno, for a downcall that {@link #plain} or {@link #variadic} linked. */
  static MemorySegment state() {
    return STATE.get();
  }

  /** Where a function of libc is. */
  static long address(String name) {
    return LINKER.defaultLookup().findOrThrow(name).address();
  }

  static MethodHandle plain(String name, ValueLayout result, ValueLayout... arguments) {
    return link(name, result, arguments, Linker.Option.captureCallState("errno"));
  }

  static MethodHandle variadic(
      String name, int firstVariadic, ValueLayout result, ValueLayout... arguments) {
    return link(
        name,
        result,
        arguments,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(firstVariadic));
  }

  private static MethodHandle link(
      String name, ValueLayout result, ValueLayout[] arguments, Linker.Option... options) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, arguments),
        options);
  }

  static int result(int returned, MemorySegment state) {
    return returned == -1 ? -state.get(JAVA_INT, ERRNO) : returned;
  }

  static long result(long returned, MemorySegment state) {
    return returned == -1 ? -state.get(JAVA_INT, ERRNO) : returned;
  }

  @Override
  public int open(String path, int flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (int) Open.CALL.invokeExact(state, arena.allocateFrom(path), flags, CREATE_MODE), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int close(int fd) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Close.CALL.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long read(int fd, long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((long) Read.CALL.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long write(int fd, long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((long) Write.CALL.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    MemorySegment state = STATE.get();
    try {
      return result((long) Pread.CALL.invokeExact(state, fd, address, bytes, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    MemorySegment state = STATE.get();
    try {
      return result((long) Pwrite.CALL.invokeExact(state, fd, address, bytes, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    MemorySegment state = STATE.get();
    try {
      return result((long) Lseek.CALL.invokeExact(state, fd, offset, whence), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int addSeals(int fd, int seals) {
    return fcntl(fd, Libc.F_ADD_SEALS(), seals);
  }

  /** The seals of a memfd, F_SEAL_* bits, like fcntl(2) with F_GET_SEALS; or a negated errno. */
  public int seals(int fd) {
    return fcntl(fd, Libc.F_GET_SEALS(), 0);
  }

  private static int fcntl(int fd, int command, long argument) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Fcntl.CALL.invokeExact(state, fd, command, argument), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Ftruncate.CALL.invokeExact(state, fd, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Fallocate.CALL.invokeExact(state, fd, mode, offset, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Ioctl.CALL.invokeExact(state, fd, request, argument), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Like {@link #ioctl(int, long, long)}, with memory that cannot be freed before the call is over.
   */
  int ioctl(int fd, long request, MemorySegment argument) {
    MemorySegment state = STATE.get();
    try {
      return result((int) IoctlWithMemory.CALL.invokeExact(state, fd, request, argument), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    MemorySegment state = STATE.get();
    try {
      return result(
          (long) Mmap.CALL.invokeExact(state, address, bytes, prot, flags, fd, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int munmap(long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Munmap.CALL.invokeExact(state, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public Optional<Registers> registers(long address) {
    return Optional.empty();
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    MemorySegment state = STATE.get();
    try {
      return result(
          (int) Poll.CALL.invokeExact(state, pollfds, (long) count, timeoutMillis), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int eventfd(int initial, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Eventfd.CALL.invokeExact(state, initial, flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int memfdCreate(String name, int flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (int) MemfdCreate.CALL.invokeExact(state, arena.allocateFrom(name), flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (long) Readlink.CALL.invokeExact(state, arena.allocateFrom(path), address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((long) Getdents64.CALL.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int openat(int directory, String path, int flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (int)
              OpenAt.CALL.invokeExact(
                  state, directory, arena.allocateFrom(path), flags, CREATE_MODE),
          state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int mkdir(String path) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (int) Mkdir.CALL.invokeExact(state, arena.allocateFrom(path), DIRECTORY_MODE), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int unlinkat(int directory, String name) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (int) UnlinkAt.CALL.invokeExact(state, directory, arena.allocateFrom(name), 0), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int fsync(int fd) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Fsync.CALL.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int lock(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment lock = arena.allocate(FLOCK_BYTES, Long.BYTES);
      lock.set(JAVA_SHORT, 0, (short) Libc.F_WRLCK());
      return fcntl(fd, Libc.F_OFD_SETLK(), lock.address());
    }
  }

  @Override
  public int isLocked(int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment lock = arena.allocate(FLOCK_BYTES, Long.BYTES);
      lock.set(JAVA_SHORT, 0, (short) Libc.F_WRLCK());
      int result = fcntl(fd, Libc.F_OFD_GETLK(), lock.address());
      return result < 0 || lock.get(JAVA_SHORT, 0) == Libc.F_UNLCK() ? result : 1;
    }
  }

  @Override
  public int geteuid() {
    MemorySegment state = STATE.get();
    try {
      return (int) Geteuid.CALL.invokeExact(state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Reads the memory of another process, like process_vm_readv(2), at most up to the first page
   * that the process itself cannot read.
   *
   * @param from the address in the other process
   * @param into the address in this process
   * @return the bytes read, or a negated errno (EFAULT: none could be read; ESRCH: the process has
   *     ended)
   */
  public long readProcess(long pid, long from, long into, long bytes) {
    return moveBetweenProcesses(ProcessVmReadv.CALL, pid, into, from, bytes);
  }

  /**
   * Writes the memory of another process, like process_vm_writev(2), at most up to the first page
   * that the process itself cannot write.
   *
   * @param to the address in the other process
   * @param from the address in this process
   * @return as for {@link #readProcess}
   */
  public long writeProcess(long pid, long to, long from, long bytes) {
    return moveBetweenProcesses(ProcessVmWritev.CALL, pid, from, to, bytes);
  }

  private static long moveBetweenProcesses(
      MethodHandle call, long pid, long here, long there, long bytes) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ranges = arena.allocateFrom(JAVA_LONG, here, bytes, there, bytes);
      long local = ranges.address();
      long remote = local + IOVEC_BYTES;
      return result((long) call.invokeExact(state, (int) pid, local, 1L, remote, 1L, 0L), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Ensures by prctl(2) that a program executed by the calling thread, or by the threads and
   * processes that it starts from now on, gains no privileges. This cannot be undone. Nothing more
   * can be given up soundly here: capabilities belong to a thread, the JVM has other threads, and
   * all of them share its memory.
   *
   * @return 0 or a negated errno
   */
  public int refuseNewPrivileges() {
    MemorySegment state = STATE.get();
    try {
      return result((int) Prctl.CALL.invokeExact(state, NO_NEW_PRIVILEGES, 1L, 0L, 0L, 0L), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Makes a socket, like socket(2); returns the descriptor or a negated errno. */
  public int socket(int domain, int type, int protocol) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Sockets.SOCKET.invokeExact(state, domain, type, protocol), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Gives a socket an address, like bind(2). */
  public int bind(int fd, long address, int bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Sockets.BIND.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Lets a socket take connections, like listen(2). */
  public int listen(int fd, int backlog) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Sockets.LISTEN.invokeExact(state, fd, backlog), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Takes a connection, like accept4(2) without an address; returns its descriptor. */
  public int accept(int fd, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Sockets.ACCEPT4.invokeExact(state, fd, 0L, 0L, flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Connects a socket to an address, like connect(2). */
  public int connect(int fd, long address, int bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Sockets.CONNECT.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Ends one or both directions of a connection, like shutdown(2); wakes threads that wait on it.
   */
  public int shutdown(int fd, int how) {
    MemorySegment state = STATE.get();
    try {
      return result((int) Sockets.SHUTDOWN.invokeExact(state, fd, how), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Reads an option of a socket, like getsockopt(2).
   *
   * @param length the address of an int: on entry the room at {@code address}, on return how much
   *     was filled
   */
  public int getsockopt(int fd, int level, int option, long address, long length) {
    MemorySegment state = STATE.get();
    try {
      return result(
          (int) Sockets.GETSOCKOPT.invokeExact(state, fd, level, option, address, length), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** Sets an option of a socket, like setsockopt(2). */
  public int setsockopt(int fd, int level, int option, long address, int bytes) {
    MemorySegment state = STATE.get();
    try {
      return result(
          (int) Sockets.SETSOCKOPT.invokeExact(state, fd, level, option, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Makes a call during which memory cannot be freed: closing its arena fails meanwhile.
   *
   * <p>The FFM API keeps an arena alive only while a native function that was passed its memory
   * runs. So a native function makes the call: a stub that calls back into Java. All kernels are
   * thus called with the memory held, whatever they do with its address.
   *
   * @return what the call returned
   */
  static long holding(MemorySegment memory, LongSupplier call) {
    return new Holding(call).make(memory);
  }

  /** A call made while memory is held. It may contain further calls that hold other memory. */
  private static final class Holding {
    /** For each thread, the innermost call that is about to be entered. */
    private static final ThreadLocal<Holding> ENTERED = new ThreadLocal<>();

    private static final MethodHandle THROUGH = through();

    private final LongSupplier call;
    private long result;
    private @Nullable Throwable thrown;

    private Holding(LongSupplier call) {
      this.call = call;
    }

    private static MethodHandle through() {
      FunctionDescriptor type = FunctionDescriptor.ofVoid(ADDRESS);
      try {
        MethodHandle enter =
            MethodHandles.dropArguments(
                MethodHandles.lookup()
                    .findStatic(Holding.class, "enter", MethodType.methodType(void.class)),
                0,
                MemorySegment.class);
        return LINKER.downcallHandle(LINKER.upcallStub(enter, type, Arena.global()), type);
      } catch (ReflectiveOperationException e) {
        throw new LinkageError("a method of this class is missing", e);
      }
    }

    long make(MemorySegment memory) {
      ENTERED.set(this);
      try {
        THROUGH.invokeExact(memory);
      } catch (Throwable e) {
        throw unexpected(e);
      } finally {
        ENTERED.remove();
      }
      if (thrown != null) {
        throw unexpected(thrown);
      }
      return result;
    }

    /** Called by the stub. Nothing may be thrown from here: the JVM would terminate. */
    @SuppressWarnings("UnusedMethod") // the stub uses it
    private static void enter() {
      Holding entered = ENTERED.get();
      try {
        entered.result = entered.call.getAsLong();
      } catch (Throwable e) {
        entered.thrown = e;
      }
    }
  }

  @Override
  public int interruptible() {
    int admitted = Interruption.SIGNAL < 0 ? Interruption.SIGNAL : Interruption.admit();
    return admitted < 0 ? admitted : Interruption.thread();
  }

  @Override
  public int interrupt(int tid) {
    return Interruption.send(tid);
  }

  /**
   * The signal that takes a thread out of a blocking call.
   *
   * <p>Such a signal needs a handler: an ignored signal wakes nobody, and the default action ends
   * the process. An upcall into Java must not be the handler, because a handler may run at any
   * instruction. So the handler is a C function that touches nothing but its argument registers:
   * abs(3), called with the signal's number. signal(3) makes interrupted system calls restart, so a
   * signal that arrives late, when the thread is in another call, changes nothing; KVM_RUN gives up
   * all the same.
   *
   * <p>Set up on first use: a process that never interrupts a thread keeps all its signals.
   */
  private static final class Interruption {
    /** Larger than any libc's struct sigaction, whose first field is the handler. */
    private static final long SIGACTION_BYTES = 256;

    private static final MethodHandle GETTID = plain("gettid", JAVA_INT);
    private static final MethodHandle GETPID = plain("getpid", JAVA_INT);
    private static final MethodHandle TGKILL =
        plain("tgkill", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SIGACTION =
        plain("sigaction", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle SET_HANDLER = plain("signal", JAVA_LONG, JAVA_INT, ADDRESS);

    private static final MethodHandle UNBLOCK =
        plain("pthread_sigmask", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);

    private static final int SIG_UNBLOCK = 1;

    /** The size of any libc's sigset_t; signal 1 is its lowest bit. */
    private static final long SIGSET_BYTES = 128;

    private static final int PROCESS = call(GETPID);
    static final int SIGNAL = install();

    /** Takes the last real-time signal, which nobody else should be using, unless somebody is. */
    private static int install() {
      MemorySegment state = STATE.get();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment before = arena.allocate(SIGACTION_BYTES, Long.BYTES);
        int asked =
            result((int) SIGACTION.invokeExact(state, INTERRUPTION, 0L, before.address()), state);
        if (asked < 0) {
          return asked;
        }
        if (before.get(JAVA_LONG, 0) != 0) {
          return Errno.EBUSY.negated();
        }
        MemorySegment nothing = LINKER.defaultLookup().findOrThrow("abs");
        long set = result((long) SET_HANDLER.invokeExact(state, INTERRUPTION, nothing), state);
        return set < 0 ? (int) set : INTERRUPTION;
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }

    /**
     * Unblocks the signal: a process may be started with it blocked, and each of its threads
     * inherits that.
     */
    static int admit() {
      MemorySegment state = STATE.get();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment set = arena.allocate(SIGSET_BYTES, Long.BYTES);
        set.set(JAVA_LONG, 0, 1L << (SIGNAL - 1));
        return -(int) UNBLOCK.invokeExact(state, SIG_UNBLOCK, set.address(), 0L);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }

    static int thread() {
      return call(GETTID);
    }

    static int send(int tid) {
      MemorySegment state = STATE.get();
      try {
        return result((int) TGKILL.invokeExact(state, PROCESS, tid, SIGNAL), state);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }

    private static int call(MethodHandle handle) {
      MemorySegment state = STATE.get();
      try {
        return result((int) handle.invokeExact(state), state);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }
  }

  /** A downcall handle declares Throwable, but none of the C functions here can throw anything. */
  static RuntimeException unexpected(Throwable e) {
    return switch (e) {
      case RuntimeException r -> r;
      case Error error -> throw error;
      default -> throw new AssertionError("a system call threw", e);
    };
  }

  private static final class Prctl {
    static final MethodHandle CALL =
        variadic("prctl", 1, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  }

  private static final class Open {
    static final MethodHandle CALL = variadic("open", 2, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  }

  private static final class Close {
    static final MethodHandle CALL = plain("close", JAVA_INT, JAVA_INT);
  }

  private static final class Read {
    static final MethodHandle CALL = plain("read", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  }

  private static final class Write {
    static final MethodHandle CALL = plain("write", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  }

  private static final class Pread {
    static final MethodHandle CALL =
        plain("pread", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  }

  private static final class Pwrite {
    static final MethodHandle CALL =
        plain("pwrite", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  }

  private static final class Lseek {
    static final MethodHandle CALL = plain("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  }

  private static final class Ftruncate {
    static final MethodHandle CALL = plain("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
  }

  private static final class Ioctl {
    static final MethodHandle CALL = variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  }

  private static final class IoctlWithMemory {
    static final MethodHandle CALL = variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS);
  }

  private static final class Mmap {
    static final MethodHandle CALL =
        plain("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  }

  private static final class Munmap {
    static final MethodHandle CALL = plain("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
  }

  private static final class Poll {
    static final MethodHandle CALL = plain("poll", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  }

  private static final class Eventfd {
    static final MethodHandle CALL = plain("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
  }

  private static final class MemfdCreate {
    static final MethodHandle CALL = plain("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
  }

  private static final class Readlink {
    static final MethodHandle CALL = plain("readlink", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  }

  private static final class OpenAt {
    static final MethodHandle CALL =
        variadic("openat", 3, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  }

  private static final class Mkdir {
    static final MethodHandle CALL = plain("mkdir", JAVA_INT, ADDRESS, JAVA_INT);
  }

  private static final class UnlinkAt {
    static final MethodHandle CALL = plain("unlinkat", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  }

  private static final class Fsync {
    static final MethodHandle CALL = plain("fsync", JAVA_INT, JAVA_INT);
  }

  private static final class Fcntl {
    static final MethodHandle CALL = variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  }

  private static final class Geteuid {
    static final MethodHandle CALL = plain("geteuid", JAVA_INT);
  }

  private static final class ProcessVmReadv {
    static final MethodHandle CALL =
        plain(
            "process_vm_readv",
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);
  }

  private static final class ProcessVmWritev {
    static final MethodHandle CALL =
        plain(
            "process_vm_writev",
            JAVA_LONG,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG);
  }

  private static final class Fallocate {
    static final MethodHandle CALL =
        plain("fallocate", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  }

  /** A program that uses one of these calls uses most of them. */
  private static final class Sockets {
    static final MethodHandle SOCKET = plain("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle BIND = plain("bind", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
    static final MethodHandle LISTEN = plain("listen", JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle ACCEPT4 =
        plain("accept4", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    static final MethodHandle CONNECT = plain("connect", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
    static final MethodHandle SHUTDOWN = plain("shutdown", JAVA_INT, JAVA_INT, JAVA_INT);
    static final MethodHandle GETSOCKOPT =
        plain("getsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle SETSOCKOPT =
        plain("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT);
  }

  private static final class Getdents64 {
    static final MethodHandle CALL = plain("getdents64", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  }
}
