package dev.iolite.kvm;

import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_attestation_report;
import dev.iolite.uapi.kvm.kvm_sev_dbg;
import dev.iolite.uapi.kvm.kvm_sev_guest_status;
import dev.iolite.uapi.kvm.kvm_sev_init;
import dev.iolite.uapi.kvm.kvm_sev_launch_measure;
import dev.iolite.uapi.kvm.kvm_sev_launch_secret;
import dev.iolite.uapi.kvm.kvm_sev_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_launch_update_data;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The sub-commands of KVM_MEMORY_ENCRYPT_OP on a VM with AMD SEV or SEV-ES; those of SEV-SNP are in
 * {@link Snp}. Made by {@link Vm#sev}. A method makes one command, and keeps no order: {@link
 * #init}, {@link #launchStart}, {@link #launchUpdateData}, with SEV-ES {@link #launchUpdateVmsa},
 * {@link #launchMeasure}, perhaps {@link #launchSecret}, {@link #launchFinish}.
 *
 * <p>All of them are handled in arch/x86/kvm/svm/sev.c:sev_mem_enc_ioctl. They fail with ENOTTY on
 * a VM that is not initialized, with EPERM on one with SEV-SNP, with EBADF before the guest is
 * started, and with EIO if the secure processor refuses; the message then has its error.
 *
 * <p>Safe for use by several threads.
 */
public final class Sev {
  private final SevCommand command;
  private final Vm vm;

  Sev(Vm vm, SecureProcessor processor) {
    this.vm = vm;
    command = new SevCommand(vm.fd(), processor.fd());
  }

  /**
   * Initializes a VM of type SEV, SEV_ES or SNP for encryption, before it has vCPUs.
   *
   * <p>KVM_SEV_INIT2, since Linux 6.10, arch/x86/kvm/svm/sev.c:sev_guest_init2.
   *
   * @throws KernelException EINVAL: initialized already, has vCPUs, is of another type, or KVM does
   *     not offer what was asked for; EBUSY: no ASID is left; EIO: the processor refused; ENODEV:
   *     there is none; ENOTTY: no ASID is set aside for this type
   */
  public void init(SevInit init) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_init.allocate(arena);
      kvm_sev_init.vmsa_features(data, init.vmsaFeatures());
      kvm_sev_init.ghcb_version(data, (short) init.ghcbVersion());
      command.make(arena, "KVM_SEV_INIT2", Kvm.KVM_SEV_INIT2(), data);
    }
  }

  /**
   * Makes a default VM one with SEV, in the way that Linux had before 6.10.
   *
   * <p>KVM_SEV_INIT, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_guest_init.
   *
   * @throws KernelException as for {@link #init}
   */
  public void initDefault() {
    command.make("KVM_SEV_INIT", Kvm.KVM_SEV_INIT());
  }

  /**
   * Makes a default VM one with SEV-ES, in the way that Linux had before 6.10.
   *
   * <p>KVM_SEV_ES_INIT, since Linux 5.11, arch/x86/kvm/svm/sev.c:sev_guest_init.
   *
   * @throws KernelException as for {@link #init}
   */
  public void initDefaultEs() {
    command.make("KVM_SEV_ES_INIT", Kvm.KVM_SEV_ES_INIT());
  }

  /**
   * Starts a launch without the guest's owner.
   *
   * @param policy the guest's policy: bit 0 forbids debugging, bit 2 requires SEV-ES
   * @return the guest's handle
   * @throws KernelException as for {@link #launchStart(int, int, byte[], byte[])}
   */
  public int launchStart(int policy) {
    return launchStart(policy, 0, new byte[0], new byte[0]);
  }

  /**
   * Starts a launch: the secure processor makes the key of the guest's memory.
   *
   * <p>KVM_SEV_LAUNCH_START, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_launch_start.
   *
   * @param policy the guest's policy: bit 0 forbids debugging, bit 1 sharing the key, bit 2
   *     requires SEV-ES, bit 3 forbids sending it
   * @param shared the handle of a guest whose key it is to have; 0 for a key of its own
   * @param certificate the Diffie-Hellman certificate of the guest's owner; empty for none
   * @param session the session with the owner; empty for none
   * @return the guest's handle
   * @throws KernelException EINVAL: a blob of more than 16 KiB; EBADF: no secure processor; EIO
   */
  public int launchStart(int policy, int shared, byte[] certificate, byte[] session) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_launch_start.allocate(arena);
      kvm_sev_launch_start.policy(data, policy);
      kvm_sev_launch_start.handle(data, shared);
      kvm_sev_launch_start.dh_uaddr(data, blob(arena, certificate).address());
      kvm_sev_launch_start.dh_len(data, certificate.length);
      kvm_sev_launch_start.session_uaddr(data, blob(arena, session).address());
      kvm_sev_launch_start.session_len(data, session.length);
      command.make(arena, "KVM_SEV_LAUNCH_START", Kvm.KVM_SEV_LAUNCH_START(), data);
      return kvm_sev_launch_start.handle(data);
    }
  }

  /** A copy of it for the kernel; NULL if it is empty. */
  static MemorySegment blob(Arena arena, byte[] content) {
    return content.length == 0
        ? MemorySegment.NULL
        : arena.allocateFrom(ValueLayout.JAVA_BYTE, content);
  }

  /**
   * Encrypts guest memory in place, and measures it.
   *
   * <p>KVM_SEV_LAUNCH_UPDATE_DATA, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_launch_update_data.
   *
   * @param memory what a slot of the VM leads to; address and size are multiples of 16
   * @throws KernelException ENOMEM: it can't be pinned, perhaps for RLIMIT_MEMLOCK; EINVAL: it is
   *     empty; EIO: also if the launch is over
   */
  public void launchUpdateData(MemorySegment memory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_launch_update_data.allocate(arena);
      kvm_sev_launch_update_data.uaddr(data, memory.address());
      kvm_sev_launch_update_data.len(data, Math.toIntExact(memory.byteSize()));
      command.make(
          arena, "KVM_SEV_LAUNCH_UPDATE_DATA", Kvm.KVM_SEV_LAUNCH_UPDATE_DATA(), data, memory);
    }
  }

  /**
   * Encrypts and measures the registers of all vCPUs of a guest with SEV-ES.
   *
   * <p>KVM_SEV_LAUNCH_UPDATE_VMSA, since Linux 5.11, arch/x86/kvm/svm/sev.c:sev_launch_update_vmsa.
   *
   * @throws KernelException ENOTTY: the VM has no SEV-ES; EINVAL: they are encrypted already, or a
   *     vCPU is being debugged; EIO
   */
  public void launchUpdateVmsa() {
    command.make("KVM_SEV_LAUNCH_UPDATE_VMSA", Kvm.KVM_SEV_LAUNCH_UPDATE_VMSA());
  }

  /**
   * Ends the measurement, and returns it: what the guest's owner compares, and a nonce.
   *
   * <p>KVM_SEV_LAUNCH_MEASURE, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_launch_measure. The
   * first of two commands asks for the size.
   *
   * @throws KernelException EIO: also if it has ended already
   */
  public byte[] launchMeasure() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_launch_measure.allocate(arena);
      String name = "KVM_SEV_LAUNCH_MEASURE";
      int id = Kvm.KVM_SEV_LAUNCH_MEASURE();
      command.askSize(arena, name, id, data);
      MemorySegment blob = arena.allocate(length(kvm_sev_launch_measure.len(data)));
      kvm_sev_launch_measure.uaddr(data, blob.address());
      command.make(arena, name, id, data);
      return blob.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private static long length(int bytes) {
    return Integer.toUnsignedLong(bytes);
  }

  /**
   * Puts a secret of the guest's owner into the guest's memory.
   *
   * <p>KVM_SEV_LAUNCH_SECRET, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_launch_secret.
   *
   * @param memory where it goes, as long as the secret; KVM wants physically contiguous pages, so
   *     it is best in one
   * @param secret the secret, encrypted by the owner
   * @throws KernelException EINVAL: the pages are not contiguous; ENOMEM; EIO: also before {@link
   *     #launchMeasure} and after {@link #launchFinish}
   */
  public void launchSecret(MemorySegment memory, SevPacket secret) {
    try (Arena arena = Arena.ofConfined()) {
      byte[] header = secret.header();
      byte[] content = secret.data();
      MemorySegment data = kvm_sev_launch_secret.allocate(arena);
      kvm_sev_launch_secret.hdr_uaddr(data, blob(arena, header).address());
      kvm_sev_launch_secret.hdr_len(data, header.length);
      kvm_sev_launch_secret.trans_uaddr(data, blob(arena, content).address());
      kvm_sev_launch_secret.trans_len(data, content.length);
      kvm_sev_launch_secret.guest_uaddr(data, memory.address());
      kvm_sev_launch_secret.guest_len(data, Math.toIntExact(memory.byteSize()));
      command.make(arena, "KVM_SEV_LAUNCH_SECRET", Kvm.KVM_SEV_LAUNCH_SECRET(), data, memory);
    }
  }

  /**
   * Ends the launch: the guest can run.
   *
   * <p>KVM_SEV_LAUNCH_FINISH, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_launch_finish.
   *
   * @throws KernelException EIO: also before {@link #launchMeasure}
   */
  public void launchFinish() {
    command.make("KVM_SEV_LAUNCH_FINISH", Kvm.KVM_SEV_LAUNCH_FINISH());
  }

  /**
   * What the secure processor says about the guest.
   *
   * <p>KVM_SEV_GUEST_STATUS, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_guest_status.
   */
  public SevGuestStatus guestStatus() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_guest_status.allocate(arena);
      command.make(arena, "KVM_SEV_GUEST_STATUS", Kvm.KVM_SEV_GUEST_STATUS(), data);
      return new SevGuestStatus(
          kvm_sev_guest_status.handle(data),
          kvm_sev_guest_status.policy(data),
          SevGuestState.of(kvm_sev_guest_status.state(data)));
    }
  }

  /**
   * Decrypts memory of a guest whose policy allows that.
   *
   * <p>KVM_SEV_DBG_DECRYPT, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_dbg_crypt.
   *
   * @param guest memory of the guest
   * @param into memory of this process, at least as long
   * @throws KernelException EINVAL: it is empty; ENOMEM: it can't be pinned; EIO: also with
   *     POLICY_FAILURE
   */
  public void dbgDecrypt(MemorySegment guest, MemorySegment into) {
    debug("KVM_SEV_DBG_DECRYPT", Kvm.KVM_SEV_DBG_DECRYPT(), guest, into);
  }

  /**
   * Encrypts memory for a guest whose policy allows that.
   *
   * <p>KVM_SEV_DBG_ENCRYPT, since Linux 4.16, arch/x86/kvm/svm/sev.c:sev_dbg_crypt.
   *
   * @param from memory of this process
   * @param guest memory of the guest, at least as long
   * @throws KernelException as for {@link #dbgDecrypt}
   */
  public void dbgEncrypt(MemorySegment from, MemorySegment guest) {
    debug("KVM_SEV_DBG_ENCRYPT", Kvm.KVM_SEV_DBG_ENCRYPT(), from, guest);
  }

  private void debug(String name, int id, MemorySegment source, MemorySegment target) {
    // What is shorter throws here, before the kernel writes beyond it.
    MemorySegment written = target.asSlice(0, source.byteSize());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_dbg.allocate(arena);
      kvm_sev_dbg.src_uaddr(data, source.address());
      kvm_sev_dbg.dst_uaddr(data, written.address());
      kvm_sev_dbg.len(data, Math.toIntExact(source.byteSize()));
      HeldMemory.during(
          source,
          () -> {
            command.make(arena, name, id, data, written);
            return 0;
          });
    }
  }

  /**
   * The digest of what the guest was launched with, signed by the platform.
   *
   * <p>KVM_SEV_GET_ATTESTATION_REPORT, since Linux 5.13,
   * arch/x86/kvm/svm/sev.c:sev_get_attestation_report. The first of two commands asks for the size.
   *
   * @param nonce 16 bytes that will be in the report
   * @throws IllegalArgumentException if the nonce has another length
   */
  public byte[] attestationReport(byte[] nonce) {
    if (nonce.length != kvm_sev_attestation_report.mnonce$layout().byteSize()) {
      throw new IllegalArgumentException("a nonce has 16 bytes, not " + nonce.length);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_attestation_report.allocate(arena);
      String name = "KVM_SEV_GET_ATTESTATION_REPORT";
      int id = Kvm.KVM_SEV_GET_ATTESTATION_REPORT();
      command.askSize(arena, name, id, data);
      MemorySegment blob = arena.allocate(length(kvm_sev_attestation_report.len(data)));
      kvm_sev_attestation_report.mnonce(data, MemorySegment.ofArray(nonce));
      kvm_sev_attestation_report.uaddr(data, blob.address());
      command.make(arena, name, id, data);
      return blob.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** The commands that send the guest to another machine, or receive it. */
  public SevMigration migration() {
    return new SevMigration(command);
  }

  /**
   * Makes this VM a mirror of another: it shares the encryption, and may see other memory. Only
   * {@link #launchUpdateVmsa}, {@link #guestStatus} and the debugging commands work on a mirror.
   *
   * <p>KVM_CAP_VM_COPY_ENC_CONTEXT_FROM, since Linux 5.13,
   * arch/x86/kvm/svm/sev.c:sev_vm_copy_enc_context_from.
   *
   * @param source a VM with SEV or SEV-ES that is not a mirror; KVM keeps it as long as this one
   * @throws KernelException EINVAL: this VM is encrypted already or has vCPUs, or the source is not
   *     such a VM
   */
  public void copyContextFrom(Vm source) {
    vm.enable(Capability.raw(Kvm.KVM_CAP_VM_COPY_ENC_CONTEXT_FROM()), source.fd().number());
  }

  /**
   * Moves the encryption, and with SEV-ES the registers, of another VM of the same type into this
   * one. Every later call on the source fails with EIO.
   *
   * <p>KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM, since Linux 5.16,
   * arch/x86/kvm/svm/sev.c:sev_vm_move_enc_context_from.
   *
   * @param source a VM with SEV or SEV-ES; with SEV-ES, of as many vCPUs as this one, all encrypted
   * @throws KernelException EINVAL: this VM is encrypted already, or the source is not such a VM
   */
  public void moveContextFrom(Vm source) {
    vm.enable(Capability.raw(Kvm.KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM()), source.fd().number());
  }
}
