package dev.iolite.mock.core;

import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A VM as other drivers hold it (struct kvm with kvm_get_kvm and kvm_put_kvm). */
public interface KvmReference {
  /** Takes a reference (kvm_get_kvm_safe). */
  void getKvm();

  /**
   * Maps a device's private registers into the VM's private address space, as a TSM does.
   *
   * @param gpa the first guest-physical address
   * @param bytes the length of the range; both in whole pages
   * @param what a name for it
   * @param reach whether the guest reaches it now
   * @throws Refused EEXIST: part of the range is mapped already; EINVAL: the VM has no private
   *     memory
   */
  void mapPrivate(long gpa, long bytes, Memory memory, String what, Supplier<Reach> reach);

  /** Unmaps what was mapped at an address; does nothing if nothing begins there. */
  void unmapPrivate(long gpa);

  /** The ranges of a function's BAR that memory slots for private accesses have. */
  List<BarRange> privateSlots(TeeFunction function, int bar);

  /** The request whose answer a realm in it awaits; empty if its vCPU did not exit for one. */
  Optional<MappingRequest> mappingRequest();

  /** Releases a reference (kvm_put_kvm). */
  void putKvm();
}
