package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Pin;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_sev_attestation_report;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_guest_status;
import dev.iolite.uapi.kvm.kvm_sev_launch_measure;
import dev.iolite.uapi.kvm.kvm_sev_launch_secret;
import dev.iolite.uapi.kvm.kvm_sev_launch_start;
import dev.iolite.uapi.kvm.kvm_sev_launch_update_data;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/** The launch of a guest with SEV or SEV-ES, and what it was; arch/x86/kvm/svm/sev.c. */
final class SevLaunch extends SevCommands {
  SevLaunch(KvmVm vm, SevVm sev) {
    super(vm, sev);
  }

  /** What does a command; empty if it is none of these. */
  Optional<Runnable> handler(int id, MemorySegment command) {
    Runnable handler = null;
    if (id == Kvm.KVM_SEV_LAUNCH_START()) {
      handler = () -> start(command);
    } else if (id == Kvm.KVM_SEV_LAUNCH_UPDATE_DATA()) {
      handler = () -> updateData(command);
    } else if (id == Kvm.KVM_SEV_LAUNCH_UPDATE_VMSA()) {
      handler = () -> updateVmsa(command);
    } else if (id == Kvm.KVM_SEV_LAUNCH_SECRET()) {
      handler = () -> secret(command);
    } else if (id == Kvm.KVM_SEV_LAUNCH_MEASURE()) {
      handler = () -> measure(command);
    } else if (id == Kvm.KVM_SEV_LAUNCH_FINISH()) {
      handler = () -> finish(command);
    } else if (id == Kvm.KVM_SEV_GUEST_STATUS()) {
      handler = () -> status(command);
    } else if (id == Kvm.KVM_SEV_GET_ATTESTATION_REPORT()) {
      handler = () -> attestationReport(command);
    }
    return Optional.ofNullable(handler);
  }

  /** sev_launch_start. */
  private void start(MemorySegment command) {
    requireSev();
    MemorySegment start = task().in(kvm_sev_cmd.data(command), kvm_sev_launch_start.sizeof());
    if (kvm_sev_launch_start.dh_uaddr(start) != 0) {
      SevBlobs.copy(
          task(), kvm_sev_launch_start.dh_uaddr(start), kvm_sev_launch_start.dh_len(start));
    }
    if (kvm_sev_launch_start.session_uaddr(start) != 0) {
      SevBlobs.copy(
          task(),
          kvm_sev_launch_start.session_uaddr(start),
          kvm_sev_launch_start.session_len(start));
    }
    int policy = kvm_sev_launch_start.policy(start);
    int shared = kvm_sev_launch_start.handle(start);
    sev.requireProcessor(kvm_sev_cmd.sev_fd(command));
    int handle =
        sev.execute(command, "LAUNCH_START", () -> processor().launchStart(shared, policy))
            .orEio()
            .number();
    kvm_sev_launch_start.handle(start, handle);
    started(command, start, handle);
  }

  /** sev_launch_update_data. The pages of the model are never contiguous. */
  private void updateData(MemorySegment command) {
    requireSev();
    MemorySegment update =
        task().in(kvm_sev_cmd.data(command), kvm_sev_launch_update_data.sizeof());
    long address = kvm_sev_launch_update_data.uaddr(update);
    long bytes = Integer.toUnsignedLong(kvm_sev_launch_update_data.len(update));
    Pin pin = SevRegions.pin(task(), address, bytes, true);
    try {
      for (long done = 0; done < bytes; ) {
        long at = done;
        long part = Math.min(bytes - done, Page.BYTES - inPage(address + done));
        MemorySegment content = MemorySegment.ofArray(new byte[(int) part]);
        pin.read(at, content);
        sev.issue(
                command,
                "LAUNCH_UPDATE_DATA",
                () -> processor().launchUpdateData(handle(), address + at, content))
            .orEio();
        pin.write(at, content);
        done += part;
      }
    } finally {
      pin.release();
    }
  }

  /** sev_launch_update_vmsa, __sev_launch_update_vmsa. */
  private void updateVmsa(MemorySegment command) {
    refuseIf(!sev.context().active || !sev.context().es, Errno.ENOTTY);
    for (KvmVcpu vcpu : vm.vcpus()) {
      sev.requirePlain(vcpu);
      byte[] registers = registers(vcpu);
      sev.issue(
              command,
              "LAUNCH_UPDATE_VMSA",
              () -> processor().launchUpdateVmsa(handle(), registers))
          .orEio();
      sev.encrypted(vcpu);
    }
  }

  private static byte[] registers(KvmVcpu vcpu) {
    MemorySegment registers = MemorySegment.ofArray(new long[(int) (kvm_regs.sizeof() >>> 3)]);
    vcpu.cpu().store(registers);
    return SevTransport.join(
        registers.toArray(ValueLayout.JAVA_BYTE),
        vcpu.cpu().special().toArray(ValueLayout.JAVA_BYTE));
  }

  /** sev_launch_secret, which must fit into one page, because no two are contiguous. */
  private void secret(MemorySegment command) {
    requireSev();
    MemorySegment secret = task().in(kvm_sev_cmd.data(command), kvm_sev_launch_secret.sizeof());
    long address = kvm_sev_launch_secret.guest_uaddr(secret);
    long bytes = Integer.toUnsignedLong(kvm_sev_launch_secret.guest_len(secret));
    Pin pin = SevRegions.pin(task(), address, bytes, true);
    try {
      refuseIf(inPage(address) + bytes > Page.BYTES, Errno.EINVAL);
      byte[] data =
          SevBlobs.copy(
              task(),
              kvm_sev_launch_secret.trans_uaddr(secret),
              kvm_sev_launch_secret.trans_len(secret));
      byte[] header =
          SevBlobs.copy(
              task(),
              kvm_sev_launch_secret.hdr_uaddr(secret),
              kvm_sev_launch_secret.hdr_len(secret));
      MemorySegment content = MemorySegment.ofArray(new byte[(int) bytes]);
      sev.issue(
              command,
              "LAUNCH_UPDATE_SECRET",
              () -> processor().launchSecret(handle(), address, content, header, data))
          .orEio();
      pin.write(0, content);
    } finally {
      pin.release();
    }
  }

  /** sev_launch_measure. */
  private void measure(MemorySegment command) {
    requireSev();
    long data = kvm_sev_cmd.data(command);
    MemorySegment measure = task().in(data, kvm_sev_launch_measure.sizeof());
    giveBlob(
        command,
        "LAUNCH_MEASURE",
        kvm_sev_launch_measure.uaddr(measure),
        kvm_sev_launch_measure.len(measure),
        room -> processor().launchMeasure(handle(), room),
        length -> {
          kvm_sev_launch_measure.len(measure, length);
          task().out(data, measure);
        });
  }

  /** sev_get_attestation_report. */
  private void attestationReport(MemorySegment command) {
    requireSev();
    long data = kvm_sev_cmd.data(command);
    MemorySegment report = task().in(data, kvm_sev_attestation_report.sizeof());
    byte[] nonce = kvm_sev_attestation_report.mnonce(report).toArray(ValueLayout.JAVA_BYTE);
    giveBlob(
        command,
        "ATTESTATION_REPORT",
        kvm_sev_attestation_report.uaddr(report),
        kvm_sev_attestation_report.len(report),
        room -> processor().attestationReport(handle(), nonce, room),
        length -> {
          kvm_sev_attestation_report.len(report, length);
          task().out(data, report);
        });
  }

  /**
   * Asks for something whose size the processor knows: with the length 0, only for that. The size
   * then comes with the processor's error.
   */
  private void giveBlob(
      MemorySegment command,
      String name,
      long address,
      int bytes,
      IntFunction<SevReply> ask,
      IntConsumer giveLength) {
    if (address != 0) {
      SevBlobs.requireSize(bytes);
    }
    SevReply reply = sev.issue(command, name, () -> ask.apply(address == 0 ? 0 : bytes));
    if (bytes == 0) {
      giveLength.accept(reply.number());
    }
    reply.orEio();
    SevBlobs.give(task(), address, reply.data(), bytes);
    giveLength.accept(reply.number());
  }

  /** sev_launch_finish. */
  private void finish(MemorySegment command) {
    requireSev();
    sev.issue(command, "LAUNCH_FINISH", () -> processor().launchFinish(handle())).orEio();
  }

  /** sev_guest_status. */
  private void status(MemorySegment command) {
    requireSev();
    SevReply reply = sev.issue(command, "GUEST_STATUS", () -> processor().status(handle())).orEio();
    MemorySegment status = task().scratch(kvm_sev_guest_status.sizeof());
    kvm_sev_guest_status.handle(status, handle());
    kvm_sev_guest_status.policy(status, reply.data().get(ValueLayout.JAVA_INT_UNALIGNED, 0));
    kvm_sev_guest_status.state(status, reply.number());
    task().out(kvm_sev_cmd.data(command), status);
  }
}
