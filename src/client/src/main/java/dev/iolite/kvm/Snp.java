package dev.iolite.kvm;

import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_finish;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_snp_launch_update;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The sub-commands of KVM_MEMORY_ENCRYPT_OP on a VM with AMD SEV-SNP. Made by {@link Vm#snp}. The
 * VM is initialized by {@link Sev#init}; after that, these are the only commands that it has.
 * {@link SnpLaunch} makes them in order.
 *
 * <p>All of them are handled in arch/x86/kvm/svm/sev.c:sev_mem_enc_ioctl. They fail with EIO if the
 * secure processor refuses; the message then has its error.
 *
 * <p>Safe for use by several threads.
 */
public final class Snp {
  private static final int GOSVW_BYTES = 16;

  private final SevCommand command;

  Snp(Vm vm, SecureProcessor processor) {
    command = new SevCommand(vm.fd(), processor.fd());
  }

  /**
   * Starts the launch of a guest that sees the host's workarounds as none.
   *
   * @throws KernelException as for {@link #launchStart(long, byte[])}
   */
  public void launchStart(long policy) {
    launchStart(policy, new byte[GOSVW_BYTES]);
  }

  /**
   * Starts the launch: the secure processor makes the guest's context.
   *
   * <p>KVM_SEV_SNP_LAUNCH_START, since Linux 6.11, arch/x86/kvm/svm/sev.c:snp_launch_start.
   *
   * @param policy the guest's policy, of the bits that the attribute KVM_X86_SNP_POLICY_BITS
   *     offers; bit 16 allows SMT, bit 17 must be 1, bit 19 allows debugging
   * @param workarounds the workarounds that the guest is to see as visible to the operating system
   *     (GOSVW), 16 bytes
   * @throws KernelException EINVAL: started already, or KVM does not support the policy; ENOTTY:
   *     the VM has no SEV-SNP, or the processor made no context; EIO
   * @throws IllegalArgumentException if the workarounds have another length
   */
  public void launchStart(long policy, byte[] workarounds) {
    if (workarounds.length != GOSVW_BYTES) {
      throw new IllegalArgumentException("GOSVW has 16 bytes, not " + workarounds.length);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_snp_launch_start.allocate(arena);
      kvm_sev_snp_launch_start.policy(data, policy);
      kvm_sev_snp_launch_start.gosvw(data, MemorySegment.ofArray(workarounds));
      command.make(arena, "KVM_SEV_SNP_LAUNCH_START", Kvm.KVM_SEV_SNP_LAUNCH_START(), data);
    }
  }

  /**
   * Adds private memory with its initial content.
   *
   * <p>KVM_SEV_SNP_LAUNCH_UPDATE, since Linux 6.11, arch/x86/kvm/svm/sev.c:snp_launch_update, which
   * stops at the end of a slot; this method continues.
   *
   * @param gpa the first address, a multiple of 4 KiB, in a slot with a guest_memfd, private by its
   *     attribute
   * @param type what the pages are, except {@link SnpPageType#ZERO}
   * @param content native memory, page-aligned, of whole pages
   * @throws KernelException EINVAL: not aligned, not started, or no slot with a guest_memfd; EIO:
   *     not private by its attribute, already added, or what the secure processor said, in error
   */
  public void launchUpdate(long gpa, SnpPageType type, MemorySegment content) {
    HeldMemory.during(
        content,
        () -> {
          update(gpa, type, content.address(), content.byteSize());
          return 0;
        });
  }

  /**
   * Adds private memory that is zero, of type {@link SnpPageType#ZERO}.
   *
   * @param bytes how much, in whole pages
   * @throws KernelException as for {@link #launchUpdate}
   */
  public void launchUpdateZero(long gpa, long bytes) {
    update(gpa, SnpPageType.ZERO, 0, bytes);
  }

  private void update(long gpa, SnpPageType type, long source, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment update = kvm_sev_snp_launch_update.allocate(arena);
      kvm_sev_snp_launch_update.gfn_start(update, gpa >>> Page.SHIFT);
      kvm_sev_snp_launch_update.uaddr(update, source);
      kvm_sev_snp_launch_update.len(update, bytes);
      kvm_sev_snp_launch_update.type(update, (byte) type.number());
      String name = "KVM_SEV_SNP_LAUNCH_UPDATE";
      long left;
      do {
        left = kvm_sev_snp_launch_update.len(update);
        command.make(arena, name, Kvm.KVM_SEV_SNP_LAUNCH_UPDATE(), update);
        if (kvm_sev_snp_launch_update.len(update) == left) {
          throw KernelException.of(name, command.vm().target(), "", 0, ", and added nothing");
        }
      } while (kvm_sev_snp_launch_update.len(update) != 0);
    }
  }

  /**
   * Encrypts the registers of all vCPUs, and ends the launch: the guest can run.
   *
   * <p>KVM_SEV_SNP_LAUNCH_FINISH, since Linux 6.11, arch/x86/kvm/svm/sev.c:snp_launch_finish.
   *
   * @throws KernelException EINVAL: not started, or finished already; EIO
   */
  public void launchFinish(SnpFinish finish) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_snp_launch_finish.allocate(arena);
      finish
          .identity()
          .ifPresent(identity -> {
            kvm_sev_snp_launch_finish.id_block_en(data, (byte) 1);
            kvm_sev_snp_launch_finish.id_block_uaddr(
                data, Sev.blob(arena, identity.block().bytes()).address());
            kvm_sev_snp_launch_finish.id_auth_uaddr(
                data, Sev.blob(arena, identity.authentication().bytes()).address());
            kvm_sev_snp_launch_finish.auth_key_en(data, (byte) (identity.hasAuthorKey() ? 1 : 0));
          });
      kvm_sev_snp_launch_finish.vcek_disabled(data, (byte) (finish.isVcekDisabled() ? 1 : 0));
      kvm_sev_snp_launch_finish.host_data(data, MemorySegment.ofArray(finish.hostData()));
      command.make(arena, "KVM_SEV_SNP_LAUNCH_FINISH", Kvm.KVM_SEV_SNP_LAUNCH_FINISH(), data);
    }
  }

  /**
   * Makes the guest's requests for certificates leave the guest, as KVM_EXIT_SNP_REQ_CERTS.
   *
   * <p>KVM_SEV_SNP_ENABLE_REQ_CERTS, arch/x86/kvm/svm/sev.c:snp_enable_certs.
   *
   * @throws KernelException EINVAL: the VM has vCPUs, or no SEV-SNP
   */
  public void enableCertificateRequests() {
    command.make("KVM_SEV_SNP_ENABLE_REQ_CERTS", Kvm.KVM_SEV_SNP_ENABLE_REQ_CERTS());
  }
}
