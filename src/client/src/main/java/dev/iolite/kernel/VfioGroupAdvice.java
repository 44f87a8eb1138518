package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** What usually causes an error of a call on a VFIO group, a container, or a migration's stream. */
final class VfioGroupAdvice {
  private VfioGroupAdvice() {}

  static @Nullable Advice ofGroup(String call, Errno errno) {
    return switch (call) {
      case "VFIO_GROUP_GET_STATUS" -> errno == Errno.ENODEV ? gone() : null;
      case "VFIO_GROUP_SET_CONTAINER" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the group is in a container, or what is mapped there does not fit it",
                    "take it out first; map only what VFIO_IOMMU_GET_INFO allows");
            case ENODEV -> gone();
            case EPERM ->
                new Advice(
                    "a device of the group has a host driver; or the group has no IOMMU, for which"
                        + " one needs CAP_SYS_RAWIO and a container of its own",
                    "give all functions of the group to vfio-pci",
                    Remedy.SHOW_FUNCTION);
            case EBUSY ->
                new Advice(
                    "the kernel has given the group a page table already, for another user",
                    "fuser -v /dev/vfio/* shows who has it",
                    Remedy.SHOW_FUNCTION);
            case EBADF, EBADFD ->
                new Advice(
                    "the descriptor is neither a container nor an iommufd",
                    "open /dev/vfio/vfio or /dev/iommu");
            default -> null;
          };
      case "VFIO_GROUP_UNSET_CONTAINER" ->
          switch (errno) {
            case EINVAL -> new Advice("the group is in no container", "there is nothing to do");
            case EBUSY -> new Advice("a device of the group is open", "close its devices first");
            default -> null;
          };
      case "VFIO_GROUP_GET_DEVICE_FD" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the group is in no container, or its container has no IOMMU; or the device"
                        + " accepts no VF token",
                    "put the group into a container and set its IOMMU first");
            case ENODEV ->
                new Advice(
                    "the group has no device of this name at a VFIO driver",
                    "give it the device's address on its bus",
                    Remedy.SHOW_FUNCTION);
            case EACCES ->
                new Advice(
                    "a VF token is needed, or is wrong",
                    "give the token that the user of the physical function has set",
                    Remedy.GIVE_TOKEN);
            case EPERM ->
                new Advice(
                    "another device of the group has a host driver, or a group without an IOMMU"
                        + " needs CAP_SYS_RAWIO",
                    "give all functions of the group to vfio-pci",
                    Remedy.SHOW_FUNCTION);
            default -> null;
          };
      default -> null;
    };
  }

  private static Advice gone() {
    return new Advice(
        "the group's last device has been unplugged or given to another driver",
        "close the group, and open the one that the device has now");
  }

  static @Nullable Advice ofContainer(String call, Errno errno) {
    return switch (call) {
      case "VFIO_SET_IOMMU" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the container has no group, or an IOMMU already",
                    "put a group into it first, and set its IOMMU once");
            case ENODEV ->
                new Advice(
                    "the kernel has no such IOMMU: CONFIG_VFIO_IOMMU_TYPE1 is missing, or its"
                        + " module is not loaded",
                    "modprobe vfio_iommu_type1",
                    Remedy.CHECK_HOST);
            case EPERM, EBUSY ->
                new Advice(
                    "interrupts are not isolated, or a group's IOMMU differs from the others'",
                    "enable interrupt remapping in the firmware; use one container for each group",
                    Remedy.CHECK_HOST);
            default -> null;
          };
      case "VFIO_IOMMU_MAP_DMA" ->
          switch (errno) {
            case EEXIST -> new Advice("something is mapped in this range", "unmap it first");
            case EINVAL ->
                new Advice(
                    "the range is empty, not aligned, or where the IOMMU can not map",
                    "map only what VFIO_IOMMU_GET_INFO allows",
                    Remedy.SHOW_IOVAS);
            case EOVERFLOW ->
                new Advice("the range ends beyond the address space", "choose a lower address");
            case EFAULT, ENOMEM, EPERM -> IommufdAdvice.mapped(errno);
            case ENOSPC ->
                new Advice(
                    "the container has as many mappings as it may have",
                    "map larger ranges; the kernel's parameter vfio_iommu_type1.dma_entry_limit is"
                        + " the limit");
            case ENOENT -> new Advice("nothing is mapped there", "give the mapping as it was made");
            case ENODEV -> noIoas();
            default -> null;
          };
      case "VFIO_IOMMU_UNMAP_DMA" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the range is not aligned, or cuts a mapping",
                    "unmap whole mappings as they were made");
            case EOVERFLOW -> new Advice("the range ends beyond the address space", "unmap less");
            case EBUSY ->
                new Advice(
                    "a mediated device, or something else in the kernel, uses what is mapped there",
                    "close what uses it first");
            case ENODEV -> noIoas();
            case ENOENT ->
                new Advice(
                    "the range cuts a mapping, which stays mapped",
                    "unmap whole mappings as they were made");
            default -> null;
          };
      case "VFIO_IOMMU_GET_INFO" ->
          switch (errno) {
            case EINVAL -> new Advice("the container has no IOMMU", "set one while it has a group");
            case ENODEV -> noIoas();
            default -> null;
          };
      case "VFIO_IOMMU_DIRTY_PAGES" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "the tracking is off, or the range cuts a mapping, or has another page size",
                    "start the tracking, and ask for whole mappings in the smallest page size");
            case EACCES ->
                new Advice(
                    "version 1 of type 1 does not track dirty pages", "set version 2 instead");
            case EOVERFLOW -> new Advice("the range ends beyond the address space", "ask for less");
            default -> null;
          };
      default -> null;
    };
  }

  private static Advice noIoas() {
    return new Advice(
        "the iommufd has no IOAS that stands in for a container",
        "put a group into it, or set one by IOMMU_VFIO_IOAS");
  }

  static @Nullable Advice ofMigration(String call, Errno errno) {
    return switch (errno) {
      case ENODEV ->
          new Advice(
              "the device has left the state that the stream belongs to, or has failed",
              "ask for its state; reset it if that is ERROR");
      case EINVAL ->
          new Advice(
              call.equals("write")
                  ? "the driver does not take these data: they are another device's, or not in"
                      + " order"
                  : "the device is not in PRE_COPY",
              "ask for its state");
      case ENOTTY -> new Advice("the driver has no PRE_COPY", "go to STOP_COPY without it");
      default -> null;
    };
  }
}
