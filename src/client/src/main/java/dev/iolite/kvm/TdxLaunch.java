package dev.iolite.kvm;

import dev.iolite.kernel.KernelException;
import java.lang.foreign.MemorySegment;

/**
 * The launch of a trust domain: the commands of {@link Tdx} in their order. Messages contain the
 * TDX module's status, as hw_error.
 *
 * <p>Not safe for use by several threads.
 */
public final class TdxLaunch extends VmLaunch {
  private static final int GUEST_ADDRESS_BITS = 48;

  /** The state that every domain has: that of x87 and SSE. */
  private static final long LEAST_XFAM = 3;

  private static final int IOAPIC_PINS = 24;

  private final Tdx tdx;

  private TdxLaunch(Vm vm, Vcpu vcpu) {
    super(vm, vcpu);
    tdx = vm.tdx();
  }

  /**
   * Initializes a domain with the minimum: guest-physical addresses of 48 bits, no debugging. Makes
   * a split interrupt controller and a vCPU, and initializes it with the CPUID that the module
   * shows the guest.
   */
  static TdxLaunch of(Vm vm) {
    Tdx tdx = vm.tdx();
    tdx.initVm(TdxParams.of(LEAST_XFAM, GUEST_ADDRESS_BITS));
    vm.enable(Capability.SPLIT_IRQCHIP, IOAPIC_PINS);
    Vcpu vcpu = vm.createVcpu(0);
    vcpu.x86().setCpuid(tdx.cpuid(vcpu));
    tdx.initVcpu(vcpu, 0);
    return new TdxLaunch(vm, vcpu);
  }

  /**
   * Adds private memory with its initial content, which is measured.
   *
   * @param gpa the first address, a multiple of 4 KiB, in a slot with a guest_memfd, private by its
   *     attribute
   * @param content native memory, page-aligned, of whole pages
   * @throws KernelException as for {@link Tdx#initMemRegion}
   */
  public void addMemory(long gpa, MemorySegment content) {
    tdx.initMemRegion(vcpu(), gpa, content, true);
  }

  /**
   * Finishes the launch.
   *
   * @throws KernelException as for {@link Tdx#finalizeVm}
   */
  @Override
  public void finish() {
    tdx.finalizeVm();
  }
}
