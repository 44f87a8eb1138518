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
import java.util.List;

/**
 * The sub-commands of KVM_MEMORY_ENCRYPT_OP on a trust domain, a VM of type {@link VmType#TDX}, and
 * on its vCPUs. Made by {@link Vm#tdx}. A method makes one command, and keeps no order: {@link
 * #initVm}, then for each vCPU its CPUID and {@link #initVcpu}, {@link #initMemRegion}, {@link
 * #finalizeVm}. {@link TdxLaunch} makes them in order.
 *
 * <p>They are handled in arch/x86/kvm/vmx/tdx.c:tdx_vm_ioctl, tdx_vcpu_unlocked_ioctl and
 * tdx_vcpu_ioctl. A message has the TDX module's status, as hw_error, where KVM reports it: for
 * {@link #initVm} and {@link #finalizeVm}.
 *
 * <p>Safe for use by several threads.
 */
public final class Tdx {
  private final Vm vm;

  Tdx(Vm vm) {
    this.vm = vm;
  }

  /**
   * What KVM and the TDX module allow a domain.
   *
   * <p>KVM_TDX_CAPABILITIES, since Linux 6.16, arch/x86/kvm/vmx/tdx.c:tdx_get_capabilities.
   *
   * @throws KernelException EINVAL: this is no trust domain; E2BIG: more than 256 CPUID leaves
   */
  public TdxCapabilities capabilities() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment found =
          arena.allocate(
              kvm_tdx_capabilities.sizeof() + CpuidCall.MOST * kvm_cpuid_entry2.sizeof(),
              Long.BYTES);
      long list = kvm_tdx_capabilities.cpuid$offset();
      kvm_cpuid2.nent(found.asSlice(list), CpuidCall.MOST);
      make(arena, vm.fd(), "KVM_TDX_CAPABILITIES", Kvm.KVM_TDX_CAPABILITIES(), 0, found.address());
      return new TdxCapabilities(
          kvm_tdx_capabilities.supported_attrs(found),
          kvm_tdx_capabilities.supported_xfam(found),
          List.of(
              kvm_tdx_capabilities.kernel_tdvmcallinfo_1_r11(found),
              kvm_tdx_capabilities.kernel_tdvmcallinfo_1_r12(found)),
          List.of(
              kvm_tdx_capabilities.user_tdvmcallinfo_1_r11(found),
              kvm_tdx_capabilities.user_tdvmcallinfo_1_r12(found)),
          CpuidCall.entries(found.asSlice(list), CpuidEntry::indexed));
    }
  }

  /**
   * Initializes the domain, before it has vCPUs.
   *
   * <p>KVM_TDX_INIT_VM, since Linux 6.16, arch/x86/kvm/vmx/tdx.c:tdx_td_init.
   *
   * @throws KernelException EINVAL: initialized already, something that {@link #capabilities} does
   *     not offer, or what the module says about an operand, in hw_error; EBUSY: it has vCPUs, or a
   *     cgroup's limit is reached; ENOSPC: no private key is left; EAGAIN: no entropy, try again;
   *     EIO: the module refused, and the VM is dead
   */
  public void initVm(TdxParams params) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment init =
          arena.allocate(
              kvm_tdx_init_vm.sizeof() + params.cpuid().size() * kvm_cpuid_entry2.sizeof(),
              Long.BYTES);
      params.store(init);
      CpuidCall.fill(init.asSlice(kvm_tdx_init_vm.cpuid$offset()), params.cpuid());
      make(arena, vm.fd(), "KVM_TDX_INIT_VM", Kvm.KVM_TDX_INIT_VM(), 0, init.address());
    }
  }

  /**
   * Initializes a vCPU, whose CPUID ({@link X86State#setCpuid}) must have x2APIC by then.
   *
   * <p>KVM_TDX_INIT_VCPU, since Linux 6.16, arch/x86/kvm/vmx/tdx.c:tdx_vcpu_init.
   *
   * @param vcpu one of the domain's
   * @param rcx what the guest's firmware finds in RCX
   * @throws KernelException EINVAL: the domain is not initialized or is final, the vCPU is
   *     initialized already, or its CPUID has no x2APIC; EIO: the module refused, and the VM is
   *     dead
   */
  public void initVcpu(Vcpu vcpu, long rcx) {
    try (Arena arena = Arena.ofConfined()) {
      make(arena, vcpu.fd(), "KVM_TDX_INIT_VCPU", Kvm.KVM_TDX_INIT_VCPU(), 0, rcx);
    }
  }

  /**
   * Adds private memory with its initial content.
   *
   * <p>KVM_TDX_INIT_MEM_REGION, since Linux 6.16, arch/x86/kvm/vmx/tdx.c:tdx_vcpu_init_mem_region.
   *
   * @param vcpu any of the domain's that is initialized
   * @param gpa the first address, a multiple of 4 KiB, in a slot with a guest_memfd, private by its
   *     attribute
   * @param content native memory, page-aligned, of whole pages
   * @param isMeasured whether the content is part of the domain's measurement; the addresses always
   *     are
   * @throws KernelException EINVAL: not aligned, not private, no slot with a guest_memfd, or
   *     already final; EBUSY: the module is busy, try again with what is left; EIO: it refused, or
   *     the page is there already
   */
  public void initMemRegion(Vcpu vcpu, long gpa, MemorySegment content, boolean isMeasured) {
    int flags = isMeasured ? (int) Kvm.KVM_TDX_MEASURE_MEMORY_REGION() : 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = kvm_tdx_init_mem_region.allocate(arena);
      kvm_tdx_init_mem_region.source_addr(region, content.address());
      kvm_tdx_init_mem_region.gpa(region, gpa);
      kvm_tdx_init_mem_region.nr_pages(region, content.byteSize() >>> Page.SHIFT);
      String name = "KVM_TDX_INIT_MEM_REGION";
      int id = Kvm.KVM_TDX_INIT_MEM_REGION();
      HeldMemory.during(
          content,
          () -> {
            make(arena, vcpu.fd(), name, id, flags, region.address());
            return 0;
          });
    }
  }

  /**
   * Ends the launch: the domain's measurement is final, and its vCPUs can run.
   *
   * <p>KVM_TDX_FINALIZE_VM, since Linux 6.16, arch/x86/kvm/vmx/tdx.c:tdx_td_finalize.
   *
   * @throws KernelException EINVAL: not initialized, or already final; EBUSY: the module is busy,
   *     try again; EIO: what the module said, in hw_error; the VM is dead then
   */
  public void finalizeVm() {
    try (Arena arena = Arena.ofConfined()) {
      make(arena, vm.fd(), "KVM_TDX_FINALIZE_VM", Kvm.KVM_TDX_FINALIZE_VM(), 0, 0);
    }
  }

  /**
   * The CPUID that the TDX module shows the guest.
   *
   * <p>KVM_TDX_GET_CPUID, since Linux 6.16, arch/x86/kvm/vmx/tdx.c:tdx_vcpu_get_cpuid.
   *
   * @param vcpu any of the domain's
   * @throws KernelException EINVAL: the domain is not initialized, or is final; E2BIG: more than
   *     256 entries; EIO: the module did not say
   */
  public List<CpuidEntry> cpuid(Vcpu vcpu) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment list =
          arena.allocate(
              kvm_cpuid2.sizeof() + CpuidCall.MOST * kvm_cpuid_entry2.sizeof(), Long.BYTES);
      kvm_cpuid2.nent(list, CpuidCall.MOST);
      make(arena, vcpu.fd(), "KVM_TDX_GET_CPUID", Kvm.KVM_TDX_GET_CPUID(), 0, list.address());
      return CpuidCall.entries(list, CpuidEntry::of);
    }
  }

  private static void make(Arena arena, Fd on, String name, int id, int flags, long data) {
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
  }
}
