package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.VfioFile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_device_attr;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A VM's VFIO device; virt/kvm/vfio.c, and virt/kvm/kvm_main.c:kvm_device_ioctl. */
final class VfioKvmFile extends OpenFile {
  private final KvmVm vm;
  private final List<OpenFile> files = new ArrayList<>();

  VfioKvmFile(KvmVm vm) {
    super(vm.task());
    this.vm = vm;
    vm.getKvm();
  }

  @Override
  public String name() {
    return "anon_inode:kvm-vfio";
  }

  @Override
  public int ioctl(int request, long argument) {
    refuseIf(vm.isDead(), Errno.EIO);
    if (request == (int) Kvm.KVM_SET_DEVICE_ATTR()) {
      set(task().in(argument, kvm_device_attr.sizeof()));
    } else if (request == (int) Kvm.KVM_HAS_DEVICE_ATTR()) {
      requireKnown(task().in(argument, kvm_device_attr.sizeof()));
    } else {
      // There are no readable attributes.
      refuseIf(request == (int) Kvm.KVM_GET_DEVICE_ATTR(), Errno.EPERM);
      throw refused(Errno.ENOTTY);
    }
    return 0;
  }

  private static boolean isAdd(MemorySegment attr) {
    return kvm_device_attr.attr(attr) == Kvm.KVM_DEV_VFIO_FILE_ADD();
  }

  /** virt/kvm/vfio.c:kvm_vfio_has_attr. */
  private static void requireKnown(MemorySegment attr) {
    refuseIf(
        kvm_device_attr.group(attr) != Kvm.KVM_DEV_VFIO_FILE()
            || (!isAdd(attr) && kvm_device_attr.attr(attr) != Kvm.KVM_DEV_VFIO_FILE_DEL()),
        Errno.ENXIO);
  }

  /** virt/kvm/vfio.c:kvm_vfio_set_attr, kvm_vfio_set_file. */
  private void set(MemorySegment attr) {
    requireKnown(attr);
    int fd = task().in(kvm_device_attr.addr(attr), Integer.BYTES).get(ValueLayout.JAVA_INT, 0);
    OpenFile file = task().descriptors().get(fd);
    if (isAdd(attr)) {
      add(file);
    } else {
      refuseIf(!files.remove(file), Errno.ENOENT);
      free(file);
    }
  }

  /** virt/kvm/vfio.c:kvm_vfio_file_add. */
  private void add(OpenFile file) {
    if (!(file instanceof VfioFile vfio)) {
      throw refused(Errno.EINVAL);
    }
    refuseIf(files.contains(file), Errno.EEXIST);
    file.get();
    files.add(file);
    vfio.setKvm(Optional.of(vm));
  }

  private static void free(OpenFile file) {
    if (file instanceof VfioFile vfio) {
      vfio.setKvm(Optional.empty());
    }
    file.put();
  }

  /** virt/kvm/kvm_main.c:kvm_device_release, virt/kvm/vfio.c:kvm_vfio_release. */
  @Override
  protected void release() {
    files.forEach(VfioKvmFile::free);
    files.clear();
    vm.vfioDeviceReleased();
    vm.putKvm();
  }
}
