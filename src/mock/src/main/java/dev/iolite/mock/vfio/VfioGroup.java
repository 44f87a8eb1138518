package dev.iolite.mock.vfio;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.KvmReference;
import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An IOMMU group in VFIO's older interface (struct vfio_group): its devices are opened through its
 * file, once it is in a container or has an iommufd. While the file is open, its devices can't be
 * bound through their own files, nor the other way round.
 */
final class VfioGroup {
  private static final int MAJOR = 249;

  private final Task task;
  private final IommuDeviceGroup iommuGroup;
  private final int minor;

  /** The devices that can be opened. */
  private final List<VfioPciDevice> devices = new ArrayList<>();

  /** How many devices vfio-pci has, including those that are about to go. */
  private int drivers;

  private int boundDevices;
  private Optional<VfioGroupFile> opened = Optional.empty();
  private Optional<ContainerFile> container = Optional.empty();

  /** The group itself, and each of its open devices. */
  private int containerUsers;

  private Optional<IommufdContext> iommufd = Optional.empty();
  private Optional<KvmReference> kvm = Optional.empty();

  VfioGroup(Task task, IommuDeviceGroup iommuGroup, int minor) {
    this.task = task;
    this.iommuGroup = iommuGroup;
    this.minor = minor;
  }

  /** The name of its node in {@code /dev/vfio}. */
  String name() {
    return Integer.toString(iommuGroup.id());
  }

  /** Its node there. */
  Node node() {
    return new Node.Device(this::open, MAJOR, minor);
  }

  int minor() {
    return minor;
  }

  IommuDeviceGroup iommuGroup() {
    return iommuGroup;
  }

  // -- its devices

  /** vfio_group_find_or_alloc, vfio_device_group_register. */
  void add(VfioPciDevice device) {
    drivers++;
    devices.add(device);
  }

  /** vfio_device_group_unregister: the device can no longer be opened through the group. */
  void hide(VfioPciDevice device) {
    devices.remove(device);
  }

  /**
   * vfio_device_remove_group: with its last device, it leaves its container.
   *
   * @return whether it was the last
   */
  boolean remove() {
    drivers--;
    if (drivers == 0) {
      leaveContainer();
    }
    return drivers == 0;
  }

  /** Whether vfio-pci has a device of it (its iommu_group is set). */
  boolean isAlive() {
    return drivers > 0;
  }

  List<VfioPciDevice> devices() {
    return devices;
  }

  // -- its file

  /** drivers/vfio/group.c:vfio_device_block_group: EBUSY while the group is open. */
  void block() {
    refuseIf(opened.isPresent(), Errno.EBUSY);
    boundDevices++;
  }

  /** vfio_device_unblock_group. */
  void unblock() {
    boundDevices--;
  }

  /**
   * drivers/vfio/group.c:vfio_group_fops_open: EBUSY if it is open, or one of its devices is bound.
   */
  OpenFile open() {
    refuseIf(boundDevices > 0 || opened.isPresent(), Errno.EBUSY);
    VfioGroupFile file = new VfioGroupFile(task, this);
    opened = Optional.of(file);
    return file;
  }

  /** vfio_group_fops_release. */
  void closed() {
    leaveContainer();
    putIommufd();
    opened = Optional.empty();
  }

  // -- its IOMMU

  /** vfio_group_has_iommu: whether it is in a container, or has an iommufd. */
  boolean hasIommu() {
    return container.isPresent() || iommufd.isPresent();
  }

  /** vfio_group_ioctl_set_container, for a container. */
  void enter(ContainerFile file) {
    file.attach(this);
    container = Optional.of(file);
    containerUsers = 1;
  }

  /** vfio_group_ioctl_set_container, for an iommufd. */
  void take(IommufdContext context) {
    context.makeVfioIoas();
    context.get();
    iommufd = Optional.of(context);
  }

  /**
   * vfio_group_ioctl_unset_container.
   *
   * @throws dev.iolite.mock.core.Refused EINVAL: it has no IOMMU; EBUSY: a device is open
   */
  void leave() {
    refuseIf(!hasIommu(), Errno.EINVAL);
    refuseIf(container.isPresent() && containerUsers != 1, Errno.EBUSY);
    leaveContainer();
    putIommufd();
  }

  private void leaveContainer() {
    container.ifPresent(file -> file.detach(this));
    container = Optional.empty();
    containerUsers = 0;
  }

  private void putIommufd() {
    iommufd.ifPresent(IommufdContext::put);
    iommufd = Optional.empty();
  }

  Optional<IommufdContext> iommufd() {
    return iommufd;
  }

  /**
   * vfio_group_use_container: an open device keeps the group's file open.
   *
   * @throws dev.iolite.mock.core.Refused EINVAL: the container has no IOMMU yet
   */
  void use() {
    refuseIf(container.filter(ContainerFile::hasIommu).isEmpty(), Errno.EINVAL);
    opened.orElseThrow().get();
    containerUsers++;
  }

  /** vfio_group_unuse_container. */
  void unuse() {
    containerUsers--;
    opened.orElseThrow().put();
  }

  // -- its VM

  Optional<KvmReference> kvm() {
    return kvm;
  }

  /** vfio_group_set_kvm. */
  void setKvm(Optional<KvmReference> vm) {
    kvm = vm;
  }
}
