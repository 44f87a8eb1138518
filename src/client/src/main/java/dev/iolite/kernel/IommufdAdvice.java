package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** Advice on errors of iommufd's calls. */
final class IommufdAdvice {
  private static final String CLOSED_BEFORE = "look at what was closed before";

  private IommufdAdvice() {}

  static @Nullable Advice known(String call, Errno errno) {
    return switch (call) {
      case "IOMMU_IOAS_MAP", "IOMMU_IOAS_COPY" -> mapped(errno);
      case "IOMMU_IOAS_MAP_FILE" ->
          switch (errno) {
            case ENODEV ->
                new Advice(
                    "the dma-buf is revoked: the device's memory decode is off, or it was reset or"
                        + " closed",
                    "switch memory decode on, then map the file again");
            case EOPNOTSUPP ->
                new Advice(
                    "the dma-buf is none of VFIO's, or has more than one range, which this kernel"
                        + " does not take",
                    "export one dma-buf for each range");
            case ENXIO ->
                new Advice(
                    "the dma-buf is shorter than what is to be mapped of it",
                    "map what it has, or export more");
            default -> mapped(errno);
          };
      case "IOMMU_IOAS_UNMAP" ->
          switch (errno) {
            case ENOENT ->
                new Advice(
                    "nothing is mapped there, or the range cuts a mapping", "unmap whole mappings");
            case EBUSY, EDEADLK ->
                new Advice(
                    "the mapping is in use by an access of the kernel",
                    "close what uses it and try again");
            default -> null;
          };
      case "IOMMU_IOAS_ALLOW_IOVAS" ->
          switch (errno) {
            case ENOENT -> new Advice("the IOAS is destroyed", CLOSED_BEFORE);
            case EADDRINUSE ->
                new Advice(
                    "an attached device can not reach one of the ranges",
                    "allow only what the device can reach (IOMMU_IOAS_IOVA_RANGES)",
                    Remedy.SHOW_IOVAS);
            case EINVAL ->
                new Advice(
                    "two of the ranges overlap, or one has a single byte", "give disjoint ranges");
            default -> null;
          };
      case "IOMMU_HWPT_ALLOC" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "there is no such IOAS, or what is mapped in it does not fit the IOMMU",
                    "map only what IOMMU_IOAS_IOVA_RANGES allows",
                    Remedy.SHOW_IOVAS);
            case ENOENT ->
                new Advice(
                    "no such device is bound to this iommufd", "bind the device to it first");
            case ENOMEM -> mapped(errno);
            default -> null;
          };
      case "IOMMU_IOAS_IOVA_RANGES" ->
          switch (errno) {
            case ENOENT -> new Advice("the IOAS is destroyed", CLOSED_BEFORE);
            case EMSGSIZE ->
                new Advice("there are more ranges than the call had room for", "give it more room");
            default -> null;
          };
      case "IOMMU_GET_HW_INFO" ->
          switch (errno) {
            case ENOENT ->
                new Advice(
                    "no such device is bound to this iommufd", "bind the device to it first");
            case EOPNOTSUPP ->
                new Advice(
                    "the device has no IOMMU (no-IOMMU mode)",
                    "enable the IOMMU in the firmware",
                    Remedy.CHECK_HOST);
            default -> null;
          };
      case "IOMMU_OPTION" ->
          switch (errno) {
            case EBUSY ->
                new Advice(
                    "the iommufd has objects already",
                    "set the option before the first IOAS and the first bind");
            case EPERM -> new Advice("the option needs CAP_SYS_RESOURCE", "run as root");
            case EINVAL ->
                new Advice(
                    "huge pages can not be switched off under what is mapped for a device",
                    "set the option before the first mapping");
            default -> null;
          };
      case "IOMMU_DESTROY" ->
          switch (errno) {
            case EBUSY ->
                new Advice(
                    "a device is still attached to the object, or another object was made from it",
                    "detach the device and destroy what was made from the object first");
            case ENOENT ->
                new Advice(
                    "there is no such object in this iommufd", "it may be destroyed already");
            default -> null;
          };
      case "IOMMU_HWPT_SET_DIRTY_TRACKING", "IOMMU_HWPT_GET_DIRTY_BITMAP" ->
          switch (errno) {
            case EOPNOTSUPP ->
                new Advice(
                    "the page table was made without dirty tracking",
                    "make one with it, and attach the device to that");
            case EINVAL ->
                new Advice(
                    "the range is not aligned for the IOMMU", "ask for whole pages of the IOMMU");
            case ENOENT -> new Advice("the page table is destroyed", CLOSED_BEFORE);
            default -> null;
          };
      case "IOMMU_VFIO_IOAS" ->
          switch (errno) {
            case ENOENT -> new Advice("there is no such IOAS in this iommufd", CLOSED_BEFORE);
            default -> null;
          };
      case "IOMMU_IOAS_CHANGE_PROCESS" ->
          switch (errno) {
            case EINVAL ->
                new Advice(
                    "memory is mapped that is no file: it can not change its process",
                    "map memfds by IOMMU_IOAS_MAP_FILE only");
            case EBUSY ->
                new Advice("an address space is being changed", "try again a little later");
            case ENOMEM -> mapped(errno);
            default -> null;
          };
      case "IOMMU_IOAS_NOIOMMU_GET_PA" ->
          switch (errno) {
            case EPERM -> new Advice("physical addresses need CAP_SYS_RAWIO", "run as root");
            case ENOENT -> new Advice("nothing is mapped at this IOVA", "map it first");
            case EOPNOTSUPP ->
                new Advice(
                    "no device without an IOMMU is attached to the IOAS, or the kernel was built"
                        + " without CONFIG_VFIO_NOIOMMU",
                    "use the IOVA: the IOMMU translates it");
            case EINVAL ->
                new Advice("the range is empty, or a dma-buf is revoked", "map it again");
            case EOVERFLOW ->
                new Advice("the IOVA is beyond the address space", "ask for one that is mapped");
            default -> null;
          };
      case "IOMMU_VEVENTQ_ALLOC" ->
          switch (errno) {
            case EEXIST ->
                new Advice("the vIOMMU has a queue of this type already", "use that one");
            case EINVAL ->
                new Advice(
                    "the queue is to hold no events, or too many",
                    "ask for some thousands at most");
            case ENOENT -> new Advice("there is no such vIOMMU in this iommufd", CLOSED_BEFORE);
            case EOPNOTSUPP -> new Advice("type 0 is none", "give one of the driver's types");
            default -> null;
          };
      case "IOMMU_HW_QUEUE_ALLOC" ->
          switch (errno) {
            case ENOENT ->
                new Advice(
                    "the queue's memory is not mapped, or there is no such vIOMMU",
                    "map the guest's memory first");
            case EINVAL, EOVERFLOW, EFAULT ->
                new Advice(
                    "the queue's memory is empty or not contiguous, or the driver does not take its"
                        + " index or size",
                    "back it with a huge page, aligned to its size");
            case EEXIST, EIO ->
                new Advice(
                    "the queues before it are not there yet, or this one is",
                    "make them in the order of their indexes");
            default -> null;
          };
      default -> null;
    };
  }

  /** A read or a write of a queue of faults or events. */
  static @Nullable Advice ofQueue(String call, Errno errno) {
    return switch (errno) {
      case EINVAL ->
          call.equals("write")
              ? new Advice(
                  "no fault waits for this answer: it was answered, or its device was detached",
                  "answer each group once, by its cookie")
              : new Advice(
                  "the first group of faults, or event, does not fit into what is to be read",
                  "read into more memory");
      case ESPIPE ->
          new Advice("the length is no multiple of a struct", "read and write whole structs");
      default -> null;
    };
  }

  static @Nullable Advice mapped(Errno errno) {
    return switch (errno) {
      case EEXIST ->
          new Advice(
              "something is mapped at this IOVA already", "unmap it first, or choose another IOVA");
      case EINVAL ->
          new Advice(
              "the IOVA is in a reserved range or outside what the device can reach, or address,"
                  + " length or IOVA are not aligned to the IOAS alignment, or a mapped file is no"
                  + " memfd",
              "keep to the ranges and the alignment of IOMMU_IOAS_IOVA_RANGES",
              Remedy.SHOW_IOVAS);
      case ENOMEM ->
          new Advice(
              "the pages may not be locked: the memlock limit is reached",
              "raise it: ulimit -l unlimited (or LimitMEMLOCK in the unit), or run with"
                  + " CAP_IPC_LOCK");
      case EFAULT ->
          new Advice(
              "the memory is not mapped, or not writable, in this process",
              "check the address and the protection of the memory");
      case ENOSPC ->
          new Advice(
              "no free range of the IOAS is large enough",
              "unmap something, or demand less",
              Remedy.SHOW_IOVAS);
      case ENOENT ->
          new Advice(
              "the IOAS is destroyed, or what should be copied is not mapped", CLOSED_BEFORE);
      case EPERM ->
          new Advice(
              "memory that was mapped for reading can not be copied for writing",
              "copy it for reading, or map it for writing");
      default -> null;
    };
  }
}
