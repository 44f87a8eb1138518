package dev.iolite.kvm;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.kvm_device_attr;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The attributes of {@code /dev/kvm}, of a vCPU, or of a device in a VM, each in a group. The
 * constants are in {@link dev.iolite.uapi.kvm.Kvm}.
 *
 * <p>Made by {@link Kvm#attributes}, {@link Vcpu#attributes} and {@link VfioKvmDevice#attributes}.
 *
 * <p>Safe for use by several threads.
 */
public final class DeviceAttributes {
  private final Fd fd;
  private final Ioctl has;
  private final Ioctl get;
  private final Ioctl set;

  private DeviceAttributes(Fd fd, Ioctl has, Ioctl get, Ioctl set) {
    this.fd = fd;
    this.has = has;
    this.get = get;
    this.set = set;
  }

  static DeviceAttributes ofKvm(Fd kvm) {
    // It has none that can be set; see arch/x86/kvm/x86.c:kvm_arch_dev_ioctl.
    return new DeviceAttributes(
        kvm,
        KvmIoctls.KVM_HAS_DEVICE_ATTR,
        KvmIoctls.KVM_GET_DEVICE_ATTR,
        KvmIoctls.KVM_SET_DEVICE_ATTR_ON_DEVICE);
  }

  static DeviceAttributes ofVcpu(Fd vcpu) {
    return new DeviceAttributes(
        vcpu,
        KvmIoctls.KVM_HAS_DEVICE_ATTR_ON_VCPU,
        KvmIoctls.KVM_GET_DEVICE_ATTR_ON_VCPU,
        KvmIoctls.KVM_SET_DEVICE_ATTR_ON_VCPU);
  }

  static DeviceAttributes ofDevice(Fd device) {
    return new DeviceAttributes(
        device,
        KvmIoctls.KVM_HAS_DEVICE_ATTR_ON_DEVICE,
        KvmIoctls.KVM_GET_DEVICE_ATTR_ON_DEVICE,
        KvmIoctls.KVM_SET_DEVICE_ATTR_ON_DEVICE);
  }

  /**
   * Whether there is such an attribute.
   *
   * <p>KVM_HAS_DEVICE_ATTR, which returns ENXIO if there is none.
   */
  public boolean has(int group, long attribute) {
    try (Arena arena = Arena.ofConfined()) {
      return fd.ioctl(has, argument(arena, group, attribute, 0), Errno.ENXIO) == 0;
    }
  }

  /**
   * Reads an attribute of 64 bits.
   *
   * <p>KVM_GET_DEVICE_ATTR.
   *
   * @throws KernelException ENXIO: there is no such attribute; EPERM: none can be read
   */
  public long get(int group, long attribute) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
      fd.ioctl(get, argument(arena, group, attribute, value.address()));
      return value.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /**
   * Sets an attribute of 64 bits.
   *
   * <p>KVM_SET_DEVICE_ATTR.
   *
   * @throws KernelException ENXIO: there is no such attribute; EPERM: none can be set
   * @throws IllegalArgumentException on {@code /dev/kvm}, whose attributes can only be read
   */
  public void set(int group, long attribute, long value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_LONG, value);
      fd.ioctl(set, argument(arena, group, attribute, memory.address()));
    }
  }

  private static MemorySegment argument(Arena arena, int group, long attribute, long address) {
    MemorySegment argument = kvm_device_attr.allocate(arena);
    kvm_device_attr.group(argument, group);
    kvm_device_attr.attr(argument, attribute);
    kvm_device_attr.addr(argument, address);
    return argument;
  }
}
