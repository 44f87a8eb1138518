package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_DEVICE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_DEVICE_ATTR_ON_DEVICE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_HAS_DEVICE_ATTR_ON_DEVICE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_DEVICE_ATTR_ON_DEVICE;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_device_attr;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** KVM's list of the VFIO files that a VM uses. */
abstract class KvmVfioDeviceContract extends VfioContract {
  private static final int FILE = Kvm.KVM_DEV_VFIO_FILE();
  private static final int ADD = Kvm.KVM_DEV_VFIO_FILE_ADD();
  private static final int DELETE = Kvm.KVM_DEV_VFIO_FILE_DEL();

  private int vm = NO_FD;

  KvmVfioDeviceContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @BeforeEach
  void makeVm() {
    vm = keep(ioctl(open("/dev/kvm"), KVM_CREATE_VM, 0));
  }

  private MemorySegment createOf(int type, int flags) {
    MemorySegment create = struct(kvm_create_device.layout());
    kvm_create_device.type(create, type);
    kvm_create_device.flags(create, flags);
    return create;
  }

  private int list() {
    MemorySegment create = createOf(Kvm.KVM_DEV_TYPE_VFIO(), 0);
    succeeds(ioctl(vm, KVM_CREATE_DEVICE, create));
    return keep(kvm_create_device.fd(create));
  }

  private int attribute(int list, Ioctl command, int group, long attribute, long address) {
    MemorySegment attr = struct(kvm_device_attr.layout());
    kvm_device_attr.group(attr, group);
    kvm_device_attr.attr(attr, attribute);
    kvm_device_attr.addr(attr, address);
    return ioctl(list, command, attr);
  }

  private int set(int list, int attribute, int file) {
    MemorySegment fd = zeros(4);
    fd.set(ValueLayout.JAVA_INT, 0, file);
    return attribute(list, KVM_SET_DEVICE_ATTR_ON_DEVICE, FILE, attribute, fd.address());
  }

  @Test
  void aVmHasOneList() {
    // vfio.c:kvm_vfio_create
    list();
    fails(Errno.EBUSY, ioctl(vm, KVM_CREATE_DEVICE, createOf(Kvm.KVM_DEV_TYPE_VFIO(), 0)));
  }

  @Test
  void theNextListIsMadeWhenTheFirstIsClosed() {
    // kvm_main.c:kvm_device_release
    close(list());
    list();
  }

  @Test
  void aTestMakesNothing() {
    // kvm_main.c:kvm_ioctl_create_device
    int test = Kvm.KVM_CREATE_DEVICE_TEST();
    MemorySegment create = createOf(Kvm.KVM_DEV_TYPE_VFIO(), test);
    kvm_create_device.fd(create, 77);
    succeeds(ioctl(vm, KVM_CREATE_DEVICE, create));
    assertThat(kvm_create_device.fd(create)).isEqualTo(77);
    list();
    succeeds(ioctl(vm, KVM_CREATE_DEVICE, createOf(Kvm.KVM_DEV_TYPE_VFIO(), test)));
  }

  @Test
  void aDeviceOfAnUnknownTypeIsNoDevice() {
    // kvm_main.c:kvm_ioctl_create_device
    fails(Errno.ENODEV, ioctl(vm, KVM_CREATE_DEVICE, createOf(1000, 0)));
    fails(Errno.ENODEV, ioctl(vm, KVM_CREATE_DEVICE, createOf(2, 0)));
    fails(Errno.EFAULT, ioctl(vm, KVM_CREATE_DEVICE, NOWHERE));
  }

  @Test
  void aFileIsAddedAndDeletedOnce() {
    // vfio.c:kvm_vfio_file_add, kvm_vfio_file_del
    int list = list();
    int device = cdev();
    succeeds(set(list, ADD, device));
    fails(Errno.EEXIST, set(list, ADD, device));
    succeeds(set(list, DELETE, device));
    fails(Errno.ENOENT, set(list, DELETE, device));
  }

  @Test
  void aGroupIsAFileOfVfio() {
    // vfio_main.c:vfio_file_is_valid
    int list = list();
    int group = open("/dev/vfio/" + sysfs.linkName(file("iommu_group")).orElseThrow());
    fails(Errno.EINVAL, set(list, ADD, open("/dev/vfio/vfio")));
    succeeds(set(list, ADD, group));
    fails(Errno.EEXIST, set(list, ADD, group));
    succeeds(set(list, DELETE, group));
  }

  @Test
  void twoFilesOfOneDeviceAreTwo() {
    // vfio.c:kvm_vfio_file_add compares files
    int list = list();
    succeeds(set(list, ADD, cdev()));
    succeeds(set(list, ADD, cdev()));
  }

  @Test
  void onlyAFileOfVfioIsAdded() {
    // vfio.c:kvm_vfio_file_add: vfio_file_is_valid
    int list = list();
    fails(Errno.EINVAL, set(list, ADD, eventfd()));
    fails(Errno.EINVAL, set(list, ADD, vm));
    fails(Errno.EBADF, set(list, ADD, NO_FD));
    fails(Errno.EBADF, set(list, DELETE, NO_FD));
  }

  @Test
  void anyOpenFileIsLookedForToBeDeleted() {
    // vfio.c:kvm_vfio_file_del
    fails(Errno.ENOENT, set(list(), DELETE, eventfd()));
  }

  @Test
  void aDescriptorThatCanNotBeReadIsAFault() {
    // vfio.c:kvm_vfio_set_file: get_user
    int list = list();
    fails(Errno.EFAULT, attribute(list, KVM_SET_DEVICE_ATTR_ON_DEVICE, FILE, ADD, NOWHERE));
    fails(Errno.EFAULT, ioctl(list, KVM_SET_DEVICE_ATTR_ON_DEVICE, NOWHERE));
  }

  @Test
  void attributesThatAreNotThereAreNotFound() {
    // vfio.c:kvm_vfio_set_attr, kvm_vfio_has_attr: ENXIO
    int list = list();
    fails(Errno.ENXIO, attribute(list, KVM_SET_DEVICE_ATTR_ON_DEVICE, FILE, 9, NOWHERE));
    fails(Errno.ENXIO, attribute(list, KVM_SET_DEVICE_ATTR_ON_DEVICE, 9, ADD, NOWHERE));
    fails(Errno.ENXIO, attribute(list, KVM_HAS_DEVICE_ATTR_ON_DEVICE, 9, ADD, 0));
    succeeds(attribute(list, KVM_HAS_DEVICE_ATTR_ON_DEVICE, FILE, ADD, 0));
    succeeds(attribute(list, KVM_HAS_DEVICE_ATTR_ON_DEVICE, FILE, DELETE, 0));
  }

  @Test
  void nothingIsReadFromTheList() {
    // kvm_main.c:kvm_device_ioctl_attr: no get_attr
    fails(Errno.EPERM, attribute(list(), KVM_GET_DEVICE_ATTR_ON_DEVICE, FILE, ADD, 0));
  }

  @Test
  void anUnknownCommandIsNoIoctl() {
    // kvm_main.c:kvm_device_ioctl
    fails(Errno.ENOTTY, kernel.ioctl(list(), 0xaeff, 0));
  }

  @Test
  void aBoundDeviceMayBeAddedToo() {
    // vfio.c:kvm_vfio_file_add; the VM is sampled at the bind only
    succeeds(set(list(), ADD, boundDevice()));
  }

  @Test
  void theListKeepsTheFileOpen() {
    // vfio.c:kvm_vfio_file_add: get_file
    int list = list();
    int device = boundDevice();
    succeeds(set(list, ADD, device));
    close(device);
    MemorySegment bind = bindOf(iommufd);
    int second = cdev();
    fails(Errno.EINVAL, ioctl(second, VFIO_DEVICE_BIND_IOMMUFD, bind));
    close(list);
    bind(second);
  }

  @Test
  void theListLivesWithoutItsVmsDescriptor() {
    // kvm_main.c:kvm_ioctl_create_device: kvm_get_kvm
    int list = list();
    close(vm);
    succeeds(set(list, ADD, cdev()));
  }
}
