package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Pin;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_receive_start;
import dev.iolite.uapi.kvm.kvm_sev_receive_update_data;
import dev.iolite.uapi.kvm.kvm_sev_send_start;
import dev.iolite.uapi.kvm.kvm_sev_send_update_data;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** A guest with SEV that is sent to another machine, or received; arch/x86/kvm/svm/sev.c. */
final class SevTransfer extends SevCommands {
  SevTransfer(KvmVm vm, SevVm sev) {
    super(vm, sev);
  }

  /** What does a command; empty if it is none of these. */
  Optional<Runnable> handler(int id, MemorySegment command) {
    Runnable handler = null;
    if (id == Kvm.KVM_SEV_SEND_START()) {
      handler = () -> sendStart(command);
    } else if (id == Kvm.KVM_SEV_SEND_UPDATE_DATA()) {
      handler = () -> sendUpdateData(command);
    } else if (id == Kvm.KVM_SEV_SEND_FINISH()) {
      handler = () -> sendFinish(command);
    } else if (id == Kvm.KVM_SEV_SEND_CANCEL()) {
      handler = () -> sendCancel(command);
    } else if (id == Kvm.KVM_SEV_RECEIVE_START()) {
      handler = () -> receiveStart(command);
    } else if (id == Kvm.KVM_SEV_RECEIVE_UPDATE_DATA()) {
      handler = () -> receiveUpdateData(command);
    } else if (id == Kvm.KVM_SEV_RECEIVE_FINISH()) {
      handler = () -> receiveFinish(command);
    }
    return Optional.ofNullable(handler);
  }

  /** sev_send_start. A session of length 0 asks for the length, which comes with the error. */
  private void sendStart(MemorySegment command) {
    requireSev();
    long data = kvm_sev_cmd.data(command);
    MemorySegment start = task().in(data, kvm_sev_send_start.sizeof());
    int room = kvm_sev_send_start.session_len(start);
    if (room != 0) {
      refuseIf(
          kvm_sev_send_start.pdh_cert_uaddr(start) == 0
              || kvm_sev_send_start.pdh_cert_len(start) == 0
              || kvm_sev_send_start.session_uaddr(start) == 0,
          Errno.EINVAL);
      SevBlobs.requireSize(room);
      readCertificates(start);
    }
    SevReply reply = sev.issue(command, "SEND_START", () -> processor().sendStart(handle(), room));
    if (room != 0) {
      if (reply.isDone()) {
        SevBlobs.give(task(), kvm_sev_send_start.session_uaddr(start), reply.data(), room);
      }
      kvm_sev_send_start.policy(start, reply.isDone() ? reply.number() : 0);
    }
    kvm_sev_send_start.session_len(
        start, reply.isDone() ? SevTransport.SESSION_BYTES : reply.lengthOr(room));
    task().out(data, start);
    reply.orEio();
  }

  /** The model reads the certificates, and checks none. */
  private void readCertificates(MemorySegment start) {
    SevBlobs.copy(
        task(), kvm_sev_send_start.pdh_cert_uaddr(start), kvm_sev_send_start.pdh_cert_len(start));
    SevBlobs.copy(
        task(),
        kvm_sev_send_start.plat_certs_uaddr(start),
        kvm_sev_send_start.plat_certs_len(start));
    SevBlobs.copy(
        task(), kvm_sev_send_start.amd_certs_uaddr(start), kvm_sev_send_start.amd_certs_len(start));
  }

  /** sev_send_update_data. */
  private void sendUpdateData(MemorySegment command) {
    requireSev();
    long data = kvm_sev_cmd.data(command);
    MemorySegment update = task().in(data, kvm_sev_send_update_data.sizeof());
    int headerRoom = kvm_sev_send_update_data.hdr_len(update);
    int dataRoom = kvm_sev_send_update_data.trans_len(update);
    if (headerRoom == 0 || dataRoom == 0) {
      askLengths(command, data, update);
      return;
    }
    long address = kvm_sev_send_update_data.guest_uaddr(update);
    int bytes = kvm_sev_send_update_data.guest_len(update);
    refuseIf(
        kvm_sev_send_update_data.trans_uaddr(update) == 0
            || address == 0
            || bytes == 0
            || kvm_sev_send_update_data.hdr_uaddr(update) == 0,
        Errno.EINVAL);
    requireInPage(address, bytes);
    MemorySegment content = MemorySegment.ofArray(new byte[bytes]);
    Pin pin = SevRegions.pin(task(), address, bytes, false);
    try {
      SevBlobs.requireAllocation(headerRoom);
      SevBlobs.requireAllocation(dataRoom);
      pin.read(0, content);
    } finally {
      pin.release();
    }
    MemorySegment packet =
        sev.issue(
                command,
                "SEND_UPDATE_DATA",
                () -> processor().sendUpdateData(handle(), address, content, headerRoom, dataRoom))
            .orEio()
            .data();
    SevBlobs.give(
        task(),
        kvm_sev_send_update_data.trans_uaddr(update),
        packet.asSlice(SevTransport.HEADER_BYTES),
        dataRoom);
    SevBlobs.give(
        task(),
        kvm_sev_send_update_data.hdr_uaddr(update),
        packet.asSlice(0, SevTransport.HEADER_BYTES),
        headerRoom);
  }

  /** __sev_send_update_data_query_lengths, of a packet without data. */
  private void askLengths(MemorySegment command, long data, MemorySegment update) {
    MemorySegment nothing = MemorySegment.ofArray(new byte[0]);
    SevReply reply =
        sev.issue(
            command,
            "SEND_UPDATE_DATA",
            () -> processor().sendUpdateData(handle(), 0, nothing, 0, 0));
    kvm_sev_send_update_data.hdr_len(update, reply.lengthOr(0));
    kvm_sev_send_update_data.trans_len(update, 0);
    task().out(data, update);
    reply.orEio();
  }

  private static void requireInPage(long address, int bytes) {
    refuseIf(
        Integer.compareUnsigned(bytes, (int) Page.BYTES) > 0
            || inPage(address) + bytes > Page.BYTES,
        Errno.EINVAL);
  }

  /** sev_send_finish. */
  private void sendFinish(MemorySegment command) {
    requireSev();
    sev.issue(command, "SEND_FINISH", () -> processor().sendFinish(handle())).orEio();
  }

  /** sev_send_cancel. */
  private void sendCancel(MemorySegment command) {
    requireSev();
    sev.issue(command, "SEND_CANCEL", () -> processor().sendCancel(handle())).orEio();
  }

  /** sev_receive_start. */
  private void receiveStart(MemorySegment command) {
    requireSev();
    MemorySegment start = task().in(kvm_sev_cmd.data(command), kvm_sev_receive_start.sizeof());
    SevBlobs.copy(
        task(), kvm_sev_receive_start.pdh_uaddr(start), kvm_sev_receive_start.pdh_len(start));
    byte[] session =
        SevBlobs.copy(
            task(),
            kvm_sev_receive_start.session_uaddr(start),
            kvm_sev_receive_start.session_len(start));
    int policy = kvm_sev_receive_start.policy(start);
    int shared = kvm_sev_receive_start.handle(start);
    sev.requireProcessor(kvm_sev_cmd.sev_fd(command));
    int handle =
        sev.execute(
                command, "RECEIVE_START", () -> processor().receiveStart(shared, policy, session))
            .orEio()
            .number();
    kvm_sev_receive_start.handle(start, handle);
    started(command, start, handle);
  }

  /** sev_receive_update_data, which says EINVAL where its siblings say ENOTTY. */
  private void receiveUpdateData(MemorySegment command) {
    refuseIf(!sev.context().active, Errno.EINVAL);
    MemorySegment update =
        task().in(kvm_sev_cmd.data(command), kvm_sev_receive_update_data.sizeof());
    long address = kvm_sev_receive_update_data.guest_uaddr(update);
    int bytes = kvm_sev_receive_update_data.guest_len(update);
    refuseIf(address == 0 || bytes == 0, Errno.EINVAL);
    requireInPage(address, bytes);
    byte[] header =
        SevBlobs.copy(
            task(),
            kvm_sev_receive_update_data.hdr_uaddr(update),
            kvm_sev_receive_update_data.hdr_len(update));
    byte[] data =
        SevBlobs.copy(
            task(),
            kvm_sev_receive_update_data.trans_uaddr(update),
            kvm_sev_receive_update_data.trans_len(update));
    MemorySegment content = MemorySegment.ofArray(new byte[bytes]);
    Pin pin = SevRegions.pin(task(), address, bytes, true);
    try {
      sev.issue(
              command,
              "RECEIVE_UPDATE_DATA",
              () -> processor().receiveUpdateData(handle(), address, content, header, data))
          .orEio();
      pin.write(0, content);
    } finally {
      pin.release();
    }
  }

  /** sev_receive_finish. */
  private void receiveFinish(MemorySegment command) {
    requireSev();
    sev.issue(command, "RECEIVE_FINISH", () -> processor().receiveFinish(handle())).orEio();
  }
}
