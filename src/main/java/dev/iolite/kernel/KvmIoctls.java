package dev.iolite.kernel;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clear_dirty_log;
import dev.iolite.uapi.kvm.kvm_clock_data;
import dev.iolite.uapi.kvm.kvm_coalesced_mmio_zone;
import dev.iolite.uapi.kvm.kvm_cpuid;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_create_guest_memfd;
import dev.iolite.uapi.kvm.kvm_debugregs;
import dev.iolite.uapi.kvm.kvm_device_attr;
import dev.iolite.uapi.kvm.kvm_dirty_log;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_enc_region;
import dev.iolite.uapi.kvm.kvm_fpu;
import dev.iolite.uapi.kvm.kvm_guest_debug;
import dev.iolite.uapi.kvm.kvm_hyperv_eventfd;
import dev.iolite.uapi.kvm.kvm_interrupt;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import dev.iolite.uapi.kvm.kvm_irq_level;
import dev.iolite.uapi.kvm.kvm_irq_routing;
import dev.iolite.uapi.kvm.kvm_irq_routing_xen_evtchn;
import dev.iolite.uapi.kvm.kvm_irqchip;
import dev.iolite.uapi.kvm.kvm_irqfd;
import dev.iolite.uapi.kvm.kvm_lapic_state;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_mp_state;
import dev.iolite.uapi.kvm.kvm_msi;
import dev.iolite.uapi.kvm.kvm_msr_filter;
import dev.iolite.uapi.kvm.kvm_msr_list;
import dev.iolite.uapi.kvm.kvm_msrs;
import dev.iolite.uapi.kvm.kvm_nested_state;
import dev.iolite.uapi.kvm.kvm_one_reg;
import dev.iolite.uapi.kvm.kvm_pit_config;
import dev.iolite.uapi.kvm.kvm_pit_state;
import dev.iolite.uapi.kvm.kvm_pit_state2;
import dev.iolite.uapi.kvm.kvm_pmu_event_filter;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_reg_list;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_reinject_control;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_signal_mask;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.kvm.kvm_sregs2;
import dev.iolite.uapi.kvm.kvm_tdx_cmd;
import dev.iolite.uapi.kvm.kvm_tpr_access_ctl;
import dev.iolite.uapi.kvm.kvm_translation;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.kvm.kvm_vapic_addr;
import dev.iolite.uapi.kvm.kvm_vcpu_events;
import dev.iolite.uapi.kvm.kvm_x86_mce;
import dev.iolite.uapi.kvm.kvm_xcrs;
import dev.iolite.uapi.kvm.kvm_xen_hvm_attr;
import dev.iolite.uapi.kvm.kvm_xen_hvm_config;
import dev.iolite.uapi.kvm.kvm_xen_vcpu_attr;
import dev.iolite.uapi.kvm.kvm_xsave;
import java.util.List;

/**
 * The ioctls of KVM on x86-64, by the kind of descriptor that they are made on. Those that exist on
 * several kinds have that kind in their name, such as {@link #KVM_CHECK_EXTENSION_ON_VM}.
 *
 * <p>Read in virt/kvm/kvm_main.c:kvm_dev_ioctl, kvm_vm_ioctl, kvm_vcpu_ioctl, kvm_device_ioctl and
 * arch/x86/kvm/x86.c:kvm_arch_dev_ioctl, kvm_arch_vm_ioctl, kvm_arch_vcpu_ioctl. Those that return
 * a count do so in msr_io, kvm_set_msi and kvm_vm_ioctl_reset_dirty_pages. What
 * KVM_PRE_FAULT_MEMORY and the launches' sub-commands have left to do is in their structs, and the
 * result is 0.
 */
public final class KvmIoctls {
  /** KVM_GET_API_VERSION on /dev/kvm: a plain value or nothing; returns the version. */
  public static final Ioctl KVM_GET_API_VERSION =
      Ioctl.plain(FdKind.KVM, "KVM_GET_API_VERSION", Kvm.KVM_GET_API_VERSION())
          .answering("the version of the API");

  /** KVM_CREATE_VM on /dev/kvm: a plain value or nothing; returns a VM. */
  public static final Ioctl KVM_CREATE_VM =
      Ioctl.plain(FdKind.KVM, "KVM_CREATE_VM", Kvm.KVM_CREATE_VM()).returning(FdKind.KVM_VM);

  /** KVM_GET_MSR_INDEX_LIST on /dev/kvm: struct kvm_msr_list. */
  public static final Ioctl KVM_GET_MSR_INDEX_LIST =
      Ioctl.of(
          FdKind.KVM,
          "KVM_GET_MSR_INDEX_LIST",
          Kvm.KVM_GET_MSR_INDEX_LIST(),
          kvm_msr_list.layout());

  /** KVM_CHECK_EXTENSION on /dev/kvm: a plain value or nothing; returns the capability's value. */
  public static final Ioctl KVM_CHECK_EXTENSION =
      Ioctl.plain(FdKind.KVM, "KVM_CHECK_EXTENSION", Kvm.KVM_CHECK_EXTENSION())
          .answering("the value of the capability");

  /** KVM_GET_VCPU_MMAP_SIZE on /dev/kvm: a plain value or nothing; returns bytes. */
  public static final Ioctl KVM_GET_VCPU_MMAP_SIZE =
      Ioctl.plain(FdKind.KVM, "KVM_GET_VCPU_MMAP_SIZE", Kvm.KVM_GET_VCPU_MMAP_SIZE())
          .answering("bytes of a vCPU's mapping");

  /** KVM_GET_SUPPORTED_CPUID on /dev/kvm: struct kvm_cpuid2. */
  public static final Ioctl KVM_GET_SUPPORTED_CPUID =
      Ioctl.of(
          FdKind.KVM,
          "KVM_GET_SUPPORTED_CPUID",
          Kvm.KVM_GET_SUPPORTED_CPUID(),
          kvm_cpuid2.layout());

  /** KVM_GET_EMULATED_CPUID on /dev/kvm: struct kvm_cpuid2. */
  public static final Ioctl KVM_GET_EMULATED_CPUID =
      Ioctl.of(
          FdKind.KVM, "KVM_GET_EMULATED_CPUID", Kvm.KVM_GET_EMULATED_CPUID(), kvm_cpuid2.layout());

  /** KVM_GET_MSR_FEATURE_INDEX_LIST on /dev/kvm: struct kvm_msr_list. */
  public static final Ioctl KVM_GET_MSR_FEATURE_INDEX_LIST =
      Ioctl.of(
          FdKind.KVM,
          "KVM_GET_MSR_FEATURE_INDEX_LIST",
          Kvm.KVM_GET_MSR_FEATURE_INDEX_LIST(),
          kvm_msr_list.layout());

  /** KVM_GET_MSRS on /dev/kvm: struct kvm_msrs; returns how many it read. */
  public static final Ioctl KVM_GET_MSRS =
      Ioctl.of(FdKind.KVM, "KVM_GET_MSRS", Kvm.KVM_GET_MSRS(), kvm_msrs.layout())
          .answering("MSRs read");

  /** KVM_X86_GET_MCE_CAP_SUPPORTED on /dev/kvm: a 64-bit number. */
  public static final Ioctl KVM_X86_GET_MCE_CAP_SUPPORTED =
      Ioctl.of(
          FdKind.KVM,
          "KVM_X86_GET_MCE_CAP_SUPPORTED",
          Kvm.KVM_X86_GET_MCE_CAP_SUPPORTED(),
          JAVA_LONG);

  /** KVM_GET_SUPPORTED_HV_CPUID on /dev/kvm: struct kvm_cpuid2. */
  public static final Ioctl KVM_GET_SUPPORTED_HV_CPUID =
      Ioctl.of(
          FdKind.KVM,
          "KVM_GET_SUPPORTED_HV_CPUID",
          Kvm.KVM_GET_SUPPORTED_HV_CPUID(),
          kvm_cpuid2.layout());

  /** KVM_GET_DEVICE_ATTR on /dev/kvm: struct kvm_device_attr. */
  public static final Ioctl KVM_GET_DEVICE_ATTR =
      Ioctl.of(
          FdKind.KVM, "KVM_GET_DEVICE_ATTR", Kvm.KVM_GET_DEVICE_ATTR(), kvm_device_attr.layout());

  /** KVM_HAS_DEVICE_ATTR on /dev/kvm: struct kvm_device_attr. */
  public static final Ioctl KVM_HAS_DEVICE_ATTR =
      Ioctl.of(
          FdKind.KVM, "KVM_HAS_DEVICE_ATTR", Kvm.KVM_HAS_DEVICE_ATTR(), kvm_device_attr.layout());

  /** KVM_CREATE_VCPU on a VM: a plain value or nothing; returns a vCPU. */
  public static final Ioctl KVM_CREATE_VCPU =
      Ioctl.plain(FdKind.KVM_VM, "KVM_CREATE_VCPU", Kvm.KVM_CREATE_VCPU())
          .returning(FdKind.KVM_VCPU);

  /** KVM_CHECK_EXTENSION on a VM: a plain value or nothing; returns the capability's value. */
  public static final Ioctl KVM_CHECK_EXTENSION_ON_VM =
      Ioctl.plain(FdKind.KVM_VM, "KVM_CHECK_EXTENSION", Kvm.KVM_CHECK_EXTENSION())
          .answering("the value of the capability");

  /** KVM_ENABLE_CAP on a VM: struct kvm_enable_cap. */
  public static final Ioctl KVM_ENABLE_CAP =
      Ioctl.of(FdKind.KVM_VM, "KVM_ENABLE_CAP", Kvm.KVM_ENABLE_CAP(), kvm_enable_cap.layout());

  /** KVM_SET_USER_MEMORY_REGION on a VM: struct kvm_userspace_memory_region. */
  public static final Ioctl KVM_SET_USER_MEMORY_REGION =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_SET_USER_MEMORY_REGION",
          Kvm.KVM_SET_USER_MEMORY_REGION(),
          kvm_userspace_memory_region.layout());

  /** KVM_SET_USER_MEMORY_REGION2 on a VM: struct kvm_userspace_memory_region2. */
  public static final Ioctl KVM_SET_USER_MEMORY_REGION2 =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_SET_USER_MEMORY_REGION2",
          Kvm.KVM_SET_USER_MEMORY_REGION2(),
          kvm_userspace_memory_region2.layout());

  /** KVM_GET_DIRTY_LOG on a VM: struct kvm_dirty_log. */
  public static final Ioctl KVM_GET_DIRTY_LOG =
      Ioctl.of(FdKind.KVM_VM, "KVM_GET_DIRTY_LOG", Kvm.KVM_GET_DIRTY_LOG(), kvm_dirty_log.layout());

  /** KVM_CLEAR_DIRTY_LOG on a VM: struct kvm_clear_dirty_log. */
  public static final Ioctl KVM_CLEAR_DIRTY_LOG =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_CLEAR_DIRTY_LOG",
          Kvm.KVM_CLEAR_DIRTY_LOG(),
          kvm_clear_dirty_log.layout());

  /** KVM_RESET_DIRTY_RINGS on a VM: a plain value or nothing; returns how many entries it reset. */
  public static final Ioctl KVM_RESET_DIRTY_RINGS =
      Ioctl.plain(FdKind.KVM_VM, "KVM_RESET_DIRTY_RINGS", Kvm.KVM_RESET_DIRTY_RINGS())
          .answering("entries reset");

  /** KVM_SET_MEMORY_ATTRIBUTES on a VM: struct kvm_memory_attributes. */
  public static final Ioctl KVM_SET_MEMORY_ATTRIBUTES =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_SET_MEMORY_ATTRIBUTES",
          Kvm.KVM_SET_MEMORY_ATTRIBUTES(),
          kvm_memory_attributes.layout());

  /** KVM_CREATE_GUEST_MEMFD on a VM: struct kvm_create_guest_memfd; returns a guest_memfd. */
  public static final Ioctl KVM_CREATE_GUEST_MEMFD =
      Ioctl.of(
              FdKind.KVM_VM,
              "KVM_CREATE_GUEST_MEMFD",
              Kvm.KVM_CREATE_GUEST_MEMFD(),
              kvm_create_guest_memfd.layout())
          .returning(FdKind.GUEST_MEMFD);

  /** KVM_CREATE_DEVICE on a VM: struct kvm_create_device. */
  public static final Ioctl KVM_CREATE_DEVICE =
      Ioctl.of(
          FdKind.KVM_VM, "KVM_CREATE_DEVICE", Kvm.KVM_CREATE_DEVICE(), kvm_create_device.layout());

  /** KVM_IRQFD on a VM: struct kvm_irqfd. */
  public static final Ioctl KVM_IRQFD =
      Ioctl.of(FdKind.KVM_VM, "KVM_IRQFD", Kvm.KVM_IRQFD(), kvm_irqfd.layout());

  /** KVM_IOEVENTFD on a VM: struct kvm_ioeventfd. */
  public static final Ioctl KVM_IOEVENTFD =
      Ioctl.of(FdKind.KVM_VM, "KVM_IOEVENTFD", Kvm.KVM_IOEVENTFD(), kvm_ioeventfd.layout());

  /** KVM_SIGNAL_MSI on a VM: struct kvm_msi; returns how many vCPUs took it. */
  public static final Ioctl KVM_SIGNAL_MSI =
      Ioctl.of(FdKind.KVM_VM, "KVM_SIGNAL_MSI", Kvm.KVM_SIGNAL_MSI(), kvm_msi.layout())
          .answering("vCPUs that took it");

  /** KVM_IRQ_LINE on a VM: struct kvm_irq_level. */
  public static final Ioctl KVM_IRQ_LINE =
      Ioctl.of(FdKind.KVM_VM, "KVM_IRQ_LINE", Kvm.KVM_IRQ_LINE(), kvm_irq_level.layout());

  /** KVM_IRQ_LINE_STATUS on a VM: struct kvm_irq_level. */
  public static final Ioctl KVM_IRQ_LINE_STATUS =
      Ioctl.of(
          FdKind.KVM_VM, "KVM_IRQ_LINE_STATUS", Kvm.KVM_IRQ_LINE_STATUS(), kvm_irq_level.layout());

  /** KVM_SET_GSI_ROUTING on a VM: struct kvm_irq_routing. */
  public static final Ioctl KVM_SET_GSI_ROUTING =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_SET_GSI_ROUTING",
          Kvm.KVM_SET_GSI_ROUTING(),
          kvm_irq_routing.layout());

  /** KVM_REGISTER_COALESCED_MMIO on a VM: struct kvm_coalesced_mmio_zone. */
  public static final Ioctl KVM_REGISTER_COALESCED_MMIO =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_REGISTER_COALESCED_MMIO",
          Kvm.KVM_REGISTER_COALESCED_MMIO(),
          kvm_coalesced_mmio_zone.layout());

  /** KVM_UNREGISTER_COALESCED_MMIO on a VM: struct kvm_coalesced_mmio_zone. */
  public static final Ioctl KVM_UNREGISTER_COALESCED_MMIO =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_UNREGISTER_COALESCED_MMIO",
          Kvm.KVM_UNREGISTER_COALESCED_MMIO(),
          kvm_coalesced_mmio_zone.layout());

  /** KVM_SET_TSS_ADDR on a VM: a plain value or nothing. */
  public static final Ioctl KVM_SET_TSS_ADDR =
      Ioctl.plain(FdKind.KVM_VM, "KVM_SET_TSS_ADDR", Kvm.KVM_SET_TSS_ADDR());

  /** KVM_SET_IDENTITY_MAP_ADDR on a VM: a 64-bit number. */
  public static final Ioctl KVM_SET_IDENTITY_MAP_ADDR =
      Ioctl.of(
          FdKind.KVM_VM, "KVM_SET_IDENTITY_MAP_ADDR", Kvm.KVM_SET_IDENTITY_MAP_ADDR(), JAVA_LONG);

  /** KVM_SET_NR_MMU_PAGES on a VM: a plain value or nothing. */
  public static final Ioctl KVM_SET_NR_MMU_PAGES =
      Ioctl.plain(FdKind.KVM_VM, "KVM_SET_NR_MMU_PAGES", Kvm.KVM_SET_NR_MMU_PAGES());

  /** KVM_CREATE_IRQCHIP on a VM: a plain value or nothing. */
  public static final Ioctl KVM_CREATE_IRQCHIP =
      Ioctl.plain(FdKind.KVM_VM, "KVM_CREATE_IRQCHIP", Kvm.KVM_CREATE_IRQCHIP());

  /** KVM_GET_IRQCHIP on a VM: struct kvm_irqchip. */
  public static final Ioctl KVM_GET_IRQCHIP =
      Ioctl.of(FdKind.KVM_VM, "KVM_GET_IRQCHIP", Kvm.KVM_GET_IRQCHIP(), kvm_irqchip.layout());

  /** KVM_SET_IRQCHIP on a VM: struct kvm_irqchip. */
  public static final Ioctl KVM_SET_IRQCHIP =
      Ioctl.of(FdKind.KVM_VM, "KVM_SET_IRQCHIP", Kvm.KVM_SET_IRQCHIP(), kvm_irqchip.layout());

  /** KVM_CREATE_PIT on a VM: a plain value or nothing. */
  public static final Ioctl KVM_CREATE_PIT =
      Ioctl.plain(FdKind.KVM_VM, "KVM_CREATE_PIT", Kvm.KVM_CREATE_PIT());

  /** KVM_CREATE_PIT2 on a VM: struct kvm_pit_config. */
  public static final Ioctl KVM_CREATE_PIT2 =
      Ioctl.of(FdKind.KVM_VM, "KVM_CREATE_PIT2", Kvm.KVM_CREATE_PIT2(), kvm_pit_config.layout());

  /** KVM_GET_PIT on a VM: struct kvm_pit_state. */
  public static final Ioctl KVM_GET_PIT =
      Ioctl.of(FdKind.KVM_VM, "KVM_GET_PIT", Kvm.KVM_GET_PIT(), kvm_pit_state.layout());

  /** KVM_SET_PIT on a VM: struct kvm_pit_state. */
  public static final Ioctl KVM_SET_PIT =
      Ioctl.of(FdKind.KVM_VM, "KVM_SET_PIT", Kvm.KVM_SET_PIT(), kvm_pit_state.layout());

  /** KVM_GET_PIT2 on a VM: struct kvm_pit_state2. */
  public static final Ioctl KVM_GET_PIT2 =
      Ioctl.of(FdKind.KVM_VM, "KVM_GET_PIT2", Kvm.KVM_GET_PIT2(), kvm_pit_state2.layout());

  /** KVM_SET_PIT2 on a VM: struct kvm_pit_state2. */
  public static final Ioctl KVM_SET_PIT2 =
      Ioctl.of(FdKind.KVM_VM, "KVM_SET_PIT2", Kvm.KVM_SET_PIT2(), kvm_pit_state2.layout());

  /** KVM_REINJECT_CONTROL on a VM: struct kvm_reinject_control. */
  public static final Ioctl KVM_REINJECT_CONTROL =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_REINJECT_CONTROL",
          Kvm.KVM_REINJECT_CONTROL(),
          kvm_reinject_control.layout());

  /** KVM_SET_BOOT_CPU_ID on a VM: a plain value or nothing. */
  public static final Ioctl KVM_SET_BOOT_CPU_ID =
      Ioctl.plain(FdKind.KVM_VM, "KVM_SET_BOOT_CPU_ID", Kvm.KVM_SET_BOOT_CPU_ID());

  /** KVM_SET_CLOCK on a VM: struct kvm_clock_data. */
  public static final Ioctl KVM_SET_CLOCK =
      Ioctl.of(FdKind.KVM_VM, "KVM_SET_CLOCK", Kvm.KVM_SET_CLOCK(), kvm_clock_data.layout());

  /** KVM_GET_CLOCK on a VM: struct kvm_clock_data. */
  public static final Ioctl KVM_GET_CLOCK =
      Ioctl.of(FdKind.KVM_VM, "KVM_GET_CLOCK", Kvm.KVM_GET_CLOCK(), kvm_clock_data.layout());

  /** KVM_SET_TSC_KHZ on a VM: a plain value or nothing. */
  public static final Ioctl KVM_SET_TSC_KHZ =
      Ioctl.plain(FdKind.KVM_VM, "KVM_SET_TSC_KHZ", Kvm.KVM_SET_TSC_KHZ());

  /** KVM_GET_TSC_KHZ on a VM: a plain value or nothing; returns kHz. */
  public static final Ioctl KVM_GET_TSC_KHZ =
      Ioctl.plain(FdKind.KVM_VM, "KVM_GET_TSC_KHZ", Kvm.KVM_GET_TSC_KHZ()).answering("kHz");

  /** KVM_XEN_HVM_CONFIG on a VM: struct kvm_xen_hvm_config. */
  public static final Ioctl KVM_XEN_HVM_CONFIG =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_XEN_HVM_CONFIG",
          Kvm.KVM_XEN_HVM_CONFIG(),
          kvm_xen_hvm_config.layout());

  /** KVM_XEN_HVM_GET_ATTR on a VM: struct kvm_xen_hvm_attr. */
  public static final Ioctl KVM_XEN_HVM_GET_ATTR =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_XEN_HVM_GET_ATTR",
          Kvm.KVM_XEN_HVM_GET_ATTR(),
          kvm_xen_hvm_attr.layout());

  /** KVM_XEN_HVM_SET_ATTR on a VM: struct kvm_xen_hvm_attr. */
  public static final Ioctl KVM_XEN_HVM_SET_ATTR =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_XEN_HVM_SET_ATTR",
          Kvm.KVM_XEN_HVM_SET_ATTR(),
          kvm_xen_hvm_attr.layout());

  /** KVM_XEN_HVM_EVTCHN_SEND on a VM: struct kvm_irq_routing_xen_evtchn. */
  public static final Ioctl KVM_XEN_HVM_EVTCHN_SEND =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_XEN_HVM_EVTCHN_SEND",
          Kvm.KVM_XEN_HVM_EVTCHN_SEND(),
          kvm_irq_routing_xen_evtchn.layout());

  /** KVM_HYPERV_EVENTFD on a VM: struct kvm_hyperv_eventfd. */
  public static final Ioctl KVM_HYPERV_EVENTFD =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_HYPERV_EVENTFD",
          Kvm.KVM_HYPERV_EVENTFD(),
          kvm_hyperv_eventfd.layout());

  /** KVM_SET_PMU_EVENT_FILTER on a VM: struct kvm_pmu_event_filter. */
  public static final Ioctl KVM_SET_PMU_EVENT_FILTER =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_SET_PMU_EVENT_FILTER",
          Kvm.KVM_SET_PMU_EVENT_FILTER(),
          kvm_pmu_event_filter.layout());

  /** KVM_X86_SET_MSR_FILTER on a VM: struct kvm_msr_filter. */
  public static final Ioctl KVM_X86_SET_MSR_FILTER =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_X86_SET_MSR_FILTER",
          Kvm.KVM_X86_SET_MSR_FILTER(),
          kvm_msr_filter.layout());

  /**
   * KVM_MEMORY_ENCRYPT_OP on a VM: struct kvm_sev_cmd; SEV's and TDX's have the same size, id and
   * data.
   */
  public static final Ioctl KVM_MEMORY_ENCRYPT_OP =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_MEMORY_ENCRYPT_OP",
          Kvm.KVM_MEMORY_ENCRYPT_OP(),
          kvm_sev_cmd.layout());

  /** KVM_MEMORY_ENCRYPT_REG_REGION on a VM: struct kvm_enc_region. */
  public static final Ioctl KVM_MEMORY_ENCRYPT_REG_REGION =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_MEMORY_ENCRYPT_REG_REGION",
          Kvm.KVM_MEMORY_ENCRYPT_REG_REGION(),
          kvm_enc_region.layout());

  /** KVM_MEMORY_ENCRYPT_UNREG_REGION on a VM: struct kvm_enc_region. */
  public static final Ioctl KVM_MEMORY_ENCRYPT_UNREG_REGION =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_MEMORY_ENCRYPT_UNREG_REGION",
          Kvm.KVM_MEMORY_ENCRYPT_UNREG_REGION(),
          kvm_enc_region.layout());

  /** KVM_GET_STATS_FD on a VM: a plain value or nothing; returns a statistics file. */
  public static final Ioctl KVM_GET_STATS_FD =
      Ioctl.plain(FdKind.KVM_VM, "KVM_GET_STATS_FD", Kvm.KVM_GET_STATS_FD()).returning(FdKind.FILE);

  /** KVM_SET_DEVICE_ATTR on a VM: struct kvm_device_attr. */
  public static final Ioctl KVM_SET_DEVICE_ATTR =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_SET_DEVICE_ATTR",
          Kvm.KVM_SET_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_GET_DEVICE_ATTR on a VM: struct kvm_device_attr. */
  public static final Ioctl KVM_GET_DEVICE_ATTR_ON_VM =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_GET_DEVICE_ATTR",
          Kvm.KVM_GET_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_HAS_DEVICE_ATTR on a VM: struct kvm_device_attr. */
  public static final Ioctl KVM_HAS_DEVICE_ATTR_ON_VM =
      Ioctl.of(
          FdKind.KVM_VM,
          "KVM_HAS_DEVICE_ATTR",
          Kvm.KVM_HAS_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_RUN on a vCPU: nothing; EINTR means that a signal took the vCPU out of the guest. */
  public static final Ioctl KVM_RUN =
      Ioctl.plain(FdKind.KVM_VCPU, "KVM_RUN", Kvm.KVM_RUN()).reportingInterrupts();

  /** KVM_GET_REGS on a vCPU: struct kvm_regs. */
  public static final Ioctl KVM_GET_REGS =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_REGS", Kvm.KVM_GET_REGS(), kvm_regs.layout());

  /** KVM_SET_REGS on a vCPU: struct kvm_regs. */
  public static final Ioctl KVM_SET_REGS =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_REGS", Kvm.KVM_SET_REGS(), kvm_regs.layout());

  /** KVM_GET_SREGS on a vCPU: struct kvm_sregs. */
  public static final Ioctl KVM_GET_SREGS =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_SREGS", Kvm.KVM_GET_SREGS(), kvm_sregs.layout());

  /** KVM_SET_SREGS on a vCPU: struct kvm_sregs. */
  public static final Ioctl KVM_SET_SREGS =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_SREGS", Kvm.KVM_SET_SREGS(), kvm_sregs.layout());

  /** KVM_GET_SREGS2 on a vCPU: struct kvm_sregs2. */
  public static final Ioctl KVM_GET_SREGS2 =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_SREGS2", Kvm.KVM_GET_SREGS2(), kvm_sregs2.layout());

  /** KVM_SET_SREGS2 on a vCPU: struct kvm_sregs2. */
  public static final Ioctl KVM_SET_SREGS2 =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_SREGS2", Kvm.KVM_SET_SREGS2(), kvm_sregs2.layout());

  /** KVM_GET_MP_STATE on a vCPU: struct kvm_mp_state. */
  public static final Ioctl KVM_GET_MP_STATE =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_MP_STATE", Kvm.KVM_GET_MP_STATE(), kvm_mp_state.layout());

  /** KVM_SET_MP_STATE on a vCPU: struct kvm_mp_state. */
  public static final Ioctl KVM_SET_MP_STATE =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_MP_STATE", Kvm.KVM_SET_MP_STATE(), kvm_mp_state.layout());

  /** KVM_TRANSLATE on a vCPU: struct kvm_translation. */
  public static final Ioctl KVM_TRANSLATE =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_TRANSLATE", Kvm.KVM_TRANSLATE(), kvm_translation.layout());

  /** KVM_INTERRUPT on a vCPU: struct kvm_interrupt. */
  public static final Ioctl KVM_INTERRUPT =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_INTERRUPT", Kvm.KVM_INTERRUPT(), kvm_interrupt.layout());

  /** KVM_NMI on a vCPU: a plain value or nothing. */
  public static final Ioctl KVM_NMI = Ioctl.plain(FdKind.KVM_VCPU, "KVM_NMI", Kvm.KVM_NMI());

  /** KVM_SMI on a vCPU: a plain value or nothing. */
  public static final Ioctl KVM_SMI = Ioctl.plain(FdKind.KVM_VCPU, "KVM_SMI", Kvm.KVM_SMI());

  /** KVM_GET_MSRS on a vCPU: struct kvm_msrs; returns how many it read. */
  public static final Ioctl KVM_GET_MSRS_ON_VCPU =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_MSRS", Kvm.KVM_GET_MSRS(), kvm_msrs.layout())
          .answering("MSRs read");

  /** KVM_SET_MSRS on a vCPU: struct kvm_msrs; returns how many it set. */
  public static final Ioctl KVM_SET_MSRS =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_MSRS", Kvm.KVM_SET_MSRS(), kvm_msrs.layout())
          .answering("MSRs set");

  /** KVM_SET_CPUID on a vCPU: struct kvm_cpuid. */
  public static final Ioctl KVM_SET_CPUID =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_CPUID", Kvm.KVM_SET_CPUID(), kvm_cpuid.layout());

  /** KVM_SET_CPUID2 on a vCPU: struct kvm_cpuid2. */
  public static final Ioctl KVM_SET_CPUID2 =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_CPUID2", Kvm.KVM_SET_CPUID2(), kvm_cpuid2.layout());

  /** KVM_GET_CPUID2 on a vCPU: struct kvm_cpuid2. */
  public static final Ioctl KVM_GET_CPUID2 =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_CPUID2", Kvm.KVM_GET_CPUID2(), kvm_cpuid2.layout());

  /** KVM_GET_SUPPORTED_HV_CPUID on a vCPU: struct kvm_cpuid2. */
  public static final Ioctl KVM_GET_SUPPORTED_HV_CPUID_ON_VCPU =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_GET_SUPPORTED_HV_CPUID",
          Kvm.KVM_GET_SUPPORTED_HV_CPUID(),
          kvm_cpuid2.layout());

  /** KVM_SET_SIGNAL_MASK on a vCPU: struct kvm_signal_mask. */
  public static final Ioctl KVM_SET_SIGNAL_MASK =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_SET_SIGNAL_MASK",
          Kvm.KVM_SET_SIGNAL_MASK(),
          kvm_signal_mask.layout());

  /** KVM_GET_FPU on a vCPU: struct kvm_fpu. */
  public static final Ioctl KVM_GET_FPU =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_FPU", Kvm.KVM_GET_FPU(), kvm_fpu.layout());

  /** KVM_SET_FPU on a vCPU: struct kvm_fpu. */
  public static final Ioctl KVM_SET_FPU =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_FPU", Kvm.KVM_SET_FPU(), kvm_fpu.layout());

  /** KVM_GET_LAPIC on a vCPU: struct kvm_lapic_state. */
  public static final Ioctl KVM_GET_LAPIC =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_LAPIC", Kvm.KVM_GET_LAPIC(), kvm_lapic_state.layout());

  /** KVM_SET_LAPIC on a vCPU: struct kvm_lapic_state. */
  public static final Ioctl KVM_SET_LAPIC =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_LAPIC", Kvm.KVM_SET_LAPIC(), kvm_lapic_state.layout());

  /** KVM_TPR_ACCESS_REPORTING on a vCPU: struct kvm_tpr_access_ctl. */
  public static final Ioctl KVM_TPR_ACCESS_REPORTING =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_TPR_ACCESS_REPORTING",
          Kvm.KVM_TPR_ACCESS_REPORTING(),
          kvm_tpr_access_ctl.layout());

  /** KVM_SET_VAPIC_ADDR on a vCPU: struct kvm_vapic_addr. */
  public static final Ioctl KVM_SET_VAPIC_ADDR =
      Ioctl.of(
          FdKind.KVM_VCPU, "KVM_SET_VAPIC_ADDR", Kvm.KVM_SET_VAPIC_ADDR(), kvm_vapic_addr.layout());

  /** KVM_SET_GUEST_DEBUG on a vCPU: struct kvm_guest_debug. */
  public static final Ioctl KVM_SET_GUEST_DEBUG =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_SET_GUEST_DEBUG",
          Kvm.KVM_SET_GUEST_DEBUG(),
          kvm_guest_debug.layout());

  /** KVM_X86_SETUP_MCE on a vCPU: a 64-bit number. */
  public static final Ioctl KVM_X86_SETUP_MCE =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_X86_SETUP_MCE", Kvm.KVM_X86_SETUP_MCE(), JAVA_LONG);

  /** KVM_X86_SET_MCE on a vCPU: struct kvm_x86_mce. */
  public static final Ioctl KVM_X86_SET_MCE =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_X86_SET_MCE", Kvm.KVM_X86_SET_MCE(), kvm_x86_mce.layout());

  /** KVM_GET_VCPU_EVENTS on a vCPU: struct kvm_vcpu_events. */
  public static final Ioctl KVM_GET_VCPU_EVENTS =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_GET_VCPU_EVENTS",
          Kvm.KVM_GET_VCPU_EVENTS(),
          kvm_vcpu_events.layout());

  /** KVM_SET_VCPU_EVENTS on a vCPU: struct kvm_vcpu_events. */
  public static final Ioctl KVM_SET_VCPU_EVENTS =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_SET_VCPU_EVENTS",
          Kvm.KVM_SET_VCPU_EVENTS(),
          kvm_vcpu_events.layout());

  /** KVM_GET_DEBUGREGS on a vCPU: struct kvm_debugregs. */
  public static final Ioctl KVM_GET_DEBUGREGS =
      Ioctl.of(
          FdKind.KVM_VCPU, "KVM_GET_DEBUGREGS", Kvm.KVM_GET_DEBUGREGS(), kvm_debugregs.layout());

  /** KVM_SET_DEBUGREGS on a vCPU: struct kvm_debugregs. */
  public static final Ioctl KVM_SET_DEBUGREGS =
      Ioctl.of(
          FdKind.KVM_VCPU, "KVM_SET_DEBUGREGS", Kvm.KVM_SET_DEBUGREGS(), kvm_debugregs.layout());

  /** KVM_GET_XSAVE on a vCPU: struct kvm_xsave. */
  public static final Ioctl KVM_GET_XSAVE =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_XSAVE", Kvm.KVM_GET_XSAVE(), kvm_xsave.layout());

  /** KVM_GET_XSAVE2 on a vCPU: struct kvm_xsave. */
  public static final Ioctl KVM_GET_XSAVE2 =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_XSAVE2", Kvm.KVM_GET_XSAVE2(), kvm_xsave.layout());

  /** KVM_SET_XSAVE on a vCPU: struct kvm_xsave. */
  public static final Ioctl KVM_SET_XSAVE =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_XSAVE", Kvm.KVM_SET_XSAVE(), kvm_xsave.layout());

  /** KVM_GET_XCRS on a vCPU: struct kvm_xcrs. */
  public static final Ioctl KVM_GET_XCRS =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_XCRS", Kvm.KVM_GET_XCRS(), kvm_xcrs.layout());

  /** KVM_SET_XCRS on a vCPU: struct kvm_xcrs. */
  public static final Ioctl KVM_SET_XCRS =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_XCRS", Kvm.KVM_SET_XCRS(), kvm_xcrs.layout());

  /** KVM_GET_ONE_REG on a vCPU: struct kvm_one_reg. */
  public static final Ioctl KVM_GET_ONE_REG =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_ONE_REG", Kvm.KVM_GET_ONE_REG(), kvm_one_reg.layout());

  /** KVM_SET_ONE_REG on a vCPU: struct kvm_one_reg. */
  public static final Ioctl KVM_SET_ONE_REG =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_SET_ONE_REG", Kvm.KVM_SET_ONE_REG(), kvm_one_reg.layout());

  /** KVM_GET_REG_LIST on a vCPU: struct kvm_reg_list. */
  public static final Ioctl KVM_GET_REG_LIST =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_GET_REG_LIST", Kvm.KVM_GET_REG_LIST(), kvm_reg_list.layout());

  /** KVM_SET_TSC_KHZ on a vCPU: a plain value or nothing. */
  public static final Ioctl KVM_SET_TSC_KHZ_ON_VCPU =
      Ioctl.plain(FdKind.KVM_VCPU, "KVM_SET_TSC_KHZ", Kvm.KVM_SET_TSC_KHZ());

  /** KVM_GET_TSC_KHZ on a vCPU: a plain value or nothing; returns kHz. */
  public static final Ioctl KVM_GET_TSC_KHZ_ON_VCPU =
      Ioctl.plain(FdKind.KVM_VCPU, "KVM_GET_TSC_KHZ", Kvm.KVM_GET_TSC_KHZ()).answering("kHz");

  /** KVM_KVMCLOCK_CTRL on a vCPU: a plain value or nothing. */
  public static final Ioctl KVM_KVMCLOCK_CTRL =
      Ioctl.plain(FdKind.KVM_VCPU, "KVM_KVMCLOCK_CTRL", Kvm.KVM_KVMCLOCK_CTRL());

  /** KVM_ENABLE_CAP on a vCPU: struct kvm_enable_cap. */
  public static final Ioctl KVM_ENABLE_CAP_ON_VCPU =
      Ioctl.of(FdKind.KVM_VCPU, "KVM_ENABLE_CAP", Kvm.KVM_ENABLE_CAP(), kvm_enable_cap.layout());

  /** KVM_GET_NESTED_STATE on a vCPU: struct kvm_nested_state. */
  public static final Ioctl KVM_GET_NESTED_STATE =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_GET_NESTED_STATE",
          Kvm.KVM_GET_NESTED_STATE(),
          kvm_nested_state.layout());

  /** KVM_SET_NESTED_STATE on a vCPU: struct kvm_nested_state. */
  public static final Ioctl KVM_SET_NESTED_STATE =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_SET_NESTED_STATE",
          Kvm.KVM_SET_NESTED_STATE(),
          kvm_nested_state.layout());

  /** KVM_XEN_VCPU_GET_ATTR on a vCPU: struct kvm_xen_vcpu_attr. */
  public static final Ioctl KVM_XEN_VCPU_GET_ATTR =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_XEN_VCPU_GET_ATTR",
          Kvm.KVM_XEN_VCPU_GET_ATTR(),
          kvm_xen_vcpu_attr.layout());

  /** KVM_XEN_VCPU_SET_ATTR on a vCPU: struct kvm_xen_vcpu_attr. */
  public static final Ioctl KVM_XEN_VCPU_SET_ATTR =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_XEN_VCPU_SET_ATTR",
          Kvm.KVM_XEN_VCPU_SET_ATTR(),
          kvm_xen_vcpu_attr.layout());

  /**
   * KVM_MEMORY_ENCRYPT_OP on a vCPU: struct kvm_tdx_cmd; SEV's and TDX's have the same size, id and
   * data.
   */
  public static final Ioctl KVM_MEMORY_ENCRYPT_OP_ON_VCPU =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_MEMORY_ENCRYPT_OP",
          Kvm.KVM_MEMORY_ENCRYPT_OP(),
          kvm_tdx_cmd.layout());

  /** KVM_PRE_FAULT_MEMORY on a vCPU: struct kvm_pre_fault_memory. */
  public static final Ioctl KVM_PRE_FAULT_MEMORY =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_PRE_FAULT_MEMORY",
          Kvm.KVM_PRE_FAULT_MEMORY(),
          kvm_pre_fault_memory.layout());

  /** KVM_GET_STATS_FD on a vCPU: a plain value or nothing; returns a statistics file. */
  public static final Ioctl KVM_GET_STATS_FD_ON_VCPU =
      Ioctl.plain(FdKind.KVM_VCPU, "KVM_GET_STATS_FD", Kvm.KVM_GET_STATS_FD())
          .returning(FdKind.FILE);

  /** KVM_SET_DEVICE_ATTR on a vCPU: struct kvm_device_attr. */
  public static final Ioctl KVM_SET_DEVICE_ATTR_ON_VCPU =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_SET_DEVICE_ATTR",
          Kvm.KVM_SET_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_GET_DEVICE_ATTR on a vCPU: struct kvm_device_attr. */
  public static final Ioctl KVM_GET_DEVICE_ATTR_ON_VCPU =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_GET_DEVICE_ATTR",
          Kvm.KVM_GET_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_HAS_DEVICE_ATTR on a vCPU: struct kvm_device_attr. */
  public static final Ioctl KVM_HAS_DEVICE_ATTR_ON_VCPU =
      Ioctl.of(
          FdKind.KVM_VCPU,
          "KVM_HAS_DEVICE_ATTR",
          Kvm.KVM_HAS_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_SET_DEVICE_ATTR on a device of a VM: struct kvm_device_attr. */
  public static final Ioctl KVM_SET_DEVICE_ATTR_ON_DEVICE =
      Ioctl.of(
          FdKind.KVM_DEVICE,
          "KVM_SET_DEVICE_ATTR",
          Kvm.KVM_SET_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_GET_DEVICE_ATTR on a device of a VM: struct kvm_device_attr. */
  public static final Ioctl KVM_GET_DEVICE_ATTR_ON_DEVICE =
      Ioctl.of(
          FdKind.KVM_DEVICE,
          "KVM_GET_DEVICE_ATTR",
          Kvm.KVM_GET_DEVICE_ATTR(),
          kvm_device_attr.layout());

  /** KVM_HAS_DEVICE_ATTR on a device of a VM: struct kvm_device_attr. */
  public static final Ioctl KVM_HAS_DEVICE_ATTR_ON_DEVICE =
      Ioctl.of(
          FdKind.KVM_DEVICE,
          "KVM_HAS_DEVICE_ATTR",
          Kvm.KVM_HAS_DEVICE_ATTR(),
          kvm_device_attr.layout());

  private static final List<Ioctl> ALL =
      List.of(
          KVM_GET_API_VERSION,
          KVM_CREATE_VM,
          KVM_GET_MSR_INDEX_LIST,
          KVM_CHECK_EXTENSION,
          KVM_GET_VCPU_MMAP_SIZE,
          KVM_GET_SUPPORTED_CPUID,
          KVM_GET_EMULATED_CPUID,
          KVM_GET_MSR_FEATURE_INDEX_LIST,
          KVM_GET_MSRS,
          KVM_X86_GET_MCE_CAP_SUPPORTED,
          KVM_GET_SUPPORTED_HV_CPUID,
          KVM_GET_DEVICE_ATTR,
          KVM_HAS_DEVICE_ATTR,
          KVM_CREATE_VCPU,
          KVM_CHECK_EXTENSION_ON_VM,
          KVM_ENABLE_CAP,
          KVM_SET_USER_MEMORY_REGION,
          KVM_SET_USER_MEMORY_REGION2,
          KVM_GET_DIRTY_LOG,
          KVM_CLEAR_DIRTY_LOG,
          KVM_RESET_DIRTY_RINGS,
          KVM_SET_MEMORY_ATTRIBUTES,
          KVM_CREATE_GUEST_MEMFD,
          KVM_CREATE_DEVICE,
          KVM_IRQFD,
          KVM_IOEVENTFD,
          KVM_SIGNAL_MSI,
          KVM_IRQ_LINE,
          KVM_IRQ_LINE_STATUS,
          KVM_SET_GSI_ROUTING,
          KVM_REGISTER_COALESCED_MMIO,
          KVM_UNREGISTER_COALESCED_MMIO,
          KVM_SET_TSS_ADDR,
          KVM_SET_IDENTITY_MAP_ADDR,
          KVM_SET_NR_MMU_PAGES,
          KVM_CREATE_IRQCHIP,
          KVM_GET_IRQCHIP,
          KVM_SET_IRQCHIP,
          KVM_CREATE_PIT,
          KVM_CREATE_PIT2,
          KVM_GET_PIT,
          KVM_SET_PIT,
          KVM_GET_PIT2,
          KVM_SET_PIT2,
          KVM_REINJECT_CONTROL,
          KVM_SET_BOOT_CPU_ID,
          KVM_SET_CLOCK,
          KVM_GET_CLOCK,
          KVM_SET_TSC_KHZ,
          KVM_GET_TSC_KHZ,
          KVM_XEN_HVM_CONFIG,
          KVM_XEN_HVM_GET_ATTR,
          KVM_XEN_HVM_SET_ATTR,
          KVM_XEN_HVM_EVTCHN_SEND,
          KVM_HYPERV_EVENTFD,
          KVM_SET_PMU_EVENT_FILTER,
          KVM_X86_SET_MSR_FILTER,
          KVM_MEMORY_ENCRYPT_OP,
          KVM_MEMORY_ENCRYPT_REG_REGION,
          KVM_MEMORY_ENCRYPT_UNREG_REGION,
          KVM_GET_STATS_FD,
          KVM_SET_DEVICE_ATTR,
          KVM_GET_DEVICE_ATTR_ON_VM,
          KVM_HAS_DEVICE_ATTR_ON_VM,
          KVM_RUN,
          KVM_GET_REGS,
          KVM_SET_REGS,
          KVM_GET_SREGS,
          KVM_SET_SREGS,
          KVM_GET_SREGS2,
          KVM_SET_SREGS2,
          KVM_GET_MP_STATE,
          KVM_SET_MP_STATE,
          KVM_TRANSLATE,
          KVM_INTERRUPT,
          KVM_NMI,
          KVM_SMI,
          KVM_GET_MSRS_ON_VCPU,
          KVM_SET_MSRS,
          KVM_SET_CPUID,
          KVM_SET_CPUID2,
          KVM_GET_CPUID2,
          KVM_GET_SUPPORTED_HV_CPUID_ON_VCPU,
          KVM_SET_SIGNAL_MASK,
          KVM_GET_FPU,
          KVM_SET_FPU,
          KVM_GET_LAPIC,
          KVM_SET_LAPIC,
          KVM_TPR_ACCESS_REPORTING,
          KVM_SET_VAPIC_ADDR,
          KVM_SET_GUEST_DEBUG,
          KVM_X86_SETUP_MCE,
          KVM_X86_SET_MCE,
          KVM_GET_VCPU_EVENTS,
          KVM_SET_VCPU_EVENTS,
          KVM_GET_DEBUGREGS,
          KVM_SET_DEBUGREGS,
          KVM_GET_XSAVE,
          KVM_GET_XSAVE2,
          KVM_SET_XSAVE,
          KVM_GET_XCRS,
          KVM_SET_XCRS,
          KVM_GET_ONE_REG,
          KVM_SET_ONE_REG,
          KVM_GET_REG_LIST,
          KVM_SET_TSC_KHZ_ON_VCPU,
          KVM_GET_TSC_KHZ_ON_VCPU,
          KVM_KVMCLOCK_CTRL,
          KVM_ENABLE_CAP_ON_VCPU,
          KVM_GET_NESTED_STATE,
          KVM_SET_NESTED_STATE,
          KVM_XEN_VCPU_GET_ATTR,
          KVM_XEN_VCPU_SET_ATTR,
          KVM_MEMORY_ENCRYPT_OP_ON_VCPU,
          KVM_PRE_FAULT_MEMORY,
          KVM_GET_STATS_FD_ON_VCPU,
          KVM_SET_DEVICE_ATTR_ON_VCPU,
          KVM_GET_DEVICE_ATTR_ON_VCPU,
          KVM_HAS_DEVICE_ATTR_ON_VCPU,
          KVM_SET_DEVICE_ATTR_ON_DEVICE,
          KVM_GET_DEVICE_ATTR_ON_DEVICE,
          KVM_HAS_DEVICE_ATTR_ON_DEVICE);

  private KvmIoctls() {}

  /** Every command, first those of {@code /dev/kvm}, then of a VM, a vCPU and a device. */
  public static List<Ioctl> all() {
    return ALL;
  }
}
