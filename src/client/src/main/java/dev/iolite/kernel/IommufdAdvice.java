package dev.iolite.kernel;

import org.jspecify.annotations.Nullable;

/** Advice on errors of iommufd's calls. */
final class IommufdAdvice {
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
            case ENOENT -> new Advice("the IOAS is destroyed", "look at what was closed before");
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
            case ENOENT -> new Advice("the IOAS is destroyed", "look at what was closed before");
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
              "the IOAS is destroyed, or what should be copied is not mapped",
              "look at what was closed before");
      case EPERM ->
          new Advice(
              "memory that was mapped for reading can not be copied for writing",
              "copy it for reading, or map it for writing");
      default -> null;
    };
  }
}
