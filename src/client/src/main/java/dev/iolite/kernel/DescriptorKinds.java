package dev.iolite.kernel;

import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.dmabuf.dma_buf_export_sync_file;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * What each open descriptor refers to, learned from the calls that made it.
 *
 * <p>Safe for use by several threads.
 */
public final class DescriptorKinds {
  private static final Pattern GROUP = Pattern.compile("/dev/vfio/(noiommu-)?\\d+");

  private static final int FEATURE_OPERATIONS =
      Vfio.VFIO_DEVICE_FEATURE_GET()
          | Vfio.VFIO_DEVICE_FEATURE_SET()
          | Vfio.VFIO_DEVICE_FEATURE_PROBE();

  private final Map<Integer, FdKind> kinds = new ConcurrentHashMap<>();

  /** Records a descriptor that a call made. */
  public void add(int fd, FdKind kind) {
    kinds.put(fd, kind);
  }

  /** Forgets a descriptor that is about to be closed: its number may be reused at once. */
  public void remove(int fd) {
    kinds.remove(fd);
  }

  /** The kind of a descriptor; empty for one that was made before, or elsewhere. */
  public Optional<FdKind> of(int fd) {
    return Optional.ofNullable(kinds.get(fd));
  }

  /** For example {@code iommufd 7}. */
  public String name(int fd) {
    return of(fd).map(FdKind::toString).orElse("fd") + " " + fd;
  }

  /** The kind of descriptor that a path opens as. */
  public static FdKind ofPath(String path) {
    return switch (path) {
      case "/dev/kvm" -> FdKind.KVM;
      case "/dev/iommu" -> FdKind.IOMMUFD;
      case "/dev/udmabuf" -> FdKind.UDMABUF;
      case "/dev/vfio/vfio" -> FdKind.VFIO_CONTAINER;
      default -> ofVfio(path).orElse(FdKind.FILE);
    };
  }

  private static Optional<FdKind> ofVfio(String path) {
    if (path.startsWith("/dev/vfio/devices/")) {
      return Optional.of(FdKind.VFIO_DEVICE);
    }
    return GROUP.matcher(path).matches() ? Optional.of(FdKind.VFIO_GROUP) : Optional.empty();
  }

  /**
   * A descriptor that an ioctl made, returned as its result or in its struct.
   *
   * @param number the descriptor
   * @param kind what it is
   */
  public record Made(int number, FdKind kind) {}

  /**
   * The descriptor that a successful ioctl made; empty if it made none.
   *
   * @param after the struct after the call; empty if there is none
   */
  public static Optional<Made> made(Ioctl command, Optional<MemorySegment> after, int result) {
    if (command.equals(KvmIoctls.KVM_CREATE_DEVICE)) {
      return after
          .filter(device -> (kvm_create_device.flags(device) & Kvm.KVM_CREATE_DEVICE_TEST()) == 0)
          .map(device -> new Made(kvm_create_device.fd(device), FdKind.KVM_DEVICE));
    }
    if (command.equals(IommufdIoctls.IOMMU_FAULT_QUEUE_ALLOC)) {
      return after.map(
          queue -> new Made(iommu_fault_alloc.out_fault_fd(queue), FdKind.FAULT_QUEUE));
    }
    if (command.equals(IommufdIoctls.IOMMU_VEVENTQ_ALLOC)) {
      return after.map(
          queue -> new Made(iommu_veventq_alloc.out_veventq_fd(queue), FdKind.VEVENTQ));
    }
    if (command.equals(DmaBufIoctls.DMA_BUF_IOCTL_EXPORT_SYNC_FILE)) {
      return after.map(export -> new Made(dma_buf_export_sync_file.fd(export), FdKind.SYNC_FILE));
    }
    if (command.equals(VfioIoctls.VFIO_DEVICE_FEATURE)) {
      return after
          .filter(feature -> isDmaBuf(vfio_device_feature.flags(feature)))
          .map(_ -> new Made(result, FdKind.DMA_BUF));
    }
    return command.returns().map(kind -> new Made(result, kind));
  }

  private static boolean isDmaBuf(int flags) {
    return (flags & FEATURE_OPERATIONS) == Vfio.VFIO_DEVICE_FEATURE_GET()
        && (flags & Vfio.VFIO_DEVICE_FEATURE_MASK()) == Vfio.VFIO_DEVICE_FEATURE_DMA_BUF();
  }
}
