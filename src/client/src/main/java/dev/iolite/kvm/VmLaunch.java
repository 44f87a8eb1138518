package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;

/**
 * A VM with one vCPU on its way to the guest's first instruction, with all the steps that its type
 * requires.
 *
 * <p>{@link #begin} makes both; slots and devices follow; after {@link #finish}, the vCPU can run.
 * Closing it closes the VM and everything made from it.
 *
 * <p>Not safe for use by several threads.
 */
public abstract sealed class VmLaunch implements AutoCloseable
    permits PlainLaunch, SnpLaunch, TdxLaunch {
  private final Vm vm;
  private final Vcpu vcpu;

  VmLaunch(Vm vm, Vcpu vcpu) {
    this.vm = vm;
    this.vcpu = vcpu;
  }

  /**
   * Makes a VM of a type, initialized as the type requires, and vCPU 0. Where this KVM supports it,
   * the guest's requests to make memory private or shared leave the guest; see {@link
   * Vm#exitOnMapGpa}.
   *
   * @param type {@link VmType#DEFAULT}, {@link VmType#SW_PROTECTED}, {@link VmType#TDX} or {@link
   *     VmType#SNP}
   * @throws dev.iolite.kernel.KernelException as for {@link Kvm#createVm}, and what the steps of
   *     the type report; in either case nothing stays open
   * @throws IllegalArgumentException for any other type
   */
  public static VmLaunch begin(Kvm kvm, VmType type) {
    try (CloseStack opening = new CloseStack()) {
      Vm vm = opening.push(kvm.createVm(type));
      vm.exitOnMapGpa();
      VmLaunch launch =
          switch (type) {
            case DEFAULT, SW_PROTECTED -> new PlainLaunch(vm);
            case TDX -> TdxLaunch.of(vm);
            case SNP -> SnpLaunch.of(kvm, vm);
            case SEV, SEV_ES ->
                throw new IllegalArgumentException("no way to launch a VM of type " + type);
          };
      opening.release();
      return launch;
    }
  }

  /** The VM. */
  public final Vm vm() {
    return vm;
  }

  /** Its only vCPU. */
  public final Vcpu vcpu() {
    return vcpu;
  }

  /**
   * Finishes the launch: the VM's initial memory and registers are now fixed, and its vCPU can run.
   *
   * @throws dev.iolite.kernel.KernelException what the type's last step reports
   */
  public abstract void finish();

  @Override
  public void close() {
    vm.close();
  }
}
