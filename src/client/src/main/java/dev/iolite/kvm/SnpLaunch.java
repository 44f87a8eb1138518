package dev.iolite.kvm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_init;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_finish;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_update;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The launch of an SEV-SNP guest: the sub-commands of KVM_MEMORY_ENCRYPT_OP on a VM of that type.
 * Messages contain the secure processor's error.
 *
 * <p>See arch/x86/kvm/svm/sev.c:sev_mem_enc_ioctl.
 *
 * <p>Not safe for use by several threads.
 */
public final class SnpLaunch extends VmLaunch {
  private static final String PROCESSOR = "/dev/sev";

  /** The bit that allows SMT, and the bit that must be 1. */
  private static final long POLICY = 0x3_0000;

  private final Fd processor;

  private SnpLaunch(Vm vm, Vcpu vcpu, Fd processor) {
    super(vm, vcpu);
    this.processor = processor;
  }

  /** Makes the calls KVM_SEV_INIT2 and KVM_SEV_SNP_LAUNCH_START, and a vCPU. */
  static SnpLaunch of(dev.iolite.kvm.Kvm kvm, Vm vm) {
    try (CloseStack opening = new CloseStack();
        Arena arena = Arena.ofConfined()) {
      Fd processor =
          opening.push(Fd.open(kvm.fd().kernel(), FdKind.FILE, PROCESSOR, Libc.O_RDWR()));
      MemorySegment init = kvm_sev_init.allocate(arena);
      make(arena, vm, processor, "KVM_SEV_INIT2", Kvm.KVM_SEV_INIT2(), init);
      MemorySegment start = kvm_sev_snp_launch_start.allocate(arena);
      kvm_sev_snp_launch_start.policy(start, POLICY);
      int id = Kvm.KVM_SEV_SNP_LAUNCH_START();
      make(arena, vm, processor, "KVM_SEV_SNP_LAUNCH_START", id, start);
      SnpLaunch made = new SnpLaunch(vm, vm.createVcpu(0), processor);
      opening.release();
      return made;
    }
  }

  /**
   * Adds private memory with its initial content, which is measured, by KVM_SEV_SNP_LAUNCH_UPDATE
   * (arch/x86/kvm/svm/sev.c:snp_launch_update).
   *
   * @param gpa the first address, a multiple of 4 KiB, in a slot with a guest_memfd, private by its
   *     attribute
   * @param content native memory, page-aligned, of whole pages
   * @throws KernelException EINVAL: not aligned, or no slot with a guest_memfd; EIO: not private by
   *     its attribute, already added, or what the secure processor said, in error
   */
  public void addMemory(long gpa, MemorySegment content) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment update = kvm_sev_snp_launch_update.allocate(arena);
      kvm_sev_snp_launch_update.gfn_start(update, gpa >>> Page.SHIFT);
      kvm_sev_snp_launch_update.uaddr(update, content.address());
      kvm_sev_snp_launch_update.len(update, content.byteSize());
      kvm_sev_snp_launch_update.type(update, (byte) Kvm.KVM_SEV_SNP_PAGE_TYPE_NORMAL());
      int id = Kvm.KVM_SEV_SNP_LAUNCH_UPDATE();
      String name = "KVM_SEV_SNP_LAUNCH_UPDATE";
      long left;
      do {
        left = kvm_sev_snp_launch_update.len(update);
        HeldMemory.during(content, () -> make(arena, vm(), processor, name, id, update));
        if (kvm_sev_snp_launch_update.len(update) == left) {
          throw KernelException.of(name, vm().fd().target(), "", 0, ", and added nothing");
        }
      } while (kvm_sev_snp_launch_update.len(update) != 0);
    }
  }

  /**
   * Finishes the launch by KVM_SEV_SNP_LAUNCH_FINISH (arch/x86/kvm/svm/sev.c:snp_launch_finish),
   * which also encrypts the vCPU's registers.
   *
   * @throws KernelException EIO: what the secure processor said, in error
   */
  @Override
  public void finish() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment finish = kvm_sev_snp_launch_finish.allocate(arena);
      int id = Kvm.KVM_SEV_SNP_LAUNCH_FINISH();
      make(arena, vm(), processor, "KVM_SEV_SNP_LAUNCH_FINISH", id, finish);
    }
  }

  private static int make(
      Arena arena, Vm vm, Fd processor, String name, int id, MemorySegment data) {
    MemorySegment command = kvm_sev_cmd.allocate(arena);
    kvm_sev_cmd.id(command, id);
    kvm_sev_cmd.data(command, data.address());
    kvm_sev_cmd.sev_fd(command, processor.number());
    int result = vm.fd().tryIoctl(KvmIoctls.KVM_MEMORY_ENCRYPT_OP, command);
    if (result < 0) {
      throw new KernelException(
          name, vm.fd().target(), SevStatus.text(kvm_sev_cmd.error(command)), -result);
    }
    return result;
  }

  @Override
  public void close() {
    try (CloseStack all = new CloseStack()) {
      all.push(processor);
      all.push(vm());
    }
  }
}
