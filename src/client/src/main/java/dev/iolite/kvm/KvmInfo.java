package dev.iolite.kvm;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the host's KVM can do, determined by the calls that a real run makes.
 *
 * @param apiVersion the API's version, 12
 * @param vcpuMmapBytes how much of a vCPU's descriptor is mapped
 * @param recommendedVcpus the recommended maximum number of vCPUs in a VM
 * @param maxVcpus the maximum number of vCPUs in a VM
 * @param maxVcpuId one more than the largest vCPU id
 * @param maxMemorySlots the maximum number of memory slots in a VM
 * @param types every possible type of VM, and the result of making one
 * @param capabilities every capability that KVM has, by its name without {@code KVM_CAP_}, with
 *     what the kernel says about it
 */
public record KvmInfo(
    int apiVersion,
    int vcpuMmapBytes,
    int recommendedVcpus,
    int maxVcpus,
    int maxVcpuId,
    int maxMemorySlots,
    List<Type> types,
    Map<String, Integer> capabilities) {

  /**
   * A type of VM.
   *
   * @param type which type
   * @param offered whether KVM_CAP_VM_TYPES lists it
   * @param failure what KVM_CREATE_VM said when none could be made; empty if one could
   * @param privateMemory whether its memory can be made private
   * @param guestMemfd whether it can have a guest_memfd
   * @param guestMemfdFlags what its guest_memfds can do
   */
  public record Type(
      VmType type,
      boolean offered,
      Optional<Errno> failure,
      boolean privateMemory,
      boolean guestMemfd,
      Set<GuestMemfd.Flag> guestMemfdFlags) {
    /** Copies the set. */
    public Type {
      guestMemfdFlags = Set.copyOf(guestMemfdFlags);
    }

    /** Whether a VM of this type could be made. */
    public boolean works() {
      return failure.isEmpty();
    }
  }

  /** Copies the collections. */
  public KvmInfo {
    types = List.copyOf(types);
    capabilities = Collections.unmodifiableMap(new LinkedHashMap<>(capabilities));
  }

  /**
   * Asks KVM, and tries to make a VM of every type; closes those that it could make.
   *
   * @throws KernelException if {@code /dev/kvm} can't be opened
   */
  public static KvmInfo of(Kernel kernel) {
    try (Kvm kvm = Kvm.open(kernel)) {
      Map<String, Integer> capabilities = new LinkedHashMap<>();
      for (Capability capability : Capability.all()) {
        int value = kvm.check(capability);
        if (value != 0) {
          capabilities.put(capability.name(), value);
        }
      }
      Set<VmType> offered = kvm.vmTypes();
      List<Type> types = new ArrayList<>();
      for (VmType type : VmType.values()) {
        types.add(tryType(kvm, type, offered.contains(type)));
      }
      return new KvmInfo(
          kvm.apiVersion(),
          kvm.vcpuMmapBytes(),
          kvm.check(Capability.NR_VCPUS),
          kvm.check(Capability.MAX_VCPUS),
          kvm.check(Capability.MAX_VCPU_ID),
          kvm.check(Capability.NR_MEMSLOTS),
          types,
          capabilities);
    }
  }

  private static Type tryType(Kvm kvm, VmType type, boolean offered) {
    try (Vm vm = kvm.createVm(type)) {
      return new Type(
          type,
          offered,
          Optional.empty(),
          vm.check(Capability.MEMORY_ATTRIBUTES) != 0,
          vm.check(Capability.GUEST_MEMFD) != 0,
          GuestMemfd.Flag.ofBits(vm.check(Capability.GUEST_MEMFD_FLAGS)));
    } catch (KernelException e) {
      return new Type(type, offered, Optional.of(e.errno()), false, false, Set.of());
    }
  }
}
