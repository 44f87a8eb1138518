package dev.iolite.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * The kernel this process runs on, called through libc.
 *
 * <p>errno is captured by the same downcall that sets it, into a segment that belongs to the
 * calling thread. No call is linked as critical: each may block, and a blocked critical call would
 * hold up the garbage collector. Needs {@code --enable-native-access=dev.iolite}.
 */
public final class HostKernel implements Kernel {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  /** One errno per thread, made once; it goes when the thread does. */
  private static final ThreadLocal<MemorySegment> STATE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CALL_STATE));

  private static final int CREATE_MODE = 0600;

  private static final MethodHandle OPEN =
      variadic("open", 2, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle CLOSE = plain("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle READ = plain("read", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle WRITE =
      plain("write", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle PREAD =
      plain("pread", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle PWRITE =
      plain("pwrite", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LSEEK =
      plain("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
  private static final MethodHandle FTRUNCATE = plain("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle IOCTL =
      variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle MMAP =
      plain("mmap", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
  private static final MethodHandle MUNMAP = plain("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle POLL = plain("poll", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle EVENTFD = plain("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle MEMFD_CREATE =
      plain("memfd_create", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle READLINK =
      plain("readlink", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle GETDENTS64 =
      plain("getdents64", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);

  private static MethodHandle plain(String name, ValueLayout result, ValueLayout... arguments) {
    return link(name, result, arguments, Linker.Option.captureCallState("errno"));
  }

  private static MethodHandle variadic(
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

  private static int result(int returned, MemorySegment state) {
    return returned == -1 ? -(int) ERRNO.get(state, 0L) : returned;
  }

  private static long result(long returned, MemorySegment state) {
    return returned == -1 ? -(int) ERRNO.get(state, 0L) : returned;
  }

  @Override
  public int open(String path, int flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, CREATE_MODE), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int close(int fd) {
    MemorySegment state = STATE.get();
    try {
      return result((int) CLOSE.invokeExact(state, fd), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long read(int fd, long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((long) READ.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long write(int fd, long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((long) WRITE.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    MemorySegment state = STATE.get();
    try {
      return result((long) PREAD.invokeExact(state, fd, address, bytes, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    MemorySegment state = STATE.get();
    try {
      return result((long) PWRITE.invokeExact(state, fd, address, bytes, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    MemorySegment state = STATE.get();
    try {
      return result((long) LSEEK.invokeExact(state, fd, offset, whence), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((int) FTRUNCATE.invokeExact(state, fd, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    MemorySegment state = STATE.get();
    try {
      return result((int) IOCTL.invokeExact(state, fd, request, argument), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    MemorySegment state = STATE.get();
    try {
      return result((long) MMAP.invokeExact(state, address, bytes, prot, flags, fd, offset), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int munmap(long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((int) MUNMAP.invokeExact(state, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    MemorySegment state = STATE.get();
    try {
      return result((int) POLL.invokeExact(state, pollfds, (long) count, timeoutMillis), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int eventfd(int initial, int flags) {
    MemorySegment state = STATE.get();
    try {
      return result((int) EVENTFD.invokeExact(state, initial, flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public int memfdCreate(String name, int flags) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result((int) MEMFD_CREATE.invokeExact(state, arena.allocateFrom(name), flags), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    MemorySegment state = STATE.get();
    try (Arena arena = Arena.ofConfined()) {
      return result(
          (long) READLINK.invokeExact(state, arena.allocateFrom(path), address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    MemorySegment state = STATE.get();
    try {
      return result((long) GETDENTS64.invokeExact(state, fd, address, bytes), state);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /** A downcall handle declares Throwable; none of the C functions here can raise anything. */
  private static RuntimeException unexpected(Throwable e) {
    return switch (e) {
      case RuntimeException r -> r;
      case Error error -> throw error;
      default -> throw new AssertionError("a system call threw", e);
    };
  }
}
