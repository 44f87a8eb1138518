package dev.iolite.kvm;

import dev.iolite.uapi.catalog.UapiCatalog;
import dev.iolite.uapi.kvm.Kvm;
import java.util.List;

/**
 * A property or feature of KVM, queried with KVM_CHECK_EXTENSION.
 *
 * @param name its name in the headers, without {@code KVM_CAP_}
 * @param number its number
 */
public record Capability(String name, int number) {
  private static final String PREFIX = "KVM_CAP_";

  /** The recommended maximum number of vCPUs in a VM. */
  public static final Capability NR_VCPUS = new Capability("NR_VCPUS", Kvm.KVM_CAP_NR_VCPUS());

  /** The maximum number of vCPUs in a VM. */
  public static final Capability MAX_VCPUS = new Capability("MAX_VCPUS", Kvm.KVM_CAP_MAX_VCPUS());

  /** One more than the largest vCPU id. */
  public static final Capability MAX_VCPU_ID =
      new Capability("MAX_VCPU_ID", Kvm.KVM_CAP_MAX_VCPU_ID());

  /** The maximum number of memory slots in a VM. */
  public static final Capability NR_MEMSLOTS =
      new Capability("NR_MEMSLOTS", Kvm.KVM_CAP_NR_MEMSLOTS());

  /** Which types of VM there are, a bit for each; 0 on a kernel that has only the default one. */
  public static final Capability VM_TYPES = new Capability("VM_TYPES", Kvm.KVM_CAP_VM_TYPES());

  /** KVM_SET_USER_MEMORY_REGION2. */
  public static final Capability USER_MEMORY2 =
      new Capability("USER_MEMORY2", Kvm.KVM_CAP_USER_MEMORY2());

  /** Which bits KVM_SET_MEMORY_ATTRIBUTES accepts; 0 if it accepts none. */
  public static final Capability MEMORY_ATTRIBUTES =
      new Capability("MEMORY_ATTRIBUTES", Kvm.KVM_CAP_MEMORY_ATTRIBUTES());

  /** KVM_CREATE_GUEST_MEMFD. */
  public static final Capability GUEST_MEMFD =
      new Capability("GUEST_MEMFD", Kvm.KVM_CAP_GUEST_MEMFD());

  /** Which flags KVM_CREATE_GUEST_MEMFD accepts. */
  public static final Capability GUEST_MEMFD_FLAGS =
      new Capability("GUEST_MEMFD_FLAGS", Kvm.KVM_CAP_GUEST_MEMFD_FLAGS());

  /** The field {@code immediate_exit} of kvm_run, on which a run's deadline relies. */
  public static final Capability IMMEDIATE_EXIT =
      new Capability("IMMEDIATE_EXIT", Kvm.KVM_CAP_IMMEDIATE_EXIT());

  /** Which hypercalls can be made to leave the guest, a bit for each. */
  public static final Capability EXIT_HYPERCALL =
      new Capability("EXIT_HYPERCALL", Kvm.KVM_CAP_EXIT_HYPERCALL());

  /** The interrupt controllers of the processors in the kernel, all others in the VMM. */
  public static final Capability SPLIT_IRQCHIP =
      new Capability("SPLIT_IRQCHIP", Kvm.KVM_CAP_SPLIT_IRQCHIP());

  /** The timer of a local APIC in the kernel can be set to a time of the TSC. */
  public static final Capability TSC_DEADLINE_TIMER =
      new Capability("TSC_DEADLINE_TIMER", Kvm.KVM_CAP_TSC_DEADLINE_TIMER());

  /** A capability that the bindings do not know, by its number. */
  public static Capability raw(int number) {
    return new Capability("#" + number, number);
  }

  /** Every capability in the headers, of all architectures, in the headers' order. */
  public static List<Capability> all() {
    return UapiCatalog.constants().stream()
        .filter(constant -> constant.name().startsWith(PREFIX))
        .map(constant ->
            new Capability(
                constant.name().substring(PREFIX.length()), Math.toIntExact(constant.value())))
        .toList();
  }
}
