package dev.iolite.contract;

import dev.iolite.cli.Coverage;
import dev.iolite.kernel.CallerMemory;
import dev.iolite.uapi.catalog.Ioctl;
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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The parts of calls that the coverage has rows for: what a call asks for, and what it answers. */
final class CallParts {
  /** A part of a call, as the coverage names it, and its number. */
  private record Part(String name, long number) {}

  /** By {@code DESCRIPTOR CALL}. */
  private static final Map<String, List<Part>> PARTS = parts();

  private CallParts() {}

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

  /** {@code DESCRIPTOR CALL}. */
  static String key(Ioctl command) {
    return command.on().name() + " " + command.name();
  }

  /** The parts that a call asks for. */
  static Stream<String> asked(Ioctl command, MemorySegment struct) {
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

  /** The parts that a call has answered. */
  static Stream<String> answered(
      Ioctl command, MemorySegment struct, CallerMemory memory, long address) {
    return switch (command.name()) {
      case "VFIO_DEVICE_GET_INFO" ->
          chain(
              command,
              memory,
              address,
              vfio_device_info.argsz(struct),
              vfio_device_info.cap_offset(struct));
      case "VFIO_DEVICE_GET_REGION_INFO" ->
          chain(
              command,
              memory,
              address,
              vfio_region_info.argsz(struct),
              vfio_region_info.cap_offset(struct));
      case "VFIO_IOMMU_GET_INFO" ->
          chain(
              command,
              memory,
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
  private static Stream<String> chain(
      Ioctl command, CallerMemory memory, long address, int bytes, int first) {
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

  /** Why a vCPU left the guest. */
  static Stream<String> exit(MemorySegment run) {
    return part(KvmIoctls.KVM_RUN, "", Integer.toUnsignedLong(kvm_run.exit_reason(run)));
  }
}
