package dev.iolite.mock;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.DescriptorKinds;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.SystemCall;
import dev.iolite.uapi.catalog.SystemCalls;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;

/** A kernel whose calls go wrong as planned; everything else goes to the kernel below. */
public final class FaultyKernel extends ForwardingKernel {
  private final CallerMemory memory;
  private final Ioctls ioctls;
  private final Faults faults;
  private final DescriptorKinds kinds = new DescriptorKinds();
  private final List<String> injected = new ArrayList<>();

  /**
   * Makes a kernel's calls go wrong.
   *
   * @param faults when and how; asked of every call
   */
  public FaultyKernel(Kernel inner, Faults faults) {
    this(inner, Ioctls.ofHeaders(), faults);
  }

  /**
   * Makes a kernel's calls go wrong.
   *
   * @param ioctls the kernel's ioctls; plan and record use their names
   * @param faults when and how; asked of every call
   */
  public FaultyKernel(Kernel inner, Ioctls ioctls, Faults faults) {
    this(inner, CallerMemory.own(), ioctls, faults);
  }

  /**
   * Makes the calls go wrong that a kernel receives from another process.
   *
   * @param memory the memory of the caller
   */
  public FaultyKernel(Kernel inner, CallerMemory memory, Ioctls ioctls, Faults faults) {
    super(inner);
    this.memory = memory;
    this.ioctls = ioctls;
    this.faults = faults;
  }

  /**
   * What has gone wrong so far, in order, such as {@code EBUSY after
   * VFIO_DEVICE_ATTACH_IOMMUFD_PT}.
   */
  public List<String> injected() {
    synchronized (injected) {
      return List.copyOf(injected);
    }
  }

  private long call(Calls.Call call, LongSupplier body) {
    return transfer(call, Long.MAX_VALUE, _ -> body.getAsLong(), _ -> {});
  }

  /** Takes back what a call handed out. */
  @FunctionalInterface
  private interface TakeBack {
    void of(long result);
  }

  private long transfer(Calls.Call call, long bytes, LongUnaryOperator body, TakeBack takeBack) {
    long moved = bytes;
    Optional<Faults.Fault.Fail> after = Optional.empty();
    for (Faults.Fault fault : faults.on(call)) {
      switch (fault) {
        case Faults.Fault.Event(var event) -> {
          note("event before " + call);
          event.run();
        }
        case Faults.Fault.Shorten(var most) -> {
          note("at most " + most + " bytes by " + call);
          moved = Math.min(moved, most);
        }
        case Faults.Fault.Answer(var result) -> {
          note(result + " instead of " + call);
          return result;
        }
        case Faults.Fault.Fail fail when fail.when() == Faults.When.BEFORE -> {
          note(fail.errno() + " before " + call);
          return fail.errno().negated();
        }
        case Faults.Fault.Fail fail -> after = Optional.of(fail);
      }
    }
    long result = body.applyAsLong(moved);
    if (after.isEmpty()) {
      return result;
    }
    if (result < 0 && result >= -MAX_ERRNO) {
      note(after.get().errno() + " not after " + call + ", which failed by itself");
      return result;
    }
    note(after.get().errno() + " after " + call);
    takeBack.of(result);
    return after.get().errno().negated();
  }

  private void note(String event) {
    synchronized (injected) {
      injected.add(event);
    }
  }

  private Calls.Call onFile(SystemCall call, int fd) {
    return new Calls.Call(call.name(), "", kinds.of(fd), Optional.empty());
  }

  private static Calls.Call onPath(SystemCall call, String path) {
    return new Calls.Call(call.name(), path, Optional.empty(), Optional.empty());
  }

  private static Calls.Call plain(SystemCall call) {
    return onPath(call, "");
  }

  /** A call that hands out a descriptor of this kind. */
  private int opens(Calls.Call call, FdKind kind, IntSupplier body) {
    int fd = (int) transfer(call, 0, _ -> body.getAsInt(), made -> super.close((int) made));
    if (fd >= 0) {
      kinds.add(fd, kind);
    }
    return fd;
  }

  @Override
  public int open(String path, int flags) {
    return opens(
        onPath(SystemCalls.OPEN, path),
        DescriptorKinds.ofPath(path),
        () -> super.open(path, flags));
  }

  @Override
  public int close(int fd) {
    Calls.Call call = onFile(SystemCalls.CLOSE, fd);
    kinds.remove(fd);
    return (int) call(call, () -> super.close(fd));
  }

  @Override
  public long read(int fd, long address, long bytes) {
    return transfer(
        onFile(SystemCalls.READ, fd), bytes, most -> super.read(fd, address, most), _ -> {});
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return transfer(
        onFile(SystemCalls.WRITE, fd), bytes, most -> super.write(fd, address, most), _ -> {});
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return transfer(
        onFile(SystemCalls.PREAD, fd),
        bytes,
        most -> super.pread(fd, address, most, offset),
        _ -> {});
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return transfer(
        onFile(SystemCalls.PWRITE, fd),
        bytes,
        most -> super.pwrite(fd, address, most, offset),
        _ -> {});
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return call(onFile(SystemCalls.LSEEK, fd), () -> super.lseek(fd, offset, whence));
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    return (int) call(onFile(SystemCalls.FTRUNCATE, fd), () -> super.ftruncate(fd, bytes));
  }

  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    return (int)
        call(onFile(SystemCalls.FALLOCATE, fd), () -> super.fallocate(fd, mode, offset, bytes));
  }

  @Override
  public int addSeals(int fd, int seals) {
    return (int) call(onFile(SystemCalls.FCNTL, fd), () -> super.addSeals(fd, seals));
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    Optional<FdKind> kind = kinds.of(fd);
    Optional<Ioctl> command = kind.flatMap(on -> ioctls.find(on, request));
    Calls.Call call = new Calls.Call(SystemCalls.IOCTL.name(), "", kind, command);
    int result =
        (int)
            transfer(
                call,
                0,
                _ -> super.ioctl(fd, request, argument),
                done ->
                    made(command, argument, (int) done).ifPresent(m -> super.close(m.number())));
    if (result >= 0) {
      made(command, argument, result).ifPresent(made -> kinds.add(made.number(), made.kind()));
    }
    return result;
  }

  private Optional<DescriptorKinds.Made> made(Optional<Ioctl> command, long argument, int result) {
    return command.flatMap(known ->
        DescriptorKinds.made(
            known, known.argument().flatMap(l -> memory.copy(argument, l.byteSize())), result));
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    return transfer(
        onFile(SystemCalls.MMAP, fd),
        0,
        _ -> super.mmap(address, bytes, prot, flags, fd, offset),
        mapped -> super.munmap(mapped, bytes));
  }

  @Override
  public int munmap(long address, long bytes) {
    return (int) call(plain(SystemCalls.MUNMAP), () -> super.munmap(address, bytes));
  }

  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    return (int) call(plain(SystemCalls.POLL), () -> super.poll(pollfds, count, timeoutMillis));
  }

  @Override
  public int eventfd(int initial, int flags) {
    return opens(plain(SystemCalls.EVENTFD), FdKind.EVENTFD, () -> super.eventfd(initial, flags));
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return opens(
        plain(SystemCalls.MEMFD_CREATE), FdKind.MEMFD, () -> super.memfdCreate(name, flags));
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return call(onPath(SystemCalls.READLINK, path), () -> super.readlink(path, address, bytes));
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    return call(onFile(SystemCalls.GETDENTS64, fd), () -> super.getdents(fd, address, bytes));
  }
}
