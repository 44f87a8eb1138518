package dev.iolite.differential;

import static dev.iolite.differential.Machine.descriptor;
import static dev.iolite.differential.Machine.name;

import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_create_guest_memfd;
import dev.iolite.uapi.kvm.kvm_device_attr;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_pre_fault_memory;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** KVM's calls about memory. */
final class KvmCalls {
  private final Machine machine;
  private int kvm = -1;

  KvmCalls(Machine machine) {
    this.machine = machine;
  }

  /** The program has ended, and its descriptors are closed. */
  void end() {
    kvm = -1;
  }

  String answer(Op op) {
    return switch (op.kind()) {
      case VM -> vm(op.arg(0));
      case SLOT -> op.arg(1) == 1 ? slot(op) : slot2(op);
      case GMEM -> gmem(op);
      case CLOSE_GMEM -> machine.close(machine.gmems, op.arg(0));
      case ATTRIBUTES -> attributes(op);
      case VCPU -> vcpu(vm(op), op.arg(1));
      case PRE_FAULT -> preFault(op);
      case LIST -> list(vm(op));
      case LIST_SET -> listSet(op);
      case CLOSE_VM -> machine.close(machine.vms, op.arg(0));
      case CLOSE_LIST -> machine.close(machine.lists, op.arg(0));
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private int vm(Op op) {
    return machine.vms.get(op.arg(0));
  }

  private String vm(long type) {
    if (kvm < 0) {
      kvm = machine.keep(machine.open("/dev/kvm"));
    }
    int vm = machine.keep(machine.ioctl(kvm, KvmIoctls.KVM_CREATE_VM, type));
    if (vm >= 0) {
      machine.vms.add(vm);
    }
    return descriptor(vm);
  }

  private String slot(Op op) {
    MemorySegment region = machine.struct(kvm_userspace_memory_region.layout());
    kvm_userspace_memory_region.slot(region, (int) op.arg(2));
    kvm_userspace_memory_region.flags(region, (int) op.arg(3));
    kvm_userspace_memory_region.guest_phys_addr(region, op.arg(4));
    kvm_userspace_memory_region.memory_size(region, op.arg(5));
    kvm_userspace_memory_region.userspace_addr(region, machine.address(op.arg(6)));
    return name(machine.ioctl(vm(op), KvmIoctls.KVM_SET_USER_MEMORY_REGION, region));
  }

  private String slot2(Op op) {
    MemorySegment region = machine.struct(kvm_userspace_memory_region2.layout());
    kvm_userspace_memory_region2.slot(region, (int) op.arg(2));
    kvm_userspace_memory_region2.flags(region, (int) op.arg(3));
    kvm_userspace_memory_region2.guest_phys_addr(region, op.arg(4));
    kvm_userspace_memory_region2.memory_size(region, op.arg(5));
    kvm_userspace_memory_region2.userspace_addr(region, machine.address(op.arg(6)));
    kvm_userspace_memory_region2.guest_memfd(region, machine.gmems.get(op.arg(7)));
    kvm_userspace_memory_region2.guest_memfd_offset(region, op.arg(8));
    return name(machine.ioctl(vm(op), KvmIoctls.KVM_SET_USER_MEMORY_REGION2, region));
  }

  private String gmem(Op op) {
    MemorySegment create = machine.struct(kvm_create_guest_memfd.layout());
    kvm_create_guest_memfd.size(create, op.arg(1));
    kvm_create_guest_memfd.flags(create, op.arg(2));
    int gmem = machine.keep(machine.ioctl(vm(op), KvmIoctls.KVM_CREATE_GUEST_MEMFD, create));
    if (gmem >= 0) {
      machine.gmems.add(gmem);
    }
    return descriptor(gmem);
  }

  private String attributes(Op op) {
    MemorySegment set = machine.struct(kvm_memory_attributes.layout());
    kvm_memory_attributes.address(set, op.arg(1));
    kvm_memory_attributes.size(set, op.arg(2));
    kvm_memory_attributes.attributes(set, op.arg(3));
    return name(machine.ioctl(vm(op), KvmIoctls.KVM_SET_MEMORY_ATTRIBUTES, set));
  }

  private String vcpu(int vm, long id) {
    int vcpu = machine.keep(machine.ioctl(vm, KvmIoctls.KVM_CREATE_VCPU, id));
    if (vcpu >= 0) {
      machine.vcpus.add(vcpu);
    }
    return descriptor(vcpu);
  }

  private String preFault(Op op) {
    MemorySegment range = machine.struct(kvm_pre_fault_memory.layout());
    kvm_pre_fault_memory.gpa(range, op.arg(1));
    kvm_pre_fault_memory.size(range, op.arg(2));
    int vcpu = machine.vcpus.get(op.arg(0));
    int result = machine.ioctl(vcpu, KvmIoctls.KVM_PRE_FAULT_MEMORY, range);
    return "%s %x %x"
        .formatted(name(result), kvm_pre_fault_memory.gpa(range), kvm_pre_fault_memory.size(range));
  }

  private String list(int vm) {
    MemorySegment create = machine.struct(kvm_create_device.layout());
    kvm_create_device.type(create, Kvm.KVM_DEV_TYPE_VFIO());
    int result = machine.ioctl(vm, KvmIoctls.KVM_CREATE_DEVICE, create);
    if (result == 0) {
      machine.lists.add(machine.keep(kvm_create_device.fd(create)));
    }
    return name(result);
  }

  private String listSet(Op op) {
    MemorySegment fd = machine.zeros(4);
    fd.set(ValueLayout.JAVA_INT, 0, machine.devices.get(op.arg(2)));
    MemorySegment attr = machine.struct(kvm_device_attr.layout());
    kvm_device_attr.group(attr, Kvm.KVM_DEV_VFIO_FILE());
    kvm_device_attr.attr(attr, op.arg(1));
    kvm_device_attr.addr(attr, fd.address());
    int list = machine.lists.get(op.arg(0));
    return name(machine.ioctl(list, KvmIoctls.KVM_SET_DEVICE_ATTR_ON_DEVICE, attr));
  }
}
