package dev.iolite.kernel;

import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.SystemCall;
import dev.iolite.uapi.catalog.SystemCalls;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * An open descriptor, with its kind, the kernel that it belongs to, and whether this object closes
 * it.
 *
 * <p>The methods here turn a negated errno into a {@link KernelException}, and repeat a call that
 * was interrupted by a signal, where that is harmless. The {@code try} methods return the negated
 * errno instead, for callers that expect a refusal.
 *
 * <p>Memory passed to a call is checked first, and held until the call is over: an arena whose
 * memory the kernel still uses can't be closed ({@link HeldMemory}).
 *
 * <p>A descriptor is closed once. Calls after that fail with {@link IllegalStateException}; they
 * never reach a later descriptor with the same number.
 *
 * <p>Safe for use by several threads, except that closing it while another thread is inside a call
 * is a race that the caller must avoid, as in C.
 */
public final class Fd implements AutoCloseable {
  /** For calls at the file's position; no offset that a call is made with. */
  private static final long NO_OFFSET = Long.MIN_VALUE;

  private final Kernel kernel;
  private final FdKind kind;
  private final int number;
  private final String name;
  private final Optional<String> device;
  private final boolean owned;
  private volatile boolean closed;

  private Fd(
      Kernel kernel, FdKind kind, int number, String name, Optional<String> device, boolean owned) {
    this.kernel = kernel;
    this.kind = kind;
    this.number = number;
    this.name = name;
    this.device = device;
    this.owned = owned;
  }

  /**
   * Opens a file, close-on-exec.
   *
   * @param path absolute path
   * @param flags O_* bits; O_CLOEXEC is added
   * @throws KernelException what open(2) said
   */
  public static Fd open(Kernel kernel, FdKind kind, String path, int flags) {
    int fd = tryOpen(kernel, path, flags);
    if (fd < 0) {
      throw KernelException.of(kernel, SystemCalls.OPEN.name(), CallTarget.of(kind, path), "", -fd);
    }
    return owned(kernel, kind, fd, path);
  }

  /** Opens a file, close-on-exec; returns the descriptor's number or a negated errno. */
  public static int tryOpen(Kernel kernel, String path, int flags) {
    int fd;
    do {
      fd = kernel.open(path, flags | Libc.O_CLOEXEC());
    } while (isRepeated(SystemCalls.OPEN, fd));
    return fd;
  }

  /** Takes over a descriptor that a call returned; it is closed with this object. */
  public static Fd owned(Kernel kernel, FdKind kind, int number, String name) {
    return new Fd(kernel, kind, number, name, Optional.empty(), true);
  }

  /**
   * Like {@link #owned(Kernel, FdKind, int, String)}, with a device behind it.
   *
   * @param device the device's name on its bus, such as {@code 0000:00:03.0}
   */
  public static Fd owned(Kernel kernel, FdKind kind, int number, String name, String device) {
    return new Fd(kernel, kind, number, name, Optional.of(device), true);
  }

  /** Refers to a descriptor that belongs to someone else; {@link #close} leaves it open. */
  public static Fd borrowed(Kernel kernel, FdKind kind, int number, String name) {
    return new Fd(kernel, kind, number, name, Optional.empty(), false);
  }

  /** The kernel that this descriptor belongs to. */
  public Kernel kernel() {
    return kernel;
  }

  /** What it refers to. */
  public FdKind kind() {
    return kind;
  }

  /**
   * The descriptor's number, to pass to the kernel.
   *
   * @throws IllegalStateException if it is closed
   */
  public int number() {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
    return number;
  }

  /** The target of a call on it, for messages. */
  public CallTarget target() {
    return new CallTarget(Optional.of(kind), toString(), device);
  }

  /** Whether {@link #close} has been called. */
  public boolean isClosed() {
    return closed;
  }

  /**
   * Makes an ioctl whose argument is a struct.
   *
   * @return what the command returned, not negative
   * @throws KernelException what the kernel said
   */
  public int ioctl(Ioctl command, MemorySegment argument) {
    return done(command, argument, () -> decoded(command, argument), tryIoctl(command, argument));
  }

  /**
   * Makes an ioctl that the kernel may refuse in an expected way.
   *
   * @param answers the errnos that the caller can handle
   * @return what the command returned, or one of the answers, negated
   * @throws KernelException any other errno
   */
  public int ioctl(Ioctl command, MemorySegment argument, Errno... answers) {
    int result = tryIoctl(command, argument);
    for (Errno answer : answers) {
      if (result == answer.negated()) {
        return result;
      }
    }
    return done(command, argument, () -> decoded(command, argument), result);
  }

  /**
   * Makes an ioctl whose argument is a plain value.
   *
   * @return what the command returned, not negative
   * @throws KernelException what the kernel said
   */
  public int ioctl(Ioctl command, long argument) {
    return done(
        command,
        MemorySegment.NULL,
        () -> Long.toUnsignedString(argument),
        tryIoctl(command, argument));
  }

  /**
   * Makes an ioctl whose argument is a struct; returns its result or a negated errno. The memory is
   * held during the call; see {@link HeldMemory}.
   *
   * @throws KernelException if it returned a positive number that this command never returns
   * @throws IllegalArgumentException if it is a command of another kind of descriptor or takes no
   *     struct, or the segment is not aligned for the struct, smaller than the struct or the size
   *     that it declares, or read-only although the kernel writes it
   */
  public int tryIoctl(Ioctl command, MemorySegment argument) {
    requireKind(command);
    HeldMemory.require(argument);
    Argument.require(command, argument);
    int result =
        HeldMemory.isShared(argument)
            ? makeShared(command, argument)
            : makeConfined(command, argument);
    if (isUnknown(command, result)) {
      throw unknown(command, decoded(command, argument), result);
    }
    return result;
  }

  /** The host's call holds the memory itself, which is cheaper and allocates nothing. */
  private int makeShared(Ioctl command, MemorySegment argument) {
    if (!(kernel instanceof HostKernel host)) {
      return (int) HeldMemory.during(argument, () -> make(command, argument.address()));
    }
    int result;
    do {
      result = host.ioctl(number(), command.number(), argument);
    } while (isRepeated(command, result));
    return result;
  }

  /** Separate from the shared case, whose allocation would otherwise happen here too. */
  private int makeConfined(Ioctl command, MemorySegment argument) {
    try {
      return make(command, argument.address());
    } finally {
      Reference.reachabilityFence(argument);
    }
  }

  /**
   * Like {@link #tryIoctl(Ioctl, MemorySegment)}, for a plain argument.
   *
   * @throws IllegalArgumentException if it is a command of another kind of descriptor, or takes a
   *     struct
   */
  public int tryIoctl(Ioctl command, long argument) {
    requireKind(command);
    if (command.argument().isPresent()) {
      throw new IllegalArgumentException(command.name() + " takes a struct, not a plain value");
    }
    int result = make(command, argument);
    if (isUnknown(command, result)) {
      throw unknown(command, Long.toUnsignedString(argument), result);
    }
    return result;
  }

  /** Whether a result is one that the command never returns. */
  private static boolean isUnknown(Ioctl command, int result) {
    return result > 0 && command.result() instanceof Call.Result.Done;
  }

  private KernelException unknown(Ioctl command, String argument, int result) {
    return KernelException.of(
        command.name(), target(), argument, result, KernelException.NOT_ITS_OWN);
  }

  /** The result of a command that succeeded. */
  private int done(Ioctl command, MemorySegment struct, Supplier<String> argument, int result) {
    if (result < 0) {
      throw failure(command, struct, argument.get(), result);
    }
    if (result > 0 && command.result() instanceof Call.Result.NotDone(String words)) {
      throw KernelException.of(command.name(), target(), argument.get(), result, ": " + words);
    }
    return result;
  }

  private void requireKind(Ioctl command) {
    if (command.on() != kind) {
      throw new IllegalArgumentException(
          command.name() + " is a command of a " + command.on() + ", not of " + this);
    }
  }

  private int make(Ioctl command, long argument) {
    int result;
    do {
      result = kernel.ioctl(number(), command.number(), argument);
    } while (isRepeated(command, result));
    return result;
  }

  private static boolean isRepeated(Call call, long result) {
    return result == Errno.EINTR.negated() && call.onInterrupt() == Call.OnInterrupt.REPEAT;
  }

  /** The exception for an answer that the caller cannot handle after all. */
  public KernelException failed(Ioctl command, MemorySegment argument, int result) {
    return failure(command, argument, decoded(command, argument), result);
  }

  private KernelException failure(
      Ioctl command, MemorySegment struct, String argument, int result) {
    return KernelException.of(kernel, command.name(), target(), struct, argument, -result);
  }

  /**
   * The exception for an answer that contradicts its command's own rules.
   *
   * @param meaning what is wrong with it, to follow the result
   */
  public KernelException malformed(
      Ioctl command, MemorySegment argument, int result, String meaning) {
    return KernelException.of(
        command.name(), target(), decoded(command, argument), result, meaning);
  }

  private static String decoded(Ioctl command, MemorySegment argument) {
    return command.argument().map(layout -> StructText.of(layout, argument)).orElse("");
  }

  /**
   * Makes an ioctl that returns a descriptor, and takes over that descriptor.
   *
   * @param name what the new descriptor is called in messages
   * @throws KernelException what the kernel said
   */
  public Fd ioctlFd(Ioctl command, MemorySegment argument, String name) {
    FdKind returned = returned(command);
    return owned(kernel, returned, ioctl(command, argument), name);
  }

  /** Like {@link #ioctlFd(Ioctl, MemorySegment, String)}, for a plain argument. */
  public Fd ioctlFd(Ioctl command, long argument, String name) {
    FdKind returned = returned(command);
    return owned(kernel, returned, ioctl(command, argument), name);
  }

  private static FdKind returned(Ioctl command) {
    return command
        .returns()
        .orElseThrow(() -> new IllegalArgumentException(command.name() + " returns no descriptor"));
  }

  /**
   * Reads at the file's position into a segment.
   *
   * @return the bytes read, 0 at the end of the file
   * @throws KernelException what read(2) said
   * @throws IllegalArgumentException if the segment is read-only
   */
  public long read(MemorySegment into) {
    return transfer(
        SystemCalls.READ,
        writable(into),
        NO_OFFSET,
        (address, bytes) -> kernel.read(number(), address, bytes));
  }

  /**
   * Reads a segment at the file's position, by one call: for files that return a whole record or
   * nothing.
   *
   * @throws KernelException what read(2) said, or that it read less
   */
  void readWhole(MemorySegment into) {
    requireWhole(SystemCalls.READ, into, read(into));
  }

  /**
   * Writes a segment at the file's position.
   *
   * @return the bytes written
   * @throws KernelException what write(2) said
   */
  public long write(MemorySegment from) {
    return transfer(
        SystemCalls.WRITE,
        from,
        NO_OFFSET,
        (address, bytes) -> kernel.write(number(), address, bytes));
  }

  /**
   * Writes a segment at the file's position, by one call: for files that take a whole command. They
   * would take a remainder for another command.
   *
   * @throws KernelException what write(2) said, or that it took less
   */
  public void writeWhole(MemorySegment from) {
    requireWhole(SystemCalls.WRITE, from, write(from));
  }

  private void requireWhole(SystemCall call, MemorySegment memory, long result) {
    if (result != memory.byteSize()) {
      throw KernelException.of(
          call.name(), target(), "bytes=" + memory.byteSize(), result, ": that is not all of them");
    }
  }

  /**
   * Reads directory entries, structs linux_dirent64, into a segment.
   *
   * @return the bytes filled, 0 at the end
   * @throws KernelException what getdents64(2) said
   */
  long entries(MemorySegment into) {
    return transfer(
        SystemCalls.GETDENTS64,
        writable(into),
        NO_OFFSET,
        (address, bytes) -> kernel.getdents(number(), address, bytes));
  }

  /**
   * Reads at an offset into a segment.
   *
   * @return the bytes read, fewer at the end of the file
   * @throws KernelException what pread(2) said
   * @throws IllegalArgumentException if the segment is read-only
   */
  public long pread(MemorySegment into, long offset) {
    return transfer(
        SystemCalls.PREAD,
        writable(into),
        offset,
        (address, bytes) -> kernel.pread(number(), address, bytes, offset));
  }

  /**
   * Writes a segment at an offset.
   *
   * @return the bytes written
   * @throws KernelException what pwrite(2) said
   */
  public long pwrite(MemorySegment from, long offset) {
    return transfer(
        SystemCalls.PWRITE,
        from,
        offset,
        (address, bytes) -> kernel.pwrite(number(), address, bytes, offset));
  }

  private static String detail(MemorySegment memory, long offset) {
    String bytes = "bytes=" + memory.byteSize();
    return offset == NO_OFFSET ? bytes : bytes + " offset=0x" + Long.toHexString(offset);
  }

  /** A system call that moves bytes between a file and memory. */
  @FunctionalInterface
  private interface Transfer {
    long call(long address, long bytes);
  }

  private long transfer(SystemCall call, MemorySegment memory, long offset, Transfer transfer) {
    long result =
        HeldMemory.during(
            memory,
            () -> {
              long moved;
              do {
                moved = transfer.call(memory.address(), memory.byteSize());
              } while (isRepeated(call, moved));
              return moved;
            });
    if (result < 0) {
      throw KernelException.of(
          kernel, call.name(), target(), detail(memory, offset), Math.toIntExact(-result));
    }
    if (result > memory.byteSize()) {
      throw KernelException.of(
          call.name(), target(), detail(memory, offset), result, KernelException.NOT_ITS_OWN);
    }
    return result;
  }

  private static MemorySegment writable(MemorySegment into) {
    if (into.isReadOnly()) {
      throw new IllegalArgumentException("the kernel can't read into a segment that is read-only");
    }
    return into;
  }

  /**
   * Closes the descriptor, once; a borrowed one is only marked closed. EINTR is not a failure:
   * Linux has closed the descriptor by then.
   *
   * @throws KernelException what close(2) said
   */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    if (!owned) {
      return;
    }
    int result = kernel.close(number);
    if (result != Errno.EINTR.negated()) {
      KernelException.requireDone(SystemCalls.CLOSE.name(), target(), "", result);
    }
  }

  /** For example {@code iommufd 7 (/dev/iommu)}. */
  @Override
  public String toString() {
    return kind + " " + number + " (" + name + ")";
  }
}
