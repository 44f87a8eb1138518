package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_tdx_capabilities;
import dev.iolite.uapi.kvm.kvm_tdx_cmd;
import dev.iolite.uapi.kvm.kvm_tdx_init_mem_region;
import dev.iolite.uapi.kvm.kvm_tdx_init_vm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The launch of a trust domain: the sub-commands of KVM_MEMORY_ENCRYPT_OP on a VM and vCPU of type
 * TDX. Messages contain the TDX module's status, as hw_error.
 *
 * <p>See arch/x86/kvm/vmx/tdx.c:tdx_vm_ioctl and tdx_vcpu_unlocked_ioctl.
 *
 * <p>Not safe for use by several threads.
 */
public final class TdxLaunch extends VmLaunch {
  /** KVM_MAX_CPUID_ENTRIES of arch/x86/include/asm/kvm_host.h. */
  private static final int MOST_CPUID_ENTRIES = 256;

  private static final int ADDRESS_SIZES = 0x8000_0008;
  private static final int GUEST_ADDRESS_BITS = 48;
  private static final int GUEST_ADDRESS_SHIFT = 16;

  /** The state that every domain has: that of x87 and SSE. */
  private static final long LEAST_XFAM = 3;

  private static final int IOAPIC_PINS = 24;

  private TdxLaunch(Vm vm, Vcpu vcpu) {
    super(vm, vcpu);
  }

  /**
   * What the TDX module allows a domain.
   *
   * @param attributes bits of ATTRIBUTES
   * @param xfam bits of XFAM
   * @param configurableLeaves how many CPUID leaves the owner can configure
   */
  public record TdxAbilities(long attributes, long xfam, int configurableLeaves) {}

  /**
   * Calls KVM_TDX_INIT_VM, makes a split interrupt controller and a vCPU, and calls
   * KVM_TDX_INIT_VCPU.
   */
  static TdxLaunch of(Vm vm) {
    initialize(vm);
    vm.enable(Capability.SPLIT_IRQCHIP, IOAPIC_PINS);
    Vcpu vcpu = vm.createVcpu(0);
    try (Arena arena = Arena.ofConfined()) {
      make(arena, vcpu.fd(), "KVM_TDX_INIT_VCPU", Kvm.KVM_TDX_INIT_VCPU(), 0, 0);
    }
    return new TdxLaunch(vm, vcpu);
  }

  /** Initializes the domain with the minimum: guest-physical addresses of 48 bits, no debugging. */
  private static void initialize(Vm vm) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment init =
          arena.allocate(kvm_tdx_init_vm.sizeof() + kvm_cpuid_entry2.sizeof(), Long.BYTES);
      kvm_tdx_init_vm.xfam(init, LEAST_XFAM);
      kvm_cpuid2.nent(kvm_tdx_init_vm.cpuid(init), 1);
      MemorySegment sizes = init.asSlice(kvm_tdx_init_vm.sizeof());
      kvm_cpuid_entry2.function(sizes, ADDRESS_SIZES);
      kvm_cpuid_entry2.eax(sizes, GUEST_ADDRESS_BITS << GUEST_ADDRESS_SHIFT);
      make(arena, vm.fd(), "KVM_TDX_INIT_VM", Kvm.KVM_TDX_INIT_VM(), 0, init.address());
    }
  }

  /**
   * What the TDX module allows a domain, by KVM_TDX_CAPABILITIES
   * (arch/x86/kvm/vmx/tdx.c:tdx_get_capabilities).
   */
  public TdxAbilities abilities() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment abilities =
          arena.allocate(
              kvm_tdx_capabilities.sizeof() + MOST_CPUID_ENTRIES * kvm_cpuid_entry2.sizeof(),
              Long.BYTES);
      kvm_cpuid2.nent(kvm_tdx_capabilities.cpuid(abilities), MOST_CPUID_ENTRIES);
      make(
          arena,
          vm().fd(),
          "KVM_TDX_CAPABILITIES",
          Kvm.KVM_TDX_CAPABILITIES(),
          0,
          abilities.address());
      return new TdxAbilities(
          kvm_tdx_capabilities.supported_attrs(abilities),
          kvm_tdx_capabilities.supported_xfam(abilities),
          kvm_cpuid2.nent(kvm_tdx_capabilities.cpuid(abilities)));
    }
  }

  /**
   * Adds private memory with its initial content, which is measured, by KVM_TDX_INIT_MEM_REGION
   * (arch/x86/kvm/vmx/tdx.c:tdx_vcpu_init_mem_region).
   *
   * @param gpa the first address, a multiple of 4 KiB, in a slot with a guest_memfd, private by its
   *     attribute
   * @param content native memory, page-aligned, of whole pages
   * @throws KernelException EINVAL: not aligned, not private, or already finished; EFAULT: no slot
   *     with a guest_memfd, or not private by its attribute; EIO: what the module said, in hw_error
   */
  public void addMemory(long gpa, MemorySegment content) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = kvm_tdx_init_mem_region.allocate(arena);
      kvm_tdx_init_mem_region.source_addr(region, content.address());
      kvm_tdx_init_mem_region.gpa(region, gpa);
      kvm_tdx_init_mem_region.nr_pages(region, content.byteSize() >>> Page.SHIFT);
      HeldMemory.during(
          content,
          () ->
              make(
                  arena,
                  vcpu().fd(),
                  "KVM_TDX_INIT_MEM_REGION",
                  Kvm.KVM_TDX_INIT_MEM_REGION(),
                  (int) Kvm.KVM_TDX_MEASURE_MEMORY_REGION(),
                  region.address()));
    }
  }

  /**
   * Finishes the launch by KVM_TDX_FINALIZE_VM (arch/x86/kvm/vmx/tdx.c:tdx_td_finalize).
   *
   * @throws KernelException EINVAL: already finished; EBUSY: the module is busy, try again; EIO:
   *     what the module said, in hw_error; the VM is dead then
   */
  @Override
  public void finish() {
    try (Arena arena = Arena.ofConfined()) {
      make(arena, vm().fd(), "KVM_TDX_FINALIZE_VM", Kvm.KVM_TDX_FINALIZE_VM(), 0, 0);
    }
  }

  private static int make(Arena arena, Fd on, String name, int id, int flags, long data) {
    MemorySegment command = kvm_tdx_cmd.allocate(arena);
    kvm_tdx_cmd.id(command, id);
    kvm_tdx_cmd.flags(command, flags);
    kvm_tdx_cmd.data(command, data);
    Ioctl ioctl =
        switch (on.kind()) {
          case KVM_VCPU -> KvmIoctls.KVM_MEMORY_ENCRYPT_OP_ON_VCPU;
          default -> KvmIoctls.KVM_MEMORY_ENCRYPT_OP;
        };
    int result = on.tryIoctl(ioctl, command);
    if (result < 0) {
      throw new KernelException(
          name, on.target(), TdxStatus.text(kvm_tdx_cmd.hw_error(command)), -result);
    }
    return result;
  }
}
