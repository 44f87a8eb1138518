package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** Advice on errors of the calls for confidential VMs and their devices. */
final class ConfidentialAdvice {
  private ConfidentialAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    return switch (call) {
      case "IOMMU_VIOMMU_ALLOC" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the page table was not made as a nest parent, or for another IOMMU",
                    "make it with NEST_PARENT for the same device");
            case ENOENT ->
                new Advice(
                    "there is no such device or page table in this iommufd",
                    "bind the device to it first");
            default -> null;
          };
      case "IOMMU_VDEVICE_ALLOC" ->
          switch (errno) {
            case EEXIST ->
                new Advice(
                    "the device has a vDEVICE already, or another has the virtual id",
                    "close that one first, or give another virtual id");
            case EINVAL ->
                new Advice(
                    "the device is behind another IOMMU than the vIOMMU; where the vDEVICE binds:"
                        + " no TSM is connected to the device",
                    "make the vIOMMU with the same device; connect the device to a TSM",
                    Remedy.LIST_TSMS);
            case ENOENT ->
                new Advice(
                    "the vIOMMU is destroyed, or the device is being unbound",
                    "look at what was closed before");
            case ENODEV -> withoutVm();
            default -> null;
          };
      case "IOMMU_VDEVICE_TSM_OP", "VFIO_DEVICE_TSM_BIND" -> bind(errno);
      case "IOMMU_VDEVICE_TSM_REQ", "IOMMU_VDEVICE_TSM_GUEST_REQUEST" -> request(errno);
      case "KVM_PRE_FAULT_MEMORY" ->
          switch (errno) {
            case ENOENT -> new Advice("no memory slot is there", "add a slot first");
            case EOPNOTSUPP ->
                new Advice("the VM is not finalized yet", "finish the VM's launch first");
            case EIO ->
                new Advice(
                    "what backs the slot is gone: a dma-buf that is revoked",
                    "delete the slot, export the dma-buf again and make the slot anew");
            default -> null;
          };
      default -> null;
    };
  }

  private static Advice withoutVm() {
    return new Advice(
        "the device was given to no VM when it was bound to the iommufd",
        "add the device's file to the VM's VFIO device (KVM_DEV_VFIO_FILE_ADD) before the bind");
  }

  private static @Nullable Advice bind(Errno errno) {
    return switch (errno) {
      case EINVAL ->
          new Advice(
              "no TSM is connected to the device",
              "connect the device to a TSM, then bind again",
              Remedy.CONNECT_TSM);
      case ENODEV -> withoutVm();
      case ENOENT ->
          new Advice(
              "the vDEVICE is gone with its device, or the device was given to no VM",
              "make the vDEVICE again; add the device's file to the VM before it is bound");
      case EBUSY ->
          new Advice(
              "the interface is bound to another VM, or the host can still reach its memory",
              "delete the slots of its BARs, unmap them from the IOAS and from this process, close"
                  + " their dma-bufs");
      case EEXIST -> new Advice("the interface is bound already", "unbind it first");
      case EIO ->
          new Advice(
              "the device refuses to be locked, or the platform refuses the device: a TDX module"
                  + " takes TEE memory in 64-bit BARs above 4 GiB only, and no PASIDs, ATS or PRS",
              "dmesg has the TSM's reason; reset the device, then bind again");
      case ENOTTY ->
          new Advice("the kernel does not have this proposal", "probe for the UAPI profile first");
      default -> null;
    };
  }

  private static @Nullable Advice request(Errno errno) {
    return switch (errno) {
      case ENXIO, ENOENT ->
          new Advice(
              "the interface is not bound any more: the TSM was disconnected, or the device is"
                  + " closed",
              "bind it again");
      case EIO ->
          new Advice(
              "the device refuses: it is not in the state that the request wants",
              "stop the interface (state UNLOCKED) and lock it again");
      case EBUSY ->
          new Advice(
              "the interface is locked already or in ERROR, or the host can still reach its memory",
              "stop the interface (state UNLOCKED), and take the host's ways to it away");
      case EEXIST ->
          new Advice(
              "something private is mapped at the guest's address", "validate each range once");
      case EINVAL ->
          new Advice(
              "the range is not the interface's TEE memory or not whole pages, or the architecture"
                  + " is another",
              "compare the range with the interface's report");
      case ENODEV -> withoutVm();
      case ENOTTY ->
          new Advice("the kernel does not have this proposal", "probe for the UAPI profile first");
      default -> null;
    };
  }
}
