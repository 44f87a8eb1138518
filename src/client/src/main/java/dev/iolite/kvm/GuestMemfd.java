package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.libc.Libc;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Memory that belongs to one VM and that this process cannot reach, unless it was made mappable.
 * Made by {@link Vm#createGuestMemfd}.
 *
 * <p>A slot that uses it does not keep it open: closing it takes the private memory away from the
 * slot, so close the slot first. The descriptor keeps the VM's memory structures alive.
 *
 * <p>Safe for use by several threads.
 */
public final class GuestMemfd implements AutoCloseable {
  private static final int HOLE = Libc.FALLOC_FL_PUNCH_HOLE() | Libc.FALLOC_FL_KEEP_SIZE();

  /** What the file can do: the flags of KVM_CREATE_GUEST_MEMFD. */
  public enum Flag {
    /** The process may map it; touching a private part raises SIGBUS. */
    MMAP(Kvm.GUEST_MEMFD_FLAG_MMAP()),
    /** The memory is shared at first; not for VMs whose memory is protected by hardware. */
    INIT_SHARED(Kvm.GUEST_MEMFD_FLAG_INIT_SHARED());

    private final long bit;

    Flag(long bit) {
      this.bit = bit;
    }

    long bit() {
      return bit;
    }

    /** The flags whose bits are set, as KVM_CAP_GUEST_MEMFD_FLAGS returns them. */
    static Set<Flag> ofBits(long bits) {
      Set<Flag> flags = EnumSet.noneOf(Flag.class);
      for (Flag flag : values()) {
        if ((bits & flag.bit) != 0) {
          flags.add(flag);
        }
      }
      return flags;
    }
  }

  private final Fd fd;
  private final long bytes;
  private final Consumer<GuestMemfd> onClose;

  GuestMemfd(Fd fd, long bytes, Consumer<GuestMemfd> onClose) {
    this.fd = fd;
    this.bytes = bytes;
    this.onClose = onClose;
  }

  /** The descriptor, to pass to the kernel. */
  public Fd fd() {
    return fd;
  }

  /** The file's size in bytes. */
  public long bytes() {
    return bytes;
  }

  /**
   * Maps all of it, readable and writable.
   *
   * @throws KernelException ENODEV: it was made without {@link Flag#MMAP}
   */
  public Mapping map() {
    return Mapping.of(fd, 0, bytes, Libc.PROT_READ() | Libc.PROT_WRITE());
  }

  /**
   * Frees the memory of a range. What the guest finds there next is zeros.
   *
   * <p>fallocate(2) with FALLOC_FL_PUNCH_HOLE, virt/kvm/guest_memfd.c:kvm_gmem_punch_hole. The
   * guest's page table entries for the range are dropped.
   *
   * @param offset where the range starts, in bytes, a multiple of the page size
   * @param bytes the length, a multiple of the page size, more than 0
   * @throws KernelException EINVAL: not aligned, negative or empty
   */
  public void discard(long offset, long bytes) {
    int result = fd.kernel().fallocate(fd.number(), HOLE, offset, bytes);
    if (result < 0) {
      throw new KernelException(
          "fallocate",
          fd.target(),
          "PUNCH_HOLE offset=0x%x bytes=0x%x".formatted(offset, bytes),
          -result);
    }
  }

  /** Closes the descriptor, once. */
  @Override
  public void close() {
    onClose.accept(this);
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
