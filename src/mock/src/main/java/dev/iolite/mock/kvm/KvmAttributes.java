package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_device_attr;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The attributes of {@code /dev/kvm} and of vCPUs. */
final class KvmAttributes {
  private KvmAttributes() {}

  /** arch/x86/kvm/x86.c:kvm_x86_dev_get_attr, kvm_x86_dev_has_attr. */
  static void ofKvm(Task task, boolean isGet, long argument) {
    MemorySegment attribute = task.in(argument, kvm_device_attr.sizeof());
    refuseIf(
        kvm_device_attr.group(attribute) != Kvm.KVM_X86_GRP_SYSTEM()
            || kvm_device_attr.attr(attribute) != Kvm.KVM_X86_XCOMP_GUEST_SUPP(),
        Errno.ENXIO);
    if (isGet) {
      put(task, attribute, FpuArea.COMPONENTS);
    }
  }

  /** arch/x86/kvm/x86.c:kvm_vcpu_ioctl_device_attr. */
  static void ofVcpu(KvmVcpu vcpu, int request, long argument) {
    Task task = vcpu.vm().task();
    MemorySegment attribute = task.in(argument, kvm_device_attr.sizeof());
    refuseIf(
        kvm_device_attr.group(attribute) != Kvm.KVM_VCPU_TSC_CTRL()
            || kvm_device_attr.attr(attribute) != Kvm.KVM_VCPU_TSC_OFFSET(),
        Errno.ENXIO);
    if (request == (int) Kvm.KVM_GET_DEVICE_ATTR()) {
      put(task, attribute, vcpu.tsc().offset());
    } else if (request == (int) Kvm.KVM_SET_DEVICE_ATTR()) {
      MemorySegment value = task.in(kvm_device_attr.addr(attribute), Long.BYTES);
      vcpu.tsc().setOffset(value.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  private static void put(Task task, MemorySegment attribute, long value) {
    task.out(kvm_device_attr.addr(attribute), MemorySegment.ofArray(new long[] {value}));
  }
}
