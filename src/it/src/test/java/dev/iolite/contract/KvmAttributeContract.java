package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CHECK_EXTENSION_ON_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_MEMORY_ATTRIBUTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Which guest memory is private. */
abstract class KvmAttributeContract extends KvmContract {
  private static final long GPA = 0x10_0000;

  KvmAttributeContract(Backend backend) {
    super(backend);
  }

  private int vmWithAttributes() {
    return protectedVm();
  }

  @Test
  void privateIsTheOnlyAttribute() {
    // kvm_main.c:kvm_supported_mem_attributes
    int vm = vmWithAttributes();
    int capability = Kvm.KVM_CAP_MEMORY_ATTRIBUTES();
    assertThat(ioctl(vm, KVM_CHECK_EXTENSION_ON_VM, capability)).isEqualTo((int) PRIVATE);
    fails(Errno.EINVAL, setAttributes(vm, GPA, PAGE, 1));
    fails(Errno.EINVAL, setAttributes(vm, GPA, PAGE, PRIVATE | 1L << 40));
  }

  @Test
  void aPlainVmHasNoAttributes() {
    // kvm_main.c:kvm_supported_mem_attributes: kvm_arch_has_private_mem
    int vm = vm();
    assumeTrue(
        check(kvm, Kvm.KVM_CAP_MEMORY_ATTRIBUTES()) != 0,
        () -> backend.name() + " was built without memory attributes");
    assertThat(ioctl(vm, KVM_CHECK_EXTENSION_ON_VM, Kvm.KVM_CAP_MEMORY_ATTRIBUTES())).isZero();
    fails(Errno.EINVAL, setAttributes(vm, GPA, PAGE, PRIVATE));
    succeeds(setAttributes(vm, GPA, PAGE, 0));
  }

  @Test
  void attributesNeedNoSlot() {
    // kvm_main.c:kvm_vm_set_mem_attributes
    int vm = vmWithAttributes();
    succeeds(setAttributes(vm, GPA, PAGE, PRIVATE));
    succeeds(setAttributes(vm, GPA, PAGE, 0));
  }

  @Test
  void theSameAttributesAgainAreNoChange() {
    // kvm_main.c:kvm_vm_set_mem_attributes
    int vm = vmWithAttributes();
    succeeds(setAttributes(vm, GPA, PAGE, PRIVATE));
    succeeds(setAttributes(vm, GPA, PAGE, PRIVATE));
    succeeds(setAttributes(vm, GPA, 16 * PAGE, PRIVATE));
  }

  @Test
  void attributesAtNowhereAreAFault() {
    // kvm_main.c:kvm_vm_ioctl: copy_from_user
    fails(Errno.EFAULT, ioctl(vmWithAttributes(), KVM_SET_MEMORY_ATTRIBUTES, NOWHERE));
  }

  @Test
  void flagsAreInvalid() {
    // kvm_main.c:kvm_vm_ioctl_set_mem_attributes
    MemorySegment set = attributesOf(GPA, PAGE, PRIVATE);
    kvm_memory_attributes.flags(set, 1);
    fails(Errno.EINVAL, ioctl(vmWithAttributes(), KVM_SET_MEMORY_ATTRIBUTES, set));
  }

  @Test
  void noBytesAreInvalid() {
    // kvm_main.c:kvm_vm_ioctl_set_mem_attributes
    fails(Errno.EINVAL, setAttributes(vmWithAttributes(), GPA, 0, PRIVATE));
  }

  @Test
  void aRangeThatWrapsIsInvalid() {
    // kvm_main.c:kvm_vm_ioctl_set_mem_attributes
    fails(Errno.EINVAL, setAttributes(vmWithAttributes(), -PAGE, 2 * PAGE, PRIVATE));
  }

  @Test
  void attributesAreOfWholePages() {
    // kvm_main.c:kvm_vm_ioctl_set_mem_attributes
    int vm = vmWithAttributes();
    fails(Errno.EINVAL, setAttributes(vm, GPA + 0x800, PAGE, PRIVATE));
    fails(Errno.EINVAL, setAttributes(vm, GPA, 0x800, PRIVATE));
  }

  @Test
  void attributesOfSharedMemoryAreTakenToo() {
    // kvm_main.c:kvm_vm_set_mem_attributes: also over a slot without a guest_memfd
    int vm = vmWithAttributes();
    succeeds(set(vm, 0, 0, GPA, PAGE, ram(PAGE)));
    succeeds(setAttributes(vm, GPA, PAGE, PRIVATE));
  }
}
