package dev.iolite.coverage;

import static dev.iolite.uapi.catalog.Call.Architecture.OTHER;

import dev.iolite.cli.Coverage;
import dev.iolite.cli.Coverage.Ended;
import dev.iolite.cli.Coverage.Row;
import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.catalog.UapiConstant;
import dev.iolite.uapi.catalog.VfioIoctls;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Takes the coverage anew: the rows from the headers, the methods from the client's classes. */
final class Census {
  private static final int SHOWN_METHODS = 3;

  /**
   * A call that the headers divide.
   *
   * @param constants the names of its parts; those of other architectures, masks and ends of an
   *     enum are not among them
   */
  private record Divided(FdKind on, String call, String constants) {}

  private static final List<Divided> DIVIDED =
      List.of(
          new Divided(
              FdKind.VFIO_DEVICE,
              "VFIO_DEVICE_FEATURE",
              "VFIO_DEVICE_FEATURE_(?!(MASK|GET|SET|PROBE|SET_MASTER|CLEAR_MASTER|ZPCI_ERROR)$)\\w+"),
          new Divided(
              FdKind.VFIO_DEVICE, "VFIO_DEVICE_GET_INFO", "VFIO_DEVICE_INFO_CAP_(?!ZPCI)\\w+"),
          new Divided(
              FdKind.VFIO_DEVICE,
              "VFIO_DEVICE_GET_REGION_INFO",
              "VFIO_PCI_\\w+_REGION_INDEX|VFIO_REGION_INFO_CAP_(?!NVLINK2)\\w+"),
          new Divided(FdKind.VFIO_DEVICE, "VFIO_DEVICE_GET_IRQ_INFO", "VFIO_PCI_\\w+_IRQ_INDEX"),
          new Divided(
              FdKind.VFIO_CONTAINER,
              "VFIO_IOMMU_GET_INFO",
              "VFIO_IOMMU_TYPE1_INFO_(CAP_\\w+|DMA_AVAIL)"),
          new Divided(
              FdKind.IOMMUFD,
              "IOMMU_HWPT_ALLOC",
              "IOMMU_HWPT_(ALLOC_\\w+|FAULT_ID_VALID|DATA_(?!ARM)\\w+)"),
          new Divided(
              FdKind.IOMMUFD, "IOMMU_HWPT_INVALIDATE", "IOMMU_HWPT_INVALIDATE_DATA_(?!ARM)\\w+"),
          new Divided(
              FdKind.IOMMUFD,
              "IOMMU_GET_HW_INFO",
              "IOMMU_HW_INFO_TYPE_(?!DEFAULT$)\\w+|IOMMU_HW_CAP_\\w+"),
          new Divided(FdKind.IOMMUFD, "IOMMU_OPTION", "IOMMU_OPTION_(?!OP_)\\w+"),
          new Divided(
              FdKind.KVM_VM,
              "KVM_MEMORY_ENCRYPT_OP",
              "KVM_SEV_(?!PAGE|SNP_PAGE|SNP_ID|SNP_FINISH|NR_MAX)\\w+"
                  + "|KVM_TDX_(?!CMD|MEASURE|INIT_VCPU|INIT_MEM|GET_CPUID)\\w+"),
          new Divided(
              FdKind.KVM_VCPU,
              "KVM_MEMORY_ENCRYPT_OP",
              "KVM_TDX_(INIT_VCPU|INIT_MEM_REGION|GET_CPUID)"),
          new Divided(FdKind.KVM_VM, "KVM_CREATE_DEVICE", "KVM_DEV_TYPE_VFIO"),
          new Divided(
              FdKind.KVM_VM,
              "KVM_ENABLE_CAP",
              "KVM_CAP_(MANUAL_DIRTY_LOG_PROTECT2|HALT_POLL|DIRTY_LOG_RING|DIRTY_LOG_RING_ACQ_REL"
                  + "|DISABLE_QUIRKS2|DISABLE_QUIRKS|SPLIT_IRQCHIP|X2APIC_API|X86_DISABLE_EXITS"
                  + "|MSR_PLATFORM_INFO|EXCEPTION_PAYLOAD|X86_TRIPLE_FAULT_EVENT"
                  + "|X86_USER_SPACE_MSR|X86_BUS_LOCK_EXIT|SGX_ATTRIBUTE"
                  + "|VM_COPY_ENC_CONTEXT_FROM|VM_MOVE_ENC_CONTEXT_FROM|EXIT_HYPERCALL"
                  + "|EXIT_ON_EMULATION_FAILURE|PMU_CAPABILITY|MAX_VCPU_ID|X86_NOTIFY_VMEXIT"
                  + "|VM_DISABLE_NX_HUGE_PAGES|X86_APIC_BUS_CYCLES_NS)"),
          new Divided(
              FdKind.KVM_VCPU,
              "KVM_ENABLE_CAP",
              "KVM_CAP_(HYPERV_SYNIC2|HYPERV_SYNIC|HYPERV_ENLIGHTENED_VMCS"
                  + "|HYPERV_DIRECT_TLBFLUSH|HYPERV_ENFORCE_CPUID|ENFORCE_PV_FEATURE_CPUID)"),
          new Divided(
              FdKind.KVM_VCPU,
              "KVM_RUN",
              "KVM_EXIT_(?!S390|ARM|RISCV|LOONGARCH|HYPERV_|XEN_|IO_|HYPERCALL_LONG"
                  + "|(DCR|OSI|PAPR_HCALL|WATCHDOG|EPR)$)\\w+"));

  private Census() {}

  /**
   * The coverage as it is.
   *
   * @param before what the notes are taken from
   * @param ended how the calls ended on each backend, by {@code DESCRIPTOR CALL}
   */
  static Coverage take(
      Coverage before,
      ClientMethods methods,
      Function<String, Map<Coverage.Backend, Ended>> ended) {
    Map<String, String> notes =
        before.rows().stream().collect(Collectors.toMap(Census::key, Row::note));
    List<UapiConstant> constants = UapiCatalog.constants();
    List<Row> rows = new ArrayList<>();
    for (Named named : calls()) {
      Ioctl call = named.call();
      rows.add(row(call.on(), call.name(), shown(methods.using(named.constant())), notes, ended));
      for (Divided divided : DIVIDED) {
        if (divided.on() == call.on() && divided.call().equals(call.name())) {
          Pattern pattern = Pattern.compile(divided.constants());
          constants.stream()
              .filter(constant -> pattern.matcher(constant.name()).matches())
              .filter(constant -> !call.name().equals(constant.name()))
              .map(constant ->
                  row(
                      call.on(),
                      call.name() + ":" + constant.name(),
                      shown(methods.using(inHeader(constant))),
                      notes,
                      ended))
              .forEach(rows::add);
        }
      }
    }
    return new Coverage(rows);
  }

  static String key(Row row) {
    return row.descriptor() + " " + row.call();
  }

  private static Row row(
      FdKind on,
      String call,
      Optional<String> method,
      Map<String, String> notes,
      Function<String, Map<Coverage.Backend, Ended>> ended) {
    String key = on.name() + " " + call;
    return new Row(on.name(), call, method, ended.apply(key), notes.getOrDefault(key, ""));
  }

  private static Optional<String> shown(List<String> methods) {
    if (methods.isEmpty()) {
      return Optional.empty();
    }
    String text = methods.stream().limit(SHOWN_METHODS).collect(Collectors.joining(","));
    return Optional.of(methods.size() > SHOWN_METHODS ? text + ",..." : text);
  }

  /** An ioctl that Linux has on x86-64, and the constant of the table, as a program names it. */
  private record Named(Ioctl call, String constant) {}

  private static List<Named> calls() {
    List<Named> calls = new ArrayList<>();
    for (Class<?> table :
        List.of(VfioIoctls.class, IommufdIoctls.class, DmaBufIoctls.class, KvmIoctls.class)) {
      for (Field field : table.getDeclaredFields()) {
        if (Modifier.isPublic(field.getModifiers())) {
          calls.add(new Named(ioctl(field), table.getSimpleName() + "." + field.getName()));
        }
      }
    }
    Collection<Ioctl> all = Ioctls.ofHeaders().all();
    calls.removeIf(named -> named.call().architecture() == OTHER || !all.contains(named.call()));
    return calls;
  }

  private static Ioctl ioctl(Field field) {
    try {
      return (Ioctl) field.get(null);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  private static String inHeader(UapiConstant constant) {
    String name = constant.packageName();
    return Character.toUpperCase(name.charAt(0)) + name.substring(1) + "." + constant.name();
  }
}
