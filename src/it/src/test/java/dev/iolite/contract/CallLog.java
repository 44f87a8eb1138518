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
import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How each call ended that the contract suite made on a backend; for calls with parts, each part.
 *
 * <p>Safe for use by several threads.
 */
final class CallLog {
  private static final Map<Coverage.Backend, CallLog> LOGS = new ConcurrentHashMap<>();

  /** For each call with parts, the names of the parts by their numbers. */
  private static final Map<String, Map<Long, String>> PARTS = parts();

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

  private static Map<String, Map<Long, String>> parts() {
    Map<String, Long> values = new HashMap<>();
    for (UapiConstant constant : UapiCatalog.constants()) {
      values.putIfAbsent(constant.name(), constant.value());
    }
    Map<String, Map<Long, String>> parts = new HashMap<>();
    for (Coverage.Row row : Coverage.read().rows()) {
      int colon = row.call().indexOf(':');
      Long value = values.get(row.call().substring(colon + 1));
      if (colon >= 0 && value != null) {
        parts
            .computeIfAbsent(
                row.descriptor() + " " + row.call().substring(0, colon), _ -> new HashMap<>())
            .put(value, row.call());
      }
    }
    return parts;
  }

  /** The number of the part that a call is about; empty if it has none. */
  private static Optional<Long> part(Ioctl command, MemorySegment struct) {
    return switch (command.name()) {
      case "VFIO_DEVICE_FEATURE" ->
          Optional.of((long) vfio_device_feature.flags(struct) & Vfio.VFIO_DEVICE_FEATURE_MASK());
      case "VFIO_DEVICE_GET_REGION_INFO" -> Optional.of((long) vfio_region_info.index(struct));
      case "VFIO_DEVICE_GET_IRQ_INFO" -> Optional.of((long) vfio_irq_info.index(struct));
      case "IOMMU_OPTION" -> Optional.of((long) iommu_option.option_id(struct));
      case "IOMMU_HWPT_ALLOC" -> Optional.of((long) iommu_hwpt_alloc.data_type(struct));
      case "IOMMU_VIOMMU_ALLOC" -> Optional.of((long) iommu_viommu_alloc.type(struct));
      case "KVM_CREATE_DEVICE" -> Optional.of((long) kvm_create_device.type(struct));
      case "KVM_ENABLE_CAP" -> Optional.of((long) kvm_enable_cap.cap(struct));
      case "KVM_MEMORY_ENCRYPT_OP" -> Optional.of((long) struct.get(ValueLayout.JAVA_INT, 0));
      default -> Optional.empty();
    };
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
      Optional<Long> part = struct(command, argument).flatMap(before -> part(command, before));
      int result = super.ioctl(fd, request, argument);
      String call = command.on().name() + " " + command.name();
      add(call, result);
      part.or(() -> exit(fd, command, result))
          .map(PARTS.getOrDefault(call, Map.of())::get)
          .ifPresent(name ->
              add(
                  command.on().name() + " " + name,
                  command.equals(KvmIoctls.KVM_RUN) ? 0 : result));
      if (result >= 0) {
        DescriptorKinds.made(command, struct(command, argument), result)
            .ifPresent(made -> kinds.add(made.number(), made.kind()));
      }
      return result;
    }

    /** Why a vCPU left the guest: after a memory fault, the run fails with EFAULT. */
    private Optional<Long> exit(int fd, Ioctl command, int result) {
      if (!command.equals(KvmIoctls.KVM_RUN) || (result < 0 && Errno.of(-result) != Errno.EFAULT)) {
        return Optional.empty();
      }
      return Optional.ofNullable(runs.get(fd))
          .flatMap(address -> memory.copy(address, kvm_run.sizeof()))
          .map(run -> Integer.toUnsignedLong(kvm_run.exit_reason(run)));
    }

    private Optional<MemorySegment> struct(Ioctl command, long address) {
      return command
          .argument()
          .map(MemoryLayout::byteSize)
          .flatMap(bytes -> memory.copy(address, bytes));
    }
  }
}
