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

  private static int result(int returned, MemorySegment state) {
    return returned == -1 ? -state.get(JAVA_INT, ERRNO) : returned;
  }

  /** Where a function of libc is. */
  static long address(String name) {
    return LINKER.defaultLookup().findOrThrow(name).address();
  }

  /**
   * A function of libc. Most leave in errno why they failed; some, such as posix_spawn(3), return
   * it, and their callers negate it.
   *
   * <p>All are called alike, with six longs: the JVM generates the code of a call once for each
   * type, which takes most of the time of linking it. That is sound on Linux on x86-64 and AArch64:
   * a function takes the lower half of a register for its int, no notice of the registers of
   * parameters that it doesn't have, and variadic integers as any others.
   */
  record Function(MethodHandle handle) {
    private static final FunctionDescriptor TYPE =
        FunctionDescriptor.of(
            JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    static Function of(String name) {
      return new Function(
          LINKER.downcallHandle(
              LINKER.defaultLookup().findOrThrow(name),
              TYPE,
              Linker.Option.captureCallState("errno")));
    }

    int toInt(long first) {
      return toInt(first, 0);
    }

    int toInt(long first, long second) {
      return toInt(first, second, 0);
    }

    int toInt(long first, long second, long third) {
      return toInt(first, second, third, 0, 0, 0);
    }

    /** Calls a function that returns an int; returns that, or a negated errno if it is -1. */
    int toInt(long first, long second, long third, long fourth, long fifth, long sixth) {
      MemorySegment state = STATE.get();
      // The upper half of an int's register is anything.
      return result((int) call(state, first, second, third, fourth, fifth, sixth), state);
    }

    long toLong(long first, long second, long third) {
      return toLong(first, second, third, 0, 0, 0);
    }

    /** Calls a function that returns a long; returns that, or a negated errno if it is -1. */
    long toLong(long first, long second, long third, long fourth, long fifth, long sixth) {
      MemorySegment state = STATE.get();
      long returned = call(state, first, second, third, fourth, fifth, sixth);
      return returned == -1 ? -state.get(JAVA_INT, ERRNO) : returned;
    }

    private long call(
        MemorySegment state,
        long first,
        long second,
        long third,
        long fourth,
        long fifth,
        long sixth) {
      try {
        return (long) handle.invokeExact(state, first, second, third, fourth, fifth, sixth);
      } catch (Throwable e) {
        throw unexpected(e);
      }
    }
  }

  @Override
  public int open(String path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      return Open.CALL.toInt(arena.allocateFrom(path).address(), flags, CREATE_MODE);
    }
  }

  @Override
  public int close(int fd) {
    return Close.CALL.toInt(fd);
  }

  @Override
  public long read(int fd, long address, long bytes) {
    return Read.CALL.toLong(fd, address, bytes);
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return Write.CALL.toLong(fd, address, bytes);
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return Pread.CALL.toLong(fd, address, bytes, offset, 0, 0);
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return Pwrite.CALL.toLong(fd, address, bytes, offset, 0, 0);
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return Lseek.CALL.toLong(fd, offset, whence);
  }

  @Override
  public int addSeals(int fd, int seals) {
    return fcntl(fd, Libc.F_ADD_SEALS(), seals);
  }

  /** The seals of a memfd, F_SEAL_* bits, like fcntl(2) with F_GET_SEALS; or a negated errno. */
  public int seals(int fd) {
    return fcntl(fd, Libc.F_GET_SEALS(), 0);
  }

  /** Acts on a descriptor, like fcntl(2). */
  static int fcntl(int fd, int command, long argument) {
    return Fcntl.CALL.toInt(fd, command, argument);
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return Ftruncate.CALL.toInt(fd, bytes);
  }

  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    return Fallocate.CALL.toInt(fd, mode, offset, bytes, 0, 0);
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    return Ioctl.CALL.toInt(fd, request, argument);
  }

  /**
   * Like {@link #ioctl(int, long, long)}, with memory that cannot be freed before the call is over.
   */
  int ioctl(int fd, long request, MemorySegment argument) {
    MemorySegment state = STATE.get();
    try {
      int returned =
          (int) (long) IoctlWithMemory.CALL.invokeExact(state, (long) fd, request, argument);
      return result(returned, state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    return Mmap.CALL.toLong(address, bytes, prot, flags, fd, offset);
  }

  @Override
  public int munmap(long address, long bytes) {
    return Munmap.CALL.toInt(address, bytes);
  }

  @Override
  public Optional<Registers> registers(long address) {
    return Optional.empty();
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    return Poll.CALL.toInt(pollfds, count, timeoutMillis);
  }

  @Override
  public int eventfd(int initial, int flags) {
    return Eventfd.CALL.toInt(initial, flags);
  }

  @Override
  public int memfdCreate(String name, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      return MemfdCreate.CALL.toInt(arena.allocateFrom(name).address(), flags);
    }
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      return Readlink.CALL.toLong(arena.allocateFrom(path).address(), address, bytes);
    }
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    return Getdents64.CALL.toLong(fd, address, bytes);
  }

  @Override
  public int openat(int directory, String path, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      long name = arena.allocateFrom(path).address();
      return OpenAt.CALL.toInt(directory, name, flags, CREATE_MODE, 0, 0);
    }
  }

  @Override
  public int mkdir(String path) {
    try (Arena arena = Arena.ofConfined()) {
      return Mkdir.CALL.toInt(arena.allocateFrom(path).address(), DIRECTORY_MODE);
    }
  }

  @Override
  public int unlinkat(int directory, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return UnlinkAt.CALL.toInt(directory, arena.allocateFrom(name).address(), 0);
    }
  }

  @Override
  public int fsync(int fd) {
    return Fsync.CALL.toInt(fd);
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
    return Geteuid.CALL.toInt(0);
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
      Function function, long pid, long here, long there, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      long local = arena.allocateFrom(JAVA_LONG, here, bytes, there, bytes).address();
      return function.toLong(pid, local, 1, local + IOVEC_BYTES, 1, 0);
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
    return Prctl.CALL.toInt(NO_NEW_PRIVILEGES, 1, 0, 0, 0, 0);
  }

  /** Makes a socket, like socket(2); returns the descriptor or a negated errno. */
  public int socket(int domain, int type, int protocol) {
    return Sockets.SOCKET.toInt(domain, type, protocol);
  }

  /** Gives a socket an address, like bind(2). */
  public int bind(int fd, long address, int bytes) {
    return Sockets.BIND.toInt(fd, address, bytes);
  }

  /** Lets a socket take connections, like listen(2). */
  public int listen(int fd, int backlog) {
    return Sockets.LISTEN.toInt(fd, backlog);
  }

  /** Takes a connection, like accept4(2) without an address; returns its descriptor. */
  public int accept(int fd, int flags) {
    return Sockets.ACCEPT4.toInt(fd, 0, 0, flags, 0, 0);
  }

  /** Connects a socket to an address, like connect(2). */
  public int connect(int fd, long address, int bytes) {
    return Sockets.CONNECT.toInt(fd, address, bytes);
  }

  /**
   * Ends one or both directions of a connection, like shutdown(2); wakes threads that wait on it.
   */
  public int shutdown(int fd, int how) {
    return Sockets.SHUTDOWN.toInt(fd, how);
  }

  /**
   * Reads an option of a socket, like getsockopt(2).
   *
   * @param length the address of an int: on entry the room at {@code address}, on return how much
   *     was filled
   */
  public int getsockopt(int fd, int level, int option, long address, long length) {
    return Sockets.GETSOCKOPT.toInt(fd, level, option, address, length, 0);
  }

  /** Sets an option of a socket, like setsockopt(2). */
  public int setsockopt(int fd, int level, int option, long address, int bytes) {
    return Sockets.SETSOCKOPT.toInt(fd, level, option, address, bytes, 0);
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

    private static final Function GETTID = Function.of("gettid");
    private static final Function GETPID = Function.of("getpid");
    private static final Function TGKILL = Function.of("tgkill");
    private static final Function SIGACTION = Function.of("sigaction");
    private static final Function SET_HANDLER = Function.of("signal");

    private static final Function UNBLOCK = Function.of("pthread_sigmask");

    private static final int SIG_UNBLOCK = 1;

    /** The size of any libc's sigset_t; signal 1 is its lowest bit. */
    private static final long SIGSET_BYTES = 128;

    private static final int PROCESS = GETPID.toInt(0);
    static final int SIGNAL = install();

    /** Takes the last real-time signal, which nobody else should be using, unless somebody is. */
    private static int install() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment before = arena.allocate(SIGACTION_BYTES, Long.BYTES);
        int asked = SIGACTION.toInt(INTERRUPTION, 0, before.address());
        if (asked < 0) {
          return asked;
        }
        if (before.get(JAVA_LONG, 0) != 0) {
          return Errno.EBUSY.negated();
        }
        long set = SET_HANDLER.toLong(INTERRUPTION, address("abs"), 0);
        return set < 0 ? (int) set : INTERRUPTION;
      }
    }

    /**
     * Unblocks the signal: a process may be started with it blocked, and each of its threads
     * inherits that.
     */
    static int admit() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment set = arena.allocate(SIGSET_BYTES, Long.BYTES);
        set.set(JAVA_LONG, 0, 1L << (SIGNAL - 1));
        return -UNBLOCK.toInt(SIG_UNBLOCK, set.address());
      }
    }

    static int thread() {
      return GETTID.toInt(0);
    }

    static int send(int tid) {
      return TGKILL.toInt(PROCESS, tid, SIGNAL);
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
    static final Function CALL = Function.of("prctl");
  }

  private static final class Open {
    static final Function CALL = Function.of("open");
  }

  private static final class Close {
    static final Function CALL = Function.of("close");
  }

  private static final class Read {
    static final Function CALL = Function.of("read");
  }

  private static final class Write {
    static final Function CALL = Function.of("write");
  }

  private static final class Pread {
    static final Function CALL = Function.of("pread");
  }

  private static final class Pwrite {
    static final Function CALL = Function.of("pwrite");
  }

  private static final class Lseek {
    static final Function CALL = Function.of("lseek");
  }

  private static final class Ftruncate {
    static final Function CALL = Function.of("ftruncate");
  }

  private static final class Ioctl {
    static final Function CALL = Function.of("ioctl");
  }

  private static final class IoctlWithMemory {
    static final MethodHandle CALL =
        LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("ioctl"),
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS),
            Linker.Option.captureCallState("errno"));
  }

  private static final class Mmap {
    static final Function CALL = Function.of("mmap");
  }

  private static final class Munmap {
    static final Function CALL = Function.of("munmap");
  }

  private static final class Poll {
    static final Function CALL = Function.of("poll");
  }

  private static final class Eventfd {
    static final Function CALL = Function.of("eventfd");
  }

  private static final class MemfdCreate {
    static final Function CALL = Function.of("memfd_create");
  }

  private static final class Readlink {
    static final Function CALL = Function.of("readlink");
  }

  private static final class OpenAt {
    static final Function CALL = Function.of("openat");
  }

  private static final class Mkdir {
    static final Function CALL = Function.of("mkdir");
  }

  private static final class UnlinkAt {
    static final Function CALL = Function.of("unlinkat");
  }

  private static final class Fsync {
    static final Function CALL = Function.of("fsync");
  }

  private static final class Fcntl {
    static final Function CALL = Function.of("fcntl");
  }

  private static final class Geteuid {
    static final Function CALL = Function.of("geteuid");
  }

  private static final class ProcessVmReadv {
    static final Function CALL = Function.of("process_vm_readv");
  }

  private static final class ProcessVmWritev {
    static final Function CALL = Function.of("process_vm_writev");
  }

  private static final class Fallocate {
    static final Function CALL = Function.of("fallocate");
  }

  /** A program that uses one of these calls uses most of them. */
  private static final class Sockets {
    static final Function SOCKET = Function.of("socket");
    static final Function BIND = Function.of("bind");
    static final Function LISTEN = Function.of("listen");
    static final Function ACCEPT4 = Function.of("accept4");
    static final Function CONNECT = Function.of("connect");
    static final Function SHUTDOWN = Function.of("shutdown");
    static final Function GETSOCKOPT = Function.of("getsockopt");
    static final Function SETSOCKOPT = Function.of("setsockopt");
  }

  private static final class Getdents64 {
    static final Function CALL = Function.of("getdents64");
  }
}
