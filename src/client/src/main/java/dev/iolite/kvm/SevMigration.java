package dev.iolite.kvm;

import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_receive_start;
import dev.iolite.uapi.kvm.kvm_sev_receive_update_data;
import dev.iolite.uapi.kvm.kvm_sev_send_start;
import dev.iolite.uapi.kvm.kvm_sev_send_update_data;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The commands that send the memory of a guest with SEV to another machine, and receive it there.
 * Made by {@link Sev#migration}. KVM has none for the registers of a guest with SEV-ES.
 *
 * <p>Errors are those of {@link Sev}. Safe for use by several threads.
 */
public final class SevMigration {
  private final SevCommand command;

  SevMigration(SevCommand command) {
    this.command = command;
  }

  /**
   * The certificates of the machine to which a guest is sent.
   *
   * <p>Each is a blob of up to 16 KiB, and none may be empty.
   */
  public static final class Certificates {
    private final byte[] diffieHellman;
    private final byte[] platform;
    private final byte[] amd;

    /**
     * Makes the set; the arrays are copied.
     *
     * @param diffieHellman its Diffie-Hellman certificate (PDH)
     * @param platform its chain up to the certificate of its chip (CEK)
     * @param amd AMD's own chain
     */
    public Certificates(byte[] diffieHellman, byte[] platform, byte[] amd) {
      this.diffieHellman = diffieHellman.clone();
      this.platform = platform.clone();
      this.amd = amd.clone();
    }
  }

  /**
   * Begins to send a guest that runs.
   *
   * <p>KVM_SEV_SEND_START, since Linux 5.14, arch/x86/kvm/svm/sev.c:sev_send_start. The first of
   * two commands asks for the size of the session.
   *
   * @return the session, for {@link #receiveStart}
   * @throws KernelException EINVAL: a certificate is missing or has more than 16 KiB; EIO: also
   *     with POLICY_FAILURE if the guest's policy forbids it
   */
  public byte[] sendStart(Certificates target) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_send_start.allocate(arena);
      String name = "KVM_SEV_SEND_START";
      int id = Kvm.KVM_SEV_SEND_START();
      command.askSize(arena, name, id, data);
      int bytes = kvm_sev_send_start.session_len(data);
      MemorySegment session = arena.allocate(Integer.toUnsignedLong(bytes));
      kvm_sev_send_start.session_uaddr(data, session.address());
      kvm_sev_send_start.pdh_cert_uaddr(data, Sev.blob(arena, target.diffieHellman).address());
      kvm_sev_send_start.pdh_cert_len(data, target.diffieHellman.length);
      kvm_sev_send_start.plat_certs_uaddr(data, Sev.blob(arena, target.platform).address());
      kvm_sev_send_start.plat_certs_len(data, target.platform.length);
      kvm_sev_send_start.amd_certs_uaddr(data, Sev.blob(arena, target.amd).address());
      kvm_sev_send_start.amd_certs_len(data, target.amd.length);
      command.make(arena, name, id, data);
      return session.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Encrypts guest memory for the other machine. The guest's own memory stays as it is.
   *
   * <p>KVM_SEV_SEND_UPDATE_DATA, since Linux 5.14, arch/x86/kvm/svm/sev.c:sev_send_update_data. The
   * first of two commands asks for the size of the header.
   *
   * @param memory memory of the guest, in one page; address and size are multiples of 16
   * @throws KernelException EINVAL: it is empty, or in more than one page; ENOMEM; EIO
   */
  public SevPacket sendUpdateData(MemorySegment memory) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_send_update_data.allocate(arena);
      String name = "KVM_SEV_SEND_UPDATE_DATA";
      int id = Kvm.KVM_SEV_SEND_UPDATE_DATA();
      command.askSize(arena, name, id, data);
      MemorySegment header =
          arena.allocate(Integer.toUnsignedLong(kvm_sev_send_update_data.hdr_len(data)));
      MemorySegment content = arena.allocate(memory.byteSize());
      kvm_sev_send_update_data.hdr_uaddr(data, header.address());
      kvm_sev_send_update_data.trans_uaddr(data, content.address());
      kvm_sev_send_update_data.trans_len(data, Math.toIntExact(memory.byteSize()));
      kvm_sev_send_update_data.guest_uaddr(data, memory.address());
      kvm_sev_send_update_data.guest_len(data, Math.toIntExact(memory.byteSize()));
      command.make(arena, name, id, data, memory);
      return new SevPacket(
          header.toArray(ValueLayout.JAVA_BYTE), content.toArray(ValueLayout.JAVA_BYTE));
    }
  }

  /**
   * Ends the sending. The guest cannot be sent again.
   *
   * <p>KVM_SEV_SEND_FINISH, since Linux 5.14, arch/x86/kvm/svm/sev.c:sev_send_finish.
   */
  public void sendFinish() {
    command.make("KVM_SEV_SEND_FINISH", Kvm.KVM_SEV_SEND_FINISH());
  }

  /**
   * Gives up the sending: the guest can be sent to another machine.
   *
   * <p>KVM_SEV_SEND_CANCEL, since Linux 5.14, arch/x86/kvm/svm/sev.c:sev_send_cancel.
   */
  public void sendCancel() {
    command.make("KVM_SEV_SEND_CANCEL", Kvm.KVM_SEV_SEND_CANCEL());
  }

  /**
   * Begins to receive a guest.
   *
   * <p>KVM_SEV_RECEIVE_START, since Linux 5.14, arch/x86/kvm/svm/sev.c:sev_receive_start.
   *
   * @param policy the guest's policy on the machine that sends it
   * @param diffieHellman the Diffie-Hellman certificate of that machine
   * @param session what {@link #sendStart} returned there
   * @return the guest's handle
   * @throws KernelException EINVAL: a blob is empty, or has more than 16 KiB; EBADF: no secure
   *     processor; EIO: also if the session is not genuine
   */
  public int receiveStart(int policy, byte[] diffieHellman, byte[] session) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = kvm_sev_receive_start.allocate(arena);
      kvm_sev_receive_start.policy(data, policy);
      kvm_sev_receive_start.pdh_uaddr(data, Sev.blob(arena, diffieHellman).address());
      kvm_sev_receive_start.pdh_len(data, diffieHellman.length);
      kvm_sev_receive_start.session_uaddr(data, Sev.blob(arena, session).address());
      kvm_sev_receive_start.session_len(data, session.length);
      command.make(arena, "KVM_SEV_RECEIVE_START", Kvm.KVM_SEV_RECEIVE_START(), data);
      return kvm_sev_receive_start.handle(data);
    }
  }

  /**
   * Puts a packet into the memory of a guest that is being received.
   *
   * <p>KVM_SEV_RECEIVE_UPDATE_DATA, since Linux 5.14,
   * arch/x86/kvm/svm/sev.c:sev_receive_update_data.
   *
   * @param memory memory of the guest, in one page, as long as the packet's content
   * @param packet what {@link #sendUpdateData} returned on the other machine
   * @throws KernelException EINVAL: the VM is not initialized, or the memory is empty or in more
   *     than one page; ENOMEM; EIO: also if the packet is not genuine
   */
  public void receiveUpdateData(MemorySegment memory, SevPacket packet) {
    try (Arena arena = Arena.ofConfined()) {
      byte[] header = packet.header();
      byte[] content = packet.data();
      MemorySegment data = kvm_sev_receive_update_data.allocate(arena);
      kvm_sev_receive_update_data.hdr_uaddr(data, Sev.blob(arena, header).address());
      kvm_sev_receive_update_data.hdr_len(data, header.length);
      kvm_sev_receive_update_data.trans_uaddr(data, Sev.blob(arena, content).address());
      kvm_sev_receive_update_data.trans_len(data, content.length);
      kvm_sev_receive_update_data.guest_uaddr(data, memory.address());
      kvm_sev_receive_update_data.guest_len(data, Math.toIntExact(memory.byteSize()));
      command.make(
          arena, "KVM_SEV_RECEIVE_UPDATE_DATA", Kvm.KVM_SEV_RECEIVE_UPDATE_DATA(), data, memory);
    }
  }

  /**
   * Ends the receiving: the guest can run.
   *
   * <p>KVM_SEV_RECEIVE_FINISH, since Linux 5.14, arch/x86/kvm/svm/sev.c:sev_receive_finish.
   */
  public void receiveFinish() {
    command.make("KVM_SEV_RECEIVE_FINISH", Kvm.KVM_SEV_RECEIVE_FINISH());
  }
}
