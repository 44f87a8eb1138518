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
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_invalidate;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_info_cap_header;
import dev.iolite.uapi.vfio.vfio_iommu_type1_info;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
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

  /** A part of a call, as the coverage names it, and its number. */
  private record Part(String name, long number) {}

  /** By {@code DESCRIPTOR CALL}. */
  private static final Map<String, List<Part>> PARTS = parts();

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

  private static Map<String, List<Part>> parts() {
    Map<String, Long> values = new HashMap<>();
    for (UapiConstant constant : UapiCatalog.constants()) {
      values.putIfAbsent(constant.name(), constant.value());
    }
    Map<String, List<Part>> parts = new HashMap<>();
    for (Coverage.Row row : Coverage.read().rows()) {
      int colon = row.call().indexOf(':');
      Long number = values.get(row.call().substring(colon + 1));
      if (colon >= 0 && number != null) {
        parts
            .computeIfAbsent(
                row.descriptor() + " " + row.call().substring(0, colon), _ -> new ArrayList<>())
            .add(new Part(row.call(), number));
      }
    }
    return parts;
  }

  /** The part of a call that has a number, of those with this in their names. */
  private static Stream<String> part(Ioctl command, String in, long number) {
    return PARTS.getOrDefault(key(command), List.of()).stream()
        .filter(part -> part.name().contains(in) && part.number() == number)
        .map(Part::name);
  }

  /** Those whose bits are set. */
  private static Stream<String> bits(Ioctl command, String in, long bits) {
    return PARTS.getOrDefault(key(command), List.of()).stream()
        .filter(part -> part.name().contains(in) && (part.number() & bits) != 0)
        .map(Part::name);
  }

  private static String key(Ioctl command) {
    return command.on().name() + " " + command.name();
  }

  /** The parts that a call asks for. */
  private static Stream<String> asked(Ioctl command, MemorySegment struct) {
    return switch (command.name()) {
      case "VFIO_DEVICE_FEATURE" ->
          part(
              command,
              "",
              (long) vfio_device_feature.flags(struct) & Vfio.VFIO_DEVICE_FEATURE_MASK());
      case "VFIO_DEVICE_GET_REGION_INFO" -> part(command, "_INDEX", vfio_region_info.index(struct));
      case "VFIO_DEVICE_GET_IRQ_INFO" -> part(command, "_INDEX", vfio_irq_info.index(struct));
      case "IOMMU_OPTION" -> part(command, "", iommu_option.option_id(struct));
      case "IOMMU_HWPT_ALLOC" ->
          Stream.concat(
              part(command, "_DATA_", iommu_hwpt_alloc.data_type(struct)),
              Stream.concat(
                  bits(command, "_HWPT_ALLOC_", iommu_hwpt_alloc.flags(struct)),
                  bits(command, "_FAULT_", iommu_hwpt_alloc.flags(struct))));
      case "IOMMU_HWPT_INVALIDATE" -> part(command, "", iommu_hwpt_invalidate.data_type(struct));
      case "KVM_CREATE_DEVICE" -> part(command, "", kvm_create_device.type(struct));
      case "KVM_ENABLE_CAP" -> part(command, "", kvm_enable_cap.cap(struct));
      case "KVM_MEMORY_ENCRYPT_OP" -> part(command, "", struct.get(ValueLayout.JAVA_INT, 0));
      default -> Stream.empty();
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
      List<String> asked =
          struct(command, argument).stream().flatMap(s -> asked(command, s)).toList();
      int result = super.ioctl(fd, request, argument);
      add(key(command), result);
      asked.forEach(part -> add(command.on().name() + " " + part, result));
      Stream<String> answered =
          result < 0
              ? Stream.empty()
              : struct(command, argument).stream().flatMap(s -> answered(command, s, argument));
      Stream.concat(answered, exit(fd, command, result))
          .forEach(part -> add(command.on().name() + " " + part, 0));
      if (result >= 0) {
        DescriptorKinds.made(command, struct(command, argument), result)
            .ifPresent(made -> kinds.add(made.number(), made.kind()));
      }
      return result;
    }

    /** The parts that a call has answered. */
    private Stream<String> answered(Ioctl command, MemorySegment struct, long address) {
      return switch (command.name()) {
        case "VFIO_DEVICE_GET_INFO" ->
            chain(
                command,
                address,
                vfio_device_info.argsz(struct),
                vfio_device_info.cap_offset(struct));
        case "VFIO_DEVICE_GET_REGION_INFO" ->
            chain(
                command,
                address,
                vfio_region_info.argsz(struct),
                vfio_region_info.cap_offset(struct));
        case "VFIO_IOMMU_GET_INFO" ->
            chain(
                command,
                address,
                vfio_iommu_type1_info.argsz(struct),
                vfio_iommu_type1_info.cap_offset(struct));
        case "IOMMU_GET_HW_INFO" ->
            Stream.concat(
                part(command, "_TYPE_", iommu_hw_info.out_data_type(struct)),
                bits(command, "_HW_CAP_", iommu_hw_info.out_capabilities(struct)));
        default -> Stream.empty();
      };
    }

    /** A chain of capabilities behind a struct, each with its id and where the next one is. */
    private Stream<String> chain(Ioctl command, long address, int bytes, int first) {
      List<String> found = new ArrayList<>();
      for (int at = first; at != 0 && at + vfio_info_cap_header.sizeof() <= bytes; ) {
        Optional<MemorySegment> head = memory.copy(address + at, vfio_info_cap_header.sizeof());
        if (head.isEmpty()) {
          break;
        }
        int id = Short.toUnsignedInt(vfio_info_cap_header.id(head.orElseThrow()));
        part(command, "_INFO_", id).forEach(found::add);
        at = vfio_info_cap_header.next(head.orElseThrow());
      }
      return found.stream();
    }

    /** Why a vCPU left the guest: after a memory fault, the run fails with EFAULT. */
    private Stream<String> exit(int fd, Ioctl command, int result) {
      if (!command.equals(KvmIoctls.KVM_RUN) || (result < 0 && Errno.of(-result) != Errno.EFAULT)) {
        return Stream.empty();
      }
      return Optional.ofNullable(runs.get(fd))
          .flatMap(address -> memory.copy(address, kvm_run.sizeof()))
          .stream()
          .flatMap(run -> part(command, "", Integer.toUnsignedLong(kvm_run.exit_reason(run))));
    }

    private Optional<MemorySegment> struct(Ioctl command, long address) {
      return command
          .argument()
          .map(MemoryLayout::byteSize)
          .flatMap(bytes -> memory.copy(address, bytes));
    }
  }
}
