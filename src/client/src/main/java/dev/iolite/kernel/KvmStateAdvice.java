package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** Advice on errors of KVM's calls about the state of vCPUs, tracking, interrupts and settings. */
final class KvmStateAdvice {
  private static final String NO_ACCESS = "set it only in VMs whose state is not protected";

  private KvmStateAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    return switch (call) {
      case "KVM_GET_XSAVE" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the vCPU's XSAVE area is larger than 4 KiB, or the VM hides it from the host",
                  "KVM_GET_XSAVE2 reads as many bytes as KVM_CAP_XSAVE2 says")
              : null;
      case "KVM_SET_XSAVE" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "XSTATE_BV or MXCSR has a bit that this host does not have, or the VM hides its"
                      + " state",
                  "set the area on a host with the same components, and the vCPU's CPUID first")
              : null;
      case "KVM_SET_XCRS" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "XCR0 has a component that is not in the vCPU's CPUID, or lacks one that another"
                      + " needs",
                  "set the CPUID first; bit 0 is always set")
              : null;
      case "KVM_SET_VCPU_EVENTS" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the exception's vector is 2 or above 31, or the events need a capability that is"
                      + " not enabled",
                  "enable KVM_CAP_EXCEPTION_PAYLOAD or KVM_CAP_X86_TRIPLE_FAULT_EVENT on the VM")
              : null;
      case "KVM_GET_DEBUGREGS",
          "KVM_SET_DEBUGREGS",
          "KVM_GET_SREGS2",
          "KVM_GET_XCRS",
          "KVM_GET_XSAVE2",
          "KVM_GET_FPU",
          "KVM_SET_FPU" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the value is no valid state, or the VM hides it from the host", NO_ACCESS)
              : null;
      case "KVM_SET_GUEST_DEBUG" ->
          switch (errno) {
            case EBUSY ->
                new Advice(
                    "an exception is on its way to the guest", "run the vCPU before the next one");
            case EINVAL -> new Advice("the VM hides its state from the host", NO_ACCESS);
            default -> null;
          };
      case "KVM_INTERRUPT" ->
          switch (errno) {
            case EINVAL -> new Advice("the vector is above 255", "choose one of 0 to 255");
            case ENXIO ->
                new Advice(
                    "KVM itself has the VM's interrupt controllers",
                    "raise a line, or send an MSI");
            case EEXIST ->
                new Advice(
                    "the vCPU has not taken the interrupt before", "run the vCPU until it has");
            default -> null;
          };
      case "KVM_SMI" ->
          errno == Errno.ENOTTY
              ? new Advice(
                  "this KVM has no system management mode for the VM",
                  "ask for KVM_CAP_X86_SMM first",
                  Remedy.SHOW_KVM)
              : null;
      case "KVM_X86_SETUP_MCE", "KVM_X86_SET_MCE" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "there is no such bank, a feature is not supported, or the status is not valid",
                  "KVM_CAP_MCE is the number of banks; bit 63 of the status must be set")
              : null;
      case "KVM_GET_LAPIC", "KVM_SET_LAPIC", "KVM_SET_VAPIC_ADDR" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "KVM does not have the local APIC, the VM hides it, or no slot is at the address",
                  "make the interrupt controller before the vCPU")
              : null;
      case "KVM_KVMCLOCK_CTRL" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the guest does not use the paravirtual clock", "there is nobody to be told")
              : null;
      case "KVM_SET_TSC_KHZ" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the rate is not possible on this processor, or the VM has vCPUs already",
                  "ask for KVM_CAP_TSC_CONTROL, and set the VM's rate before its vCPUs")
              : null;
      case "KVM_GET_ONE_REG", "KVM_SET_ONE_REG" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the vCPU has no such register, or it can't have the value",
                  "set the CPUID first; KVM_CAP_ONE_REG says whether this KVM has the call")
              : null;
      case "KVM_GET_NESTED_STATE", "KVM_SET_NESTED_STATE" ->
          switch (errno) {
            case E2BIG ->
                new Advice("the state is larger", "KVM_CAP_NESTED_STATE is the largest size");
            case EINVAL ->
                new Advice(
                    "KVM has no nested virtualization, or the state does not fit the vCPU",
                    "set CPUID, MSRs and registers first, on the same make of processor");
            default -> null;
          };
      default -> ofVm(call, errno);
    };
  }

  private static @Nullable Advice ofVm(String call, Errno errno) {
    return switch (call) {
      case "KVM_GET_DIRTY_LOG", "KVM_CLEAR_DIRTY_LOG" ->
          switch (errno) {
            case ENOENT ->
                new Advice(
                    "the slot does not exist, or does not log",
                    "set KVM_MEM_LOG_DIRTY_PAGES on it");
            case ENXIO ->
                new Advice("the VM has rings of dirty pages", "harvest the rings of its vCPUs");
            case EINVAL ->
                new Advice(
                    "the slot's number is impossible, or the pages are not 64 at a time",
                    "begin at a multiple of 64, and end at one or at the slot's end");
            default -> null;
          };
      case "KVM_RESET_DIRTY_RINGS" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the VM has no rings", "enable KVM_CAP_DIRTY_LOG_RING before the first vCPU")
              : null;
      case "KVM_REGISTER_COALESCED_MMIO", "KVM_UNREGISTER_COALESCED_MMIO" ->
          switch (errno) {
            case EINVAL ->
                new Advice("the range is of neither memory nor ports", "set pio to 0 or 1");
            case ENOSPC ->
                new Advice("the VM has 1000 ranges and eventfds", "remove one of them first");
            default -> null;
          };
      case "KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP" ->
          switch (errno) {
            case ENXIO -> noInterruptControllers();
            case EINVAL ->
                new Advice("there is no such chip", "0 and 1 are 8259s, 2 is the I/O APIC");
            default -> null;
          };
      case "KVM_CREATE_IRQCHIP" ->
          switch (errno) {
            case EEXIST -> new Advice("the VM has interrupt controllers", "use them");
            case EINVAL -> new Advice("the VM has vCPUs already", "make it before the first vCPU");
            case ENOTTY ->
                new Advice(
                    "this type of VM can't have an I/O APIC in KVM",
                    "enable KVM_CAP_SPLIT_IRQCHIP instead");
            default -> null;
          };
      case "KVM_CREATE_PIT", "KVM_CREATE_PIT2" ->
          switch (errno) {
            case EEXIST -> new Advice("the VM has a timer already", "use that one");
            case ENOENT -> noInterruptControllers();
            default -> null;
          };
      case "KVM_GET_PIT", "KVM_SET_PIT", "KVM_GET_PIT2", "KVM_SET_PIT2", "KVM_REINJECT_CONTROL" ->
          errno == Errno.ENXIO
              ? new Advice("the VM has no timer", "make one with KVM_CREATE_PIT2")
              : null;
      case "KVM_IRQ_LINE", "KVM_IRQ_LINE_STATUS" ->
          errno == Errno.ENXIO ? noInterruptControllers() : null;
      case "KVM_SET_GSI_ROUTING" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the VM has no interrupt controllers, or a route leads nowhere or is there twice",
                  "make the interrupt controllers first; a split one takes messages only")
              : null;
      case "KVM_SIGNAL_MSI" ->
          switch (errno) {
            case EINVAL -> noInterruptControllers();
            case EPERM -> new Advice("no vCPU has that address", "look at the message's address");
            default -> null;
          };
      case "KVM_X86_SET_MSR_FILTER" ->
          errno == Errno.EINVAL
              ? new Advice(
                  "the filter denies everything, or a range is about no access or too long",
                  "give it ranges of up to 12288 registers, for reading or writing")
              : null;
      case "KVM_SET_PMU_EVENT_FILTER" ->
          switch (errno) {
            case E2BIG -> new Advice("the filter has more than 300 events", "mask some of them");
            case EINVAL ->
                new Advice(
                    "a masked event has bits that this processor does not have",
                    "KVM_CAP_PMU_EVENT_MASKED_EVENTS says whether KVM knows masks");
            default -> null;
          };
      case "KVM_HYPERV_EVENTFD" ->
          switch (errno) {
            case EEXIST -> new Advice("the connection has an eventfd", "take that away first");
            case ENOENT ->
                new Advice("the connection has no eventfd", "there is none to take away");
            case EINVAL ->
                new Advice(
                    "the connection's id has more than 24 bits, or the descriptor is no eventfd",
                    "check both");
            case ENOTTY -> notBuiltIn("CONFIG_KVM_HYPERV");
            default -> null;
          };
      case "KVM_XEN_HVM_CONFIG",
          "KVM_XEN_HVM_GET_ATTR",
          "KVM_XEN_HVM_SET_ATTR",
          "KVM_XEN_HVM_EVTCHN_SEND" ->
          errno == Errno.ENOTTY ? notBuiltIn("CONFIG_KVM_XEN") : null;
      case "KVM_MEMORY_ENCRYPT_REG_REGION", "KVM_MEMORY_ENCRYPT_UNREG_REGION" ->
          switch (errno) {
            case ENOTTY ->
                new Advice("the VM's memory is not encrypted by SEV", "leave its memory alone");
            case EINVAL ->
                new Advice("there is no such memory, or it was not registered", "check the range");
            default -> null;
          };
      default -> null;
    };
  }

  private static Advice noInterruptControllers() {
    return new Advice(
        "KVM does not have the VM's interrupt controllers",
        "make them with KVM_CREATE_IRQCHIP, before the first vCPU");
  }

  private static Advice notBuiltIn(String option) {
    return new Advice(
        "the kernel was built without " + option, HostPlatform.OTHER_KERNEL, Remedy.OTHER_KERNEL);
  }
}
