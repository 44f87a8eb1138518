package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_clear_dirty_log;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_create_guest_memfd;
import dev.iolite.uapi.kvm.kvm_dirty_log;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_ioeventfd;
import dev.iolite.uapi.kvm.kvm_irqfd;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** A VM's descriptor; virt/kvm/kvm_main.c:kvm_vm_ioctl, arch/x86/kvm/x86.c:kvm_arch_vm_ioctl. */
final class VmFile extends OpenFile {
  private static final long V1_FLAGS = Kvm.KVM_MEM_LOG_DIRTY_PAGES() | Kvm.KVM_MEM_READONLY();

  /** arch/x86/kvm/x86.c:kvm_vm_ioctl_set_tss_addr: three pages below 4 GiB. */
  private static final long TSS_LAST = 0xffff_d000L;

  private final KvmVm vm;
  private final VmCalls calls;

  /** Takes over the reference to the VM. */
  VmFile(KvmVm vm) {
    super(vm.task());
    this.vm = vm;
    calls = new VmCalls(vm);
  }

  @Override
  public String name() {
    return "anon_inode:kvm-vm";
  }

  @Override
  public int ioctl(int request, long argument) {
    refuseIf(vm.isDead(), Errno.EIO);
    if (request == (int) Kvm.KVM_SET_USER_MEMORY_REGION()) {
      setRegion(argument);
    } else if (request == (int) Kvm.KVM_SET_USER_MEMORY_REGION2()) {
      vm.slots().set(task().in(argument, kvm_userspace_memory_region2.sizeof()));
    } else if (request == (int) Kvm.KVM_SET_MEMORY_ATTRIBUTES()) {
      vm.attributes().set(task().in(argument, kvm_memory_attributes.sizeof()));
    } else if (request == Kvm.KVM_CHECK_EXTENSION()) {
      return KvmCapabilities.check(vm, argument);
    } else if (request == Kvm.KVM_CREATE_VCPU()) {
      return vm.createVcpu(argument);
    } else if (request == (int) Kvm.KVM_CREATE_GUEST_MEMFD()) {
      MemorySegment made = task().in(argument, kvm_create_guest_memfd.sizeof());
      return vm.host()
          .install(
              GuestMemfdFile.create(
                  vm, kvm_create_guest_memfd.size(made), kvm_create_guest_memfd.flags(made)));
    } else if (request == (int) Kvm.KVM_CREATE_DEVICE()) {
      createDevice(argument);
    } else if (request == (int) Kvm.KVM_ENABLE_CAP()) {
      VmCapabilities.enable(vm, task().in(argument, kvm_enable_cap.sizeof()));
    } else if (request == (int) Kvm.KVM_IOEVENTFD()) {
      vm.ioeventfds().set(task().in(argument, kvm_ioeventfd.sizeof()));
    } else if (request == (int) Kvm.KVM_IRQFD()) {
      vm.irqfds().set(task().in(argument, kvm_irqfd.sizeof()));
    } else if (request == (int) Kvm.KVM_GET_DIRTY_LOG()) {
      DirtyLog.get(vm, task().in(argument, kvm_dirty_log.sizeof()));
    } else if (request == (int) Kvm.KVM_CLEAR_DIRTY_LOG()) {
      DirtyLog.clear(vm, task().in(argument, kvm_clear_dirty_log.sizeof()));
    } else if (request == (int) Kvm.KVM_MEMORY_ENCRYPT_OP()) {
      vm.vendor().command(argument);
    } else if (request == Kvm.KVM_CREATE_IRQCHIP()) {
      VmCapabilities.createIrqchip(vm);
    } else if (request == Kvm.KVM_SET_TSS_ADDR()) {
      refuseIf(Long.compareUnsigned(argument, TSS_LAST) > 0, Errno.EINVAL);
    } else if (request == (int) Kvm.KVM_SET_IDENTITY_MAP_ADDR()) {
      vm.settings().setIdentityMap(argument);
    } else if (request == Kvm.KVM_SET_NR_MMU_PAGES()) {
      VmSettings.limitShadowPages(argument);
    } else if (request == Kvm.KVM_SET_BOOT_CPU_ID()) {
      vm.settings().setBootVcpu(argument);
    } else if (request == Kvm.KVM_SET_TSC_KHZ()) {
      vm.settings().setTscKhz((int) argument);
    } else if (request == Kvm.KVM_GET_TSC_KHZ()) {
      return vm.settings().tscKhz();
    } else if (request == Kvm.KVM_GET_STATS_FD()) {
      return vm.host().install(StatisticsFile.of(vm));
    } else {
      return calls.make(request, argument);
    }
    return 0;
  }

  private void setRegion(long argument) {
    MemorySegment region = task().scratch(kvm_userspace_memory_region2.sizeof());
    task().user().read(argument, region.asSlice(0, kvm_userspace_memory_region.sizeof()));
    refuseIf((kvm_userspace_memory_region2.flags(region) & ~V1_FLAGS) != 0, Errno.EINVAL);
    vm.slots().set(region);
  }

  /** virt/kvm/kvm_main.c:kvm_ioctl_create_device. */
  private void createDevice(long argument) {
    MemorySegment device = task().in(argument, kvm_create_device.sizeof());
    refuseIf(kvm_create_device.type(device) != Kvm.KVM_DEV_TYPE_VFIO(), Errno.ENODEV);
    if ((kvm_create_device.flags(device) & Kvm.KVM_CREATE_DEVICE_TEST()) == 0) {
      kvm_create_device.fd(device, vm.createVfioDevice());
    }
    task().out(argument, device);
  }

  /** Its memory slots. */
  @Override
  protected List<String> held() {
    List<String> held = new ArrayList<>();
    vm.slots()
        .all()
        .forEach(slot ->
            held.add(
                "memory slot %d at GPA 0x%x-0x%x".formatted(slot.id, slot.gpa(), slot.end() - 1)));
    return held;
  }

  /** noop_llseek. */
  @Override
  public long lseek(long offset, int whence) {
    return 0;
  }

  /** virt/kvm/kvm_main.c:kvm_vm_release. */
  @Override
  protected void release() {
    vm.irqfds().release();
    vm.hyperV().release();
    vm.putKvm();
  }
}
