package dev.iolite.tdi;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.Calls;
import dev.iolite.uapi.catalog.Ioctl;
import java.util.List;
import java.util.Map;

/** What the kernel says of each call of an assignment when it refuses it. */
final class Errnos {
  private static final List<Errno> ANY = List.of(Errno.EIO, Errno.ENOMEM);

  private static final Map<String, List<Errno>> OF =
      Map.ofEntries(
          Map.entry("VFIO_DEVICE_BIND_IOMMUFD", List.of(Errno.EINVAL, Errno.EBUSY, Errno.EPERM)),
          Map.entry("VFIO_DEVICE_ATTACH_IOMMUFD_PT", List.of(Errno.EINVAL, Errno.EBUSY)),
          Map.entry("VFIO_DEVICE_DETACH_IOMMUFD_PT", List.of(Errno.EINVAL)),
          Map.entry(
              "VFIO_DEVICE_FEATURE",
              List.of(Errno.EINVAL, Errno.ENOTTY, Errno.ENODEV, Errno.EBUSY)),
          Map.entry("VFIO_DEVICE_GET_INFO", List.of(Errno.EINVAL)),
          Map.entry("VFIO_DEVICE_GET_REGION_INFO", List.of(Errno.EINVAL)),
          Map.entry("IOMMU_IOAS_ALLOC", List.of(Errno.ENOMEM)),
          Map.entry("IOMMU_HWPT_ALLOC", List.of(Errno.EOPNOTSUPP, Errno.EINVAL, Errno.ENOENT)),
          Map.entry("IOMMU_VIOMMU_ALLOC", List.of(Errno.EOPNOTSUPP, Errno.EINVAL, Errno.ENOENT)),
          Map.entry("IOMMU_VDEVICE_ALLOC", List.of(Errno.EEXIST, Errno.EINVAL, Errno.ENOENT)),
          Map.entry("IOMMU_DESTROY", List.of(Errno.EBUSY, Errno.ENOENT)),
          Map.entry("IOMMU_IOAS_MAP", List.of(Errno.EEXIST, Errno.EINVAL, Errno.ENOMEM)),
          Map.entry(
              "IOMMU_IOAS_MAP_FILE",
              List.of(Errno.EEXIST, Errno.EINVAL, Errno.ENODEV, Errno.EOPNOTSUPP, Errno.EOVERFLOW)),
          Map.entry("IOMMU_IOAS_UNMAP", List.of(Errno.ENOENT, Errno.EBUSY)),
          Map.entry("IOMMU_IOAS_IOVA_RANGES", List.of(Errno.ENOENT, Errno.EMSGSIZE)),
          Map.entry("KVM_CREATE_VM", List.of(Errno.EINVAL, Errno.ENOMEM)),
          Map.entry("KVM_CREATE_VCPU", List.of(Errno.EINVAL, Errno.EEXIST)),
          Map.entry("KVM_CREATE_DEVICE", List.of(Errno.EBUSY, Errno.ENODEV)),
          Map.entry("KVM_SET_DEVICE_ATTR", List.of(Errno.EINVAL, Errno.EBADF, Errno.ENOENT)),
          Map.entry("KVM_CREATE_GUEST_MEMFD", List.of(Errno.EINVAL, Errno.ENOMEM)),
          Map.entry("KVM_SET_USER_MEMORY_REGION", List.of(Errno.EINVAL, Errno.EEXIST)),
          Map.entry(
              "KVM_SET_USER_MEMORY_REGION2", List.of(Errno.EINVAL, Errno.EEXIST, Errno.EBADF)),
          Map.entry("KVM_SET_MEMORY_ATTRIBUTES", List.of(Errno.EINVAL, Errno.ENOMEM)),
          Map.entry("KVM_MEMORY_ENCRYPT_OP", List.of(Errno.EINVAL, Errno.EIO, Errno.EBUSY)),
          Map.entry("KVM_ENABLE_CAP", List.of(Errno.EINVAL)),
          Map.entry("KVM_RUN", List.of(Errno.EFAULT, Errno.EIO, Errno.EINTR)),
          Map.entry(
              "IOMMU_VDEVICE_TSM_OP",
              List.of(
                  Errno.EINVAL,
                  Errno.ENXIO,
                  Errno.EBUSY,
                  Errno.ENODEV,
                  Errno.ENOENT,
                  Errno.EOPNOTSUPP,
                  Errno.EINTR,
                  Errno.EIO)),
          Map.entry(
              "IOMMU_VDEVICE_TSM_REQ",
              List.of(
                  Errno.EINVAL, Errno.ENXIO, Errno.EINTR, Errno.EIO, Errno.EFAULT, Errno.ENOSPC)),
          Map.entry("VFIO_DEVICE_TSM_BIND", List.of(Errno.EINVAL, Errno.EEXIST, Errno.ENOENT)),
          Map.entry("VFIO_DEVICE_TSM_UNBIND", List.of(Errno.EINVAL)),
          Map.entry("IOMMU_VDEVICE_TSM_GUEST_REQUEST", List.of(Errno.ENOENT, Errno.EIO)),
          Map.entry("VFIO_DMA_BUF_GET_RUNS", List.of(Errno.EINVAL, Errno.ENOTTY)),
          Map.entry("open", List.of(Errno.ENOENT, Errno.EACCES, Errno.EBUSY, Errno.EMFILE)),
          Map.entry("write", List.of(Errno.EINVAL, Errno.EBUSY, Errno.ENXIO, Errno.EINTR)),
          Map.entry("mmap", List.of(Errno.EINVAL, Errno.ENOMEM, Errno.ENODEV)),
          Map.entry("memfd_create", List.of(Errno.EMFILE)),
          Map.entry("ftruncate", List.of(Errno.ENOMEM)));

  private Errnos() {}

  /** Those of a call. */
  static List<Errno> of(Calls.Call call) {
    return OF.getOrDefault(call.command().map(Ioctl::name).orElse(call.name()), ANY);
  }

  /** Those of a call that only looks at sysfs or procfs. */
  static List<Errno> ofLooking(Calls.Call call) {
    return switch (call.name()) {
      case "open" -> List.of(Errno.EACCES, Errno.ENODEV, Errno.EMFILE);
      case "read" -> List.of(Errno.EIO, Errno.ENODEV, Errno.EINTR);
      default -> List.of(Errno.EIO);
    };
  }
}
