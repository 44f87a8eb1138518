package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.KernelException;
import java.lang.foreign.MemorySegment;

/**
 * The launch of an SEV-SNP guest: the commands of {@link Sev} and {@link Snp} in their order.
 * Messages contain the secure processor's error.
 *
 * <p>Not safe for use by several threads.
 */
public final class SnpLaunch extends VmLaunch {
  /** The bit that allows SMT, and the bit that must be 1. */
  private static final long POLICY = 0x3_0000;

  private final SecureProcessor processor;
  private final Snp snp;

  private SnpLaunch(Vm vm, Vcpu vcpu, SecureProcessor processor) {
    super(vm, vcpu);
    this.processor = processor;
    snp = vm.snp(processor);
  }

  /** Makes the calls KVM_SEV_INIT2 and KVM_SEV_SNP_LAUNCH_START, and a vCPU. */
  static SnpLaunch of(Kvm kvm, Vm vm) {
    try (CloseStack opening = new CloseStack()) {
      SecureProcessor processor = opening.push(SecureProcessor.open(kvm.fd().kernel()));
      vm.sev(processor).init(SevInit.usual());
      vm.snp(processor).launchStart(POLICY);
      SnpLaunch made = new SnpLaunch(vm, vm.createVcpu(0), processor);
      opening.release();
      return made;
    }
  }

  /**
   * Adds private memory with its initial content, which is measured.
   *
   * @param gpa the first address, a multiple of 4 KiB, in a slot with a guest_memfd, private by its
   *     attribute
   * @param content native memory, page-aligned, of whole pages
   * @throws KernelException as for {@link Snp#launchUpdate}
   */
  public void addMemory(long gpa, MemorySegment content) {
    snp.launchUpdate(gpa, SnpPageType.NORMAL, content);
  }

  /**
   * Finishes the launch, which also encrypts the vCPU's registers.
   *
   * @throws KernelException as for {@link Snp#launchFinish}
   */
  @Override
  public void finish() {
    snp.launchFinish(SnpFinish.plain());
  }

  @Override
  public void close() {
    try (CloseStack all = new CloseStack()) {
      all.push(processor);
      all.push(vm());
    }
  }
}
