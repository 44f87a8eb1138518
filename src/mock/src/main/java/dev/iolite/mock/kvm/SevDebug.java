package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.Pin;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_sev_cmd;
import dev.iolite.uapi.kvm.kvm_sev_dbg;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Reads and writes the memory of a guest whose policy allows it; arch/x86/kvm/svm/sev.c. */
final class SevDebug extends SevCommands {
  private static final long OFFSET_IN_BLOCK = 15;

  SevDebug(KvmVm vm, SevVm sev) {
    super(vm, sev);
  }

  /** What does a command; empty if it is none of these. */
  Optional<Runnable> handler(int id, MemorySegment command) {
    boolean isKnown = id == Kvm.KVM_SEV_DBG_DECRYPT() || id == Kvm.KVM_SEV_DBG_ENCRYPT();
    return isKnown ? Optional.of(() -> crypt(command)) : Optional.empty();
  }

  /** sev_dbg_crypt: as many bytes at a time as are in one page of both. */
  private void crypt(MemorySegment command) {
    requireSev();
    MemorySegment debug = task().in(kvm_sev_cmd.data(command), kvm_sev_dbg.sizeof());
    long source = kvm_sev_dbg.src_uaddr(debug);
    long target = kvm_sev_dbg.dst_uaddr(debug);
    long bytes = Integer.toUnsignedLong(kvm_sev_dbg.len(debug));
    refuseIf(bytes == 0 || source == 0 || target == 0, Errno.EINVAL);
    refuseIf(wraps(source, bytes) || wraps(target, bytes), Errno.EINVAL);
    for (long done = 0; done < bytes; ) {
      long from = source + done;
      long to = target + done;
      long room = Page.BYTES - Math.max(inPage(from), inPage(to));
      long part = Math.min(bytes - done, room);
      crypt(command, from, to, part);
      done += part;
    }
  }

  private static boolean wraps(long address, long bytes) {
    return Long.compareUnsigned(address + bytes, address) < 0;
  }

  private void crypt(MemorySegment command, long source, long target, long bytes) {
    Pin from = SevRegions.pin(task(), source, bytes, false);
    try {
      Pin to = SevRegions.pin(task(), target, bytes, true);
      try {
        MemorySegment content = MemorySegment.ofArray(new byte[(int) bytes]);
        from.read(0, content);
        boolean decrypts = kvm_sev_cmd.id(command) == Kvm.KVM_SEV_DBG_DECRYPT();
        if (!decrypts && ((source | target | bytes) & OFFSET_IN_BLOCK) != 0) {
          // sev_dbg_encrypt_slow first decrypts the blocks of which it writes only a part.
          sev.issue(command, "DBG_DECRYPT", () -> allow(target)).orEio();
        }
        sev.issue(
                command,
                decrypts ? "DBG_DECRYPT" : "DBG_ENCRYPT",
                () -> processor().debug(handle(), decrypts ? source : target, content))
            .orEio();
        to.write(0, content);
      } finally {
        to.release();
      }
    } finally {
      from.release();
    }
  }

  private SevReply allow(long address) {
    return processor().debug(handle(), address, MemorySegment.ofArray(new byte[0]));
  }
}
