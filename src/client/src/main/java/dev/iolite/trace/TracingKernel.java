package dev.iolite.trace;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.DescriptorKinds;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.StructText;
import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.SystemCall;
import dev.iolite.uapi.catalog.SystemCalls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Passes every call on to another kernel and reports it afterwards.
 *
 * <p>An ioctl is decoded by the kind of its descriptor and its number. The kinds are learned from
 * the calls: from the path of an open, and from what ioctls return or put into their structs. A
 * descriptor from elsewhere is an {@code fd}, and its ioctls are shown by number.
 *
 * <p>An ioctl's struct is read exactly to the length that the headers give it. VFIO's structs with
 * an {@code argsz} can be followed by more data, which is shown only if it is a dma-buf's ranges;
 * of other buffers, the first bytes are shown. Memory is read without being accessed directly: an
 * address where nothing is mapped is shown as such, and the call is passed on to the kernel, which
 * answers EFAULT.
 *
 * <p>Safe for use by several threads. Each thread reports its own calls when they are over, so of
 * two calls, the later one may be reported first.
 */
public final class TracingKernel extends ForwardingKernel {
  private static final int SHOWN_BYTES = 32;
  private static final int SHOWN_POLLFDS = 8;

  /** Which calls are reported. */
  public enum Scope {
    /** All of them. */
    ALL,
    /**
     * All calls except those that only look around, which read links, directories, or files outside
     * {@code /dev}, such as those in sysfs and procfs, and {@link Kernel#interruptible}. Calls that
     * are left out are not decoded, and so cost next to nothing.
     */
    WITHOUT_LOOKING_AROUND
  }

  private final CallerMemory memory;
  private final Scope scope;
  private final Supplier<Ioctls> ioctls;
  private final Consumer<TracedCall> sink;
  private final DescriptorKinds kinds = new DescriptorKinds();

  /**
   * Traces all of a kernel's calls.
   *
   * @param inner the kernel that makes them
   * @param sink receives them in the thread that made the call; it must not throw, since the call
   *     has already been made, and must not call this kernel
   */
  public TracingKernel(Kernel inner, Consumer<TracedCall> sink) {
    this(inner, Scope.ALL, Ioctls::ofHeaders, sink);
  }

  /**
   * Traces a kernel's calls.
   *
   * @param inner the kernel that makes them
   * @param scope which of them
   * @param sink as above
   */
  public TracingKernel(Kernel inner, Scope scope, Consumer<TracedCall> sink) {
    this(inner, scope, Ioctls::ofHeaders, sink);
  }

  /**
   * Traces the calls of a kernel that may have ioctls beyond the headers'.
   *
   * @param inner the kernel that makes them
   * @param scope which of them
   * @param ioctls supplies the ioctls that the kernel has, by which calls are decoded; asked at
   *     each call, since a kernel may reveal which ones it has only in the course of calls
   * @param sink receives them in the thread that made the call; it must not throw, since the call
   *     has already been made, and must not call this kernel
   */
  public TracingKernel(
      Kernel inner, Scope scope, Supplier<Ioctls> ioctls, Consumer<TracedCall> sink) {
    this(inner, CallerMemory.own(), scope, ioctls, sink);
  }

  /**
   * Traces the calls that a kernel gets from another process.
   *
   * @param memory the memory of whoever makes the calls
   */
  public TracingKernel(
      Kernel inner,
      CallerMemory memory,
      Scope scope,
      Supplier<Ioctls> ioctls,
      Consumer<TracedCall> sink) {
    super(inner);
    this.memory = memory;
    this.scope = scope;
    this.ioctls = ioctls;
    this.sink = sink;
  }

  private boolean skipsLooks() {
    return scope == Scope.WITHOUT_LOOKING_AROUND;
  }

  /** Whether an open is not reported. */
  private boolean skips(String path, int flags) {
    return skipsLooks()
        && !path.startsWith("/dev/")
        && (flags & Libc.O_ACCMODE()) == Libc.O_RDONLY();
  }

  /** Whether reads, seeks and the close of a descriptor are not reported. */
  private boolean skips(int fd) {
    return skipsLooks() && kinds.of(fd).equals(Optional.of(FdKind.FILE));
  }

  /** Makes a call, and reports it. */
  private long call(SystemCall call, String subject, String argument, LongSupplier body) {
    return call(call, subject, argument, body, _ -> "");
  }

  /** Makes a call, and reports it with what it changed. */
  private long call(
      SystemCall call, String subject, String argument, LongSupplier body, Words changed) {
    return call(call, subject, argument, body, changed, _ -> "");
  }

  /** Makes a call, and reports it with what it changed and what its result means. */
  private long call(
      SystemCall call,
      String subject,
      String argument,
      LongSupplier body,
      Words changed,
      Words meaning) {
    return call(call.name(), call.name(), subject, argument, body, changed, meaning);
  }

  /**
   * Makes a call, and reports it with what it changed and what its result means.
   *
   * @param changed evaluated first, and once
   */
  private long call(
      String call,
      String name,
      String subject,
      String argument,
      LongSupplier body,
      Words changed,
      Words meaning) {
    long start = System.nanoTime();
    long result = body.getAsLong();
    long nanos = System.nanoTime() - start;
    Thread thread = Thread.currentThread();
    String threadName = thread.getName().isEmpty() ? "#" + thread.threadId() : thread.getName();
    sink.accept(
        new TracedCall(
            call,
            name,
            subject,
            argument,
            changed.of(result),
            result,
            meaning.of(result),
            nanos,
            threadName));
    return result;
  }

  /** What to report about a call, given its result. */
  @FunctionalInterface
  private interface Words {
    String of(long result);
  }

  /** Notes a new descriptor, and says what it is. */
  private Words makes(FdKind kind) {
    return fd -> {
      if (fd < 0) {
        return "";
      }
      kinds.add((int) fd, kind);
      return kinds.name((int) fd);
    };
  }

  @Override
  public int open(String path, int flags) {
    Words noted = makes(DescriptorKinds.ofPath(path));
    if (skips(path, flags)) {
      int fd = super.open(path, flags);
      noted.of(fd);
      return fd;
    }
    return (int)
        call(
            SystemCalls.OPEN,
            path,
            "flags=" + Text.value(flags),
            () -> super.open(path, flags),
            noted);
  }

  @Override
  public int close(int fd) {
    if (skips(fd)) {
      kinds.remove(fd);
      return super.close(fd);
    }
    String name = kinds.name(fd);
    kinds.remove(fd);
    return (int) call(SystemCalls.CLOSE, name, "", () -> super.close(fd));
  }

  @Override
  public long read(int fd, long address, long bytes) {
    if (skips(fd)) {
      return super.read(fd, address, bytes);
    }
    return call(
        SystemCalls.READ,
        kinds.name(fd),
        "bytes=" + bytes,
        () -> super.read(fd, address, bytes),
        read -> shown(address, read));
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return call(
        SystemCalls.WRITE,
        kinds.name(fd),
        written(address, bytes),
        () -> super.write(fd, address, bytes),
        _ -> "",
        partOf(bytes));
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return call(
        SystemCalls.PREAD,
        kinds.name(fd),
        "bytes=" + bytes + at(offset),
        () -> super.pread(fd, address, bytes, offset),
        read -> shown(address, read),
        partOf(bytes));
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return call(
        SystemCalls.PWRITE,
        kinds.name(fd),
        written(address, bytes) + at(offset),
        () -> super.pwrite(fd, address, bytes, offset),
        _ -> "",
        partOf(bytes));
  }

  /** Says if a transfer moved only a part. A read of a small file always does. */
  private static Words partOf(long bytes) {
    return moved -> moved >= 0 && moved < bytes ? "of " + bytes : "";
  }

  private static String at(long offset) {
    return ", offset=" + Text.value(offset);
  }

  private String written(long address, long bytes) {
    return "bytes=" + bytes + " " + shown(address, bytes);
  }

  /** The first bytes of a buffer. */
  private String shown(long address, long bytes) {
    return bytes <= 0
        ? ""
        : memory
            .copy(address, Math.min(bytes, SHOWN_BYTES))
            .map(copy -> Text.bytes(copy, bytes > SHOWN_BYTES))
            .orElseGet(() -> unreadable(address));
  }

  private static String unreadable(long address) {
    return address == 0 ? "NULL" : "unreadable at 0x" + Long.toHexString(address);
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    if (skips(fd)) {
      return super.lseek(fd, offset, whence);
    }
    return call(
        SystemCalls.LSEEK,
        kinds.name(fd),
        "offset=" + Text.value(offset) + ", whence=" + whence,
        () -> super.lseek(fd, offset, whence));
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return (int)
        call(
            SystemCalls.FTRUNCATE,
            kinds.name(fd),
            "bytes=" + Text.value(bytes),
            () -> super.ftruncate(fd, bytes));
  }

  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    return (int)
        call(
            SystemCalls.FALLOCATE,
            kinds.name(fd),
            "mode=%s, offset=%s, bytes=%s"
                .formatted(Text.value(mode), Text.value(offset), Text.value(bytes)),
            () -> super.fallocate(fd, mode, offset, bytes));
  }

  @Override
  public int addSeals(int fd, int seals) {
    return (int)
        call(
            SystemCalls.FCNTL,
            kinds.name(fd),
            "F_ADD_SEALS, seals=" + Text.value(seals),
            () -> super.addSeals(fd, seals));
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    Optional<Ioctl> command = kinds.of(fd).flatMap(kind -> ioctls.get().find(kind, request));
    Optional<MemoryLayout> layout = command.flatMap(Ioctl::argument);
    Optional<MemorySegment> before =
        layout.flatMap(struct -> memory.copy(argument, struct.byteSize()));
    String argumentText =
        layout.isEmpty()
            ? command.isPresent() && argument == 0 ? "" : Text.value(argument)
            : before
                .map(struct ->
                    StructText.of(layout.get(), struct)
                        + DmaBufFeature.copy(memory, command.get(), struct, argument)
                            .map(whole -> " " + DmaBufFeature.text(whole))
                            .orElse(""))
                .orElseGet(() -> unreadable(argument));
    return (int)
        call(
            SystemCalls.IOCTL.name(),
            command.map(Ioctl::name).orElseGet(() -> Text.ioctl(request)),
            kinds.name(fd),
            argumentText,
            () -> super.ioctl(fd, request, argument),
            result ->
                command.map(known -> changed(known, before, argument, (int) result)).orElse(""),
            result ->
                command.map(known -> meaning(known, before, argument, (int) result)).orElse(""));
  }

  /** What the table of calls says about a result. */
  private String meaning(Ioctl command, Optional<MemorySegment> before, long argument, int result) {
    return switch (command.result()) {
      case Call.Result.Value(String words) when result >= 0 -> words;
      case Call.Result.NotDone(String words) when result > 0 -> words;
      case Call.Result.Done _
          when result > 0
              && DescriptorKinds.made(command, after(before, argument), result).isEmpty() ->
          "no result of this call";
      default -> "";
    };
  }

  private Optional<MemorySegment> after(Optional<MemorySegment> before, long argument) {
    return before.flatMap(struct -> memory.copy(argument, struct.byteSize()));
  }

  private String changed(Ioctl command, Optional<MemorySegment> before, long argument, int result) {
    Optional<MemorySegment> after = after(before, argument);
    String fields =
        after
            .map(now -> Text.changes(command.argument().orElseThrow(), before.orElseThrow(), now))
            .orElse("");
    if (result < 0) {
      return fields;
    }
    Optional<DescriptorKinds.Made> made = DescriptorKinds.made(command, after, result);
    made.ifPresent(descriptor -> kinds.add(descriptor.number(), descriptor.kind()));
    String descriptor = made.map(fd -> fd.kind() + " " + fd.number()).orElse("");
    return fields.isEmpty() || descriptor.isEmpty()
        ? fields + descriptor
        : fields + ", " + descriptor;
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    return call(
        SystemCalls.MMAP,
        fd == -1 ? "" : kinds.name(fd),
        "address=%s, bytes=%s, prot=%s, flags=%s, offset=%s"
            .formatted(
                Text.value(address),
                Text.value(bytes),
                Text.value(prot),
                Text.value(flags),
                Text.value(offset)),
        () -> super.mmap(address, bytes, prot, flags, fd, offset));
  }

  @Override
  public int munmap(long address, long bytes) {
    return (int)
        call(
            SystemCalls.MUNMAP,
            "",
            "address=" + Text.value(address) + ", bytes=" + Text.value(bytes),
            () -> super.munmap(address, bytes));
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    MemoryLayout layout =
        MemoryLayout.sequenceLayout(Math.clamp(count, 0, SHOWN_POLLFDS), pollfd.layout());
    Optional<MemorySegment> before = memory.copy(pollfds, layout.byteSize());
    return (int)
        call(
            SystemCalls.POLL,
            "",
            before.map(fds -> StructText.of(layout, fds)).orElseGet(() -> unreadable(pollfds))
                + ", timeout="
                + timeoutMillis,
            () -> super.poll(pollfds, count, timeoutMillis),
            _ ->
                before
                    .flatMap(fds ->
                        memory
                            .copy(pollfds, layout.byteSize())
                            .map(now -> Text.changes(layout, fds, now)))
                    .orElse(""),
            ready -> ready == 0 ? "timed out" : "");
  }

  @Override
  public int eventfd(int initial, int flags) {
    return (int)
        call(
            SystemCalls.EVENTFD,
            "",
            "initial=" + initial + ", flags=" + Text.value(flags),
            () -> super.eventfd(initial, flags),
            makes(FdKind.EVENTFD));
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return (int)
        call(
            SystemCalls.MEMFD_CREATE,
            name,
            "flags=" + Text.value(flags),
            () -> super.memfdCreate(name, flags),
            makes(FdKind.MEMFD));
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    if (skipsLooks()) {
      return super.readlink(path, address, bytes);
    }
    return call(
        SystemCalls.READLINK,
        path,
        "bytes=" + bytes,
        () -> super.readlink(path, address, bytes),
        length -> shown(address, length));
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    if (skipsLooks()) {
      return super.getdents(fd, address, bytes);
    }
    return call(
        SystemCalls.GETDENTS64,
        kinds.name(fd),
        "bytes=" + bytes,
        () -> super.getdents(fd, address, bytes));
  }

  @Override
  public int interruptible() {
    if (skipsLooks()) {
      return super.interruptible();
    }
    return (int)
        call("interruptible", "interruptible", "", "", super::interruptible, _ -> "", _ -> "");
  }

  @Override
  public int interrupt(int tid) {
    return (int)
        call(
            "interrupt",
            "interrupt",
            "thread " + tid,
            "",
            () -> super.interrupt(tid),
            _ -> "",
            _ -> "");
  }
}
