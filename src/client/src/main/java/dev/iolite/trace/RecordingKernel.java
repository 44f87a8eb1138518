package dev.iolite.trace;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.DescriptorKinds;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.Registers;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;

/**
 * Makes no calls, and reports that each succeeded: code that runs on it shows which calls it would
 * make.
 *
 * <p>Descriptors and addresses are made up in such a way that no other number looks like one:
 * descriptors are odd and above 2<sup>30</sup>, addresses are above 2<sup>62</sup>. There is no
 * memory at the addresses. An ioctl that returns something in its struct, or a number, needs an
 * answer; a call for data that would have to be made up fails with ENOSYS.
 *
 * <p>Safe for use by several threads, which share the last {@link #argument}.
 */
public final class RecordingKernel implements Kernel {
  private static final int FIRST_DESCRIPTOR = (1 << 30) + 1;
  private static final long FIRST_ADDRESS = 1L << 62;
  private static final int ENOSYS = Errno.ENOSYS.negated();

  private final CallerMemory memory = CallerMemory.own();
  private final Ioctls ioctls;
  private final Map<Ioctl, ToIntFunction<MemorySegment>> answers;
  private final DescriptorKinds kinds = new DescriptorKinds();
  private int nextDescriptor = FIRST_DESCRIPTOR;
  private long nextAddress = FIRST_ADDRESS;
  private Optional<Argument> argument = Optional.empty();

  /**
   * The struct that an ioctl was made with.
   *
   * @param command the ioctl
   * @param bytes the struct before the call; for a dma-buf of VFIO's, with what follows it
   */
  public record Argument(Ioctl command, MemorySegment bytes) {}

  /**
   * Starts without any descriptors.
   *
   * @param ioctls the ioctls that exist; others fail with ENOTTY
   * @param answers fill in the structs of some of them, and determine what these return
   */
  public RecordingKernel(Ioctls ioctls, Map<Ioctl, ToIntFunction<MemorySegment>> answers) {
    this.ioctls = ioctls;
    this.answers = Map.copyOf(answers);
  }

  /** The struct of the last call; empty if that call has none. */
  public synchronized Optional<Argument> argument() {
    return argument;
  }

  private synchronized int made(FdKind kind) {
    argument = Optional.empty();
    int number = nextDescriptor;
    nextDescriptor += 2;
    kinds.add(number, kind);
    return number;
  }

  @Override
  public int open(String path, int flags) {
    return made(DescriptorKinds.ofPath(path));
  }

  @Override
  public int eventfd(int initial, int flags) {
    return made(FdKind.EVENTFD);
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return made(FdKind.MEMFD);
  }

  @Override
  public synchronized int close(int fd) {
    argument = Optional.empty();
    kinds.remove(fd);
    return 0;
  }

  @Override
  public synchronized int ioctl(int fd, long request, long address) {
    argument = Optional.empty();
    Optional<Ioctl> known = kinds.of(fd).flatMap(kind -> ioctls.find(kind, request));
    return known.map(command -> done(command, address)).orElse(Errno.ENOTTY.negated());
  }

  private int done(Ioctl command, long address) {
    long bytes = command.argument().map(MemoryLayout::byteSize).orElse(0L);
    Optional<MemorySegment> struct = memory.copy(address, bytes).filter(_ -> bytes != 0);
    if (bytes != 0 && struct.isEmpty()) {
      return Errno.EFAULT.negated();
    }
    ToIntFunction<MemorySegment> answer = answers.get(command);
    if (answer != null) {
      return answer.applyAsInt(Mapping.memory(address, bytes));
    }
    Optional<FdKind> returned =
        command
            .returns()
            .or(() ->
                struct
                    .filter(head -> DmaBufFeature.isAskedBy(command, head))
                    .map(_ -> FdKind.DMA_BUF));
    int result = returned.map(this::made).orElse(0);
    argument =
        struct.map(head ->
            new Argument(
                command,
                DmaBufFeature.copy(memory, command, head, address).orElse(head).asReadOnly()));
    return result;
  }

  @Override
  public synchronized long mmap(
      long address, long bytes, int prot, int flags, int fd, long offset) {
    argument = Optional.empty();
    long made = nextAddress;
    nextAddress += bytes;
    return made;
  }

  @Override
  public synchronized int munmap(long address, long bytes) {
    argument = Optional.empty();
    return 0;
  }

  @Override
  public Optional<Registers> registers(long address) {
    return Optional.empty();
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return bytes;
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return bytes;
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return 0;
  }

  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    return 0;
  }

  @Override
  public int addSeals(int fd, int seals) {
    return 0;
  }

  @Override
  public int interrupt(int tid) {
    return 0;
  }

  @Override
  public long read(int fd, long address, long bytes) {
    return ENOSYS;
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return ENOSYS;
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return ENOSYS;
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    return ENOSYS;
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return ENOSYS;
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    return ENOSYS;
  }

  @Override
  public int interruptible() {
    return ENOSYS;
  }
}
