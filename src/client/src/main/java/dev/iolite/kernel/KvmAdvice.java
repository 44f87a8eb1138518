package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** Advice on errors of KVM's calls. */
final class KvmAdvice {
  private KvmAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    return switch (call) {
      case "KVM_CREATE_VM" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "this host does not have the VM type",
                    "choose one of KVM_CAP_VM_TYPES",
                    Remedy.SHOW_KVM);
            case EBUSY, EIO ->
                new Advice(
                    "another hypervisor holds the processor's virtualisation, the firmware has"
                        + " switched it off, or the host is shutting down",
                    "unload the other (such as vboxdrv); dmesg has what kvm said");
            case ENOSPC ->
                new Advice(
                    "the host has no key or address space identifier left for this type of VM",
                    "stop another confidential VM");
            case EOPNOTSUPP, ENOTTY ->
                new Advice(
                    "this host does not have the VM type",
                    "choose one of KVM_CAP_VM_TYPES",
                    Remedy.SHOW_KVM);
            default -> null;
          };
      case "KVM_SET_USER_MEMORY_REGION", "KVM_SET_USER_MEMORY_REGION2" ->
          switch (errno) {
            case EEXIST ->
                new Advice(
                    "the guest addresses overlap another memory slot",
                    "delete that slot first, or choose another address");
            case EBADF ->
                new Advice(
                    "the slot's memory is no guest_memfd of this VM, or it is closed",
                    "make the guest_memfd on the same VM, and keep it open");
            case EINVAL ->
                new Advice(
                    "an address or size is not page-aligned, the flags do not fit the VM type, or"
                        + " the slot number is out of range",
                    "KVM_CAP_NR_MEMSLOTS is the number of slots",
                    Remedy.SHOW_KVM);
            default -> null;
          };
      case "KVM_CREATE_DEVICE" ->
          switch (errno) {
            case EBUSY, EEXIST -> new Advice("the VM has its VFIO device already", "use that one");
            case ENODEV ->
                new Advice(
                    "this KVM has no such device: it was built without CONFIG_KVM_VFIO, or the vfio"
                        + " module came after it",
                    "modprobe vfio; else a kernel with CONFIG_KVM_VFIO");
            default -> null;
          };
      case "KVM_RUN" ->
          switch (errno) {
            case EFAULT ->
                new Advice(
                    "the guest touched memory that no slot backs in the way it asked (private or"
                        + " shared)",
                    "look at the memory fault exit: address and kind");
            case EIO ->
                new Advice(
                    "the VM is dead, belongs to another process, or its guest touched a dma-buf"
                        + " that is revoked",
                    "make the slots of revoked dma-bufs anew, or close the VM");
            case EINVAL ->
                new Advice("the confidential VM is not finalized", "finish the VM's launch first");
            default -> null;
          };
      case "KVM_CREATE_VCPU" ->
          switch (errno) {
            case EEXIST -> new Advice("the VM has a vCPU of this id", "choose another id");
            case EINVAL ->
                new Advice(
                    "the VM has as many vCPUs as it may, the id is too large, or the VM's launch is"
                        + " not so far",
                    "KVM_CAP_MAX_VCPUS and KVM_CAP_MAX_VCPU_ID are the limits",
                    Remedy.SHOW_KVM);
            default -> dead(errno);
          };
      case "KVM_CREATE_GUEST_MEMFD" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the VM's type has no guest_memfd, or no such flag, or the size is not of whole"
                        + " pages",
                    "compare with KVM_CAP_GUEST_MEMFD and its flags on this VM",
                    Remedy.SHOW_KVM);
            default -> dead(errno);
          };
      case "KVM_SET_MEMORY_ATTRIBUTES" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the VM's type has no private memory, or the range is not of whole pages",
                    "compare with KVM_CAP_MEMORY_ATTRIBUTES on this VM",
                    Remedy.SHOW_KVM);
            case EBUSY ->
                new Advice(
                    "a slot that is private only, or a private interface, is in the range",
                    "delete the slot first");
            default -> dead(errno);
          };
      case "KVM_ENABLE_CAP" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "this VM does not have the capability, or not with this argument",
                    "ask for the capability (KVM_CHECK_EXTENSION) first",
                    Remedy.SHOW_KVM);
            case EEXIST, EPERM ->
                new Advice(
                    "it is too late for the capability: vCPUs or an interrupt controller were made",
                    "enable it right after the VM is made");
            default -> dead(errno);
          };
      case "KVM_GET_REGS", "KVM_SET_REGS", "KVM_GET_SREGS", "KVM_SET_SREGS" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the registers are no valid state, or the VM's type hides them from the host",
                    "set them only in VMs that are not confidential");
            default -> dead(errno);
          };
      case "KVM_PRE_FAULT_MEMORY" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the range is empty or not of whole pages, or this VM can't be filled before it"
                        + " runs",
                    "check the range, and KVM_CAP_PRE_FAULT_MEMORY on this VM",
                    Remedy.SHOW_KVM);
            default -> null;
          };
      default -> {
        Advice ofState = KvmStateAdvice.known(call, errno);
        yield ofState == null && call.startsWith("KVM_") ? dead(errno) : ofState;
      }
    };
  }

  /** Advice for the VFIO device of a VM (virt/kvm/vfio.c:kvm_vfio_set_file). */
  static @Nullable Advice ofDevice(String call, Errno errno) {
    if (!call.equals("KVM_SET_DEVICE_ATTR")) {
      return known(call, errno);
    }
    return switch (errno) {
      case EINVAL, EBADF ->
          new Advice("the descriptor is no VFIO device", "open /dev/vfio/devices/vfioN");
      case EEXIST -> new Advice("the device was added already", "add each device once");
      case ENOENT -> new Advice("the device was not added", "add it before it is taken away");
      case ENXIO ->
          new Advice(
              "this KVM's VFIO device does not have the attribute",
              HostPlatform.OTHER_KERNEL,
              Remedy.OTHER_KERNEL);
      default -> null;
    };
  }

  /** Advice for a vCPU, whose run area is mapped (virt/kvm/kvm_main.c:kvm_vcpu_mmap). */
  static @Nullable Advice ofVcpu(String call, Errno errno) {
    return call.equals("mmap") ? FileAdvice.mapped(errno) : known(call, errno);
  }

  /** virt/kvm/kvm_main.c:kvm_vm_ioctl, kvm_vcpu_ioctl. */
  private static @Nullable Advice dead(Errno errno) {
    return errno == Errno.EIO
        ? new Advice(
            "the VM is dead, after an error of the platform, or another process made it",
            "dmesg has what kvm said; close the VM")
        : null;
  }
}
