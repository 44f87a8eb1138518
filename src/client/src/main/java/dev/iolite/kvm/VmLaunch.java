package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;

/**
 * A VM with one vCPU on its way to the guest's first instruction, with all the steps that its type
 * requires.
 *
 * <p>{@link #begin} makes both; slots and devices follow; after {@link #finish}, the vCPU can be
 * run. Closing it closes the VM and all that was made from it.
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
   * Makes a VM of a type, initialized as the type wants it, and vCPU 0. Requests of the guest to
   * make memory private or shared leave it where this KVM can do that; see {@link Vm#exitOnMapGpa}.
   *
   * @param type {@link VmType#DEFAULT}, {@link VmType#SW_PROTECTED}, {@link VmType#TDX} or {@link
   *     VmType#SNP}
   * @throws dev.iolite.kernel.KernelException as {@link Kvm#createVm}, and what the steps of the
   *     type say; nothing stays open then
   * @throws IllegalArgumentException if the type is another
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
   * Ends the way: the VM's first memory and registers are fixed now, and its vCPU can be run.
   *
   * @throws dev.iolite.kernel.KernelException what the type's last step says
   */
  public abstract void finish();

  @Override
  public void close() {
    vm.close();
  }
}
