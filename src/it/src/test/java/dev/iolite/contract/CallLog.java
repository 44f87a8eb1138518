package dev.iolite.contract;

import dev.iolite.cli.Coverage;
import dev.iolite.cli.Coverage.Ended;
import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.DescriptorKinds;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * How each call ended that the contract suite made on a backend; for calls with parts, each part.
 *
 * <p>Safe for use by several threads.
 */
final class CallLog {
  private static final Map<Coverage.Backend, CallLog> LOGS = new ConcurrentHashMap<>();

  private final Map<String, Ended> ended = new TreeMap<>();

  static CallLog of(Coverage.Backend backend) {
    return LOGS.computeIfAbsent(backend, _ -> new CallLog());
  }

  /** The same kernel, with its calls in the log. */
  Kernel over(Kernel kernel) {
    return new Logged(kernel);
  }

  /** The calls so far, as {@code DESCRIPTOR CALL}. */
  synchronized Map<String, Ended> ended() {
    return new TreeMap<>(ended);
  }

  private synchronized void add(String call, int result) {
    Ended now = Ended.YES;
    if (result < 0) {
      now = Errno.of(-result) == Errno.ENOTTY ? Ended.NO : Ended.REFUSED;
    }
    ended.merge(call, now, (before, after) -> before.compareTo(after) < 0 ? before : after);
  }

  private final class Logged extends ForwardingKernel {
    private final CallerMemory memory = CallerMemory.own();
    private final DescriptorKinds kinds = new DescriptorKinds();

    /** Where the kvm_run of a vCPU is. */
    private final Map<Integer, Long> runs = new ConcurrentHashMap<>();

    Logged(Kernel inner) {
      super(inner);
    }

    @Override
    public int open(String path, int flags) {
      int fd = super.open(path, flags);
      if (fd >= 0) {
        kinds.add(fd, DescriptorKinds.ofPath(path));
      }
      return fd;
    }

    @Override
    public int close(int fd) {
      kinds.remove(fd);
      return super.close(fd);
    }

    @Override
    public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
      long mapped = super.mmap(address, bytes, prot, flags, fd, offset);
      if (mapped > 0 && offset == 0 && kinds.of(fd).equals(Optional.of(FdKind.KVM_VCPU))) {
        runs.put(fd, mapped);
      }
      return mapped;
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      Optional<Ioctl> known = kinds.of(fd).flatMap(kind -> Ioctls.ofHeaders().find(kind, request));
      if (known.isEmpty()) {
        return super.ioctl(fd, request, argument);
      }
      Ioctl command = known.orElseThrow();
      // The call may put other numbers where the part's is.
      List<String> asked =
          struct(command, argument).stream().flatMap(s -> CallParts.asked(command, s)).toList();
      int result = super.ioctl(fd, request, argument);
      add(CallParts.key(command), result);
      asked.forEach(part -> add(command.on().name() + " " + part, result));
      Stream<String> answered =
          result < 0
              ? Stream.empty()
              : struct(command, argument).stream()
                  .flatMap(s -> CallParts.answered(command, s, memory, argument));
      Stream.concat(answered, exit(fd, command, result))
          .forEach(part -> add(command.on().name() + " " + part, 0));
      if (result >= 0) {
        DescriptorKinds.made(command, struct(command, argument), result)
            .ifPresent(made -> kinds.add(made.number(), made.kind()));
      }
      return result;
    }

    /** Why a vCPU left the guest: after a memory fault, the run fails with EFAULT. */
    private Stream<String> exit(int fd, Ioctl command, int result) {
      if (!command.equals(KvmIoctls.KVM_RUN) || (result < 0 && Errno.of(-result) != Errno.EFAULT)) {
        return Stream.empty();
      }
      return Optional.ofNullable(runs.get(fd))
          .flatMap(address -> memory.copy(address, kvm_run.sizeof()))
          .stream()
          .flatMap(CallParts::exit);
    }

    private Optional<MemorySegment> struct(Ioctl command, long address) {
      return command
          .argument()
          .map(MemoryLayout::byteSize)
          .flatMap(bytes -> memory.copy(address, bytes));
    }
  }
}
