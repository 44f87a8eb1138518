package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
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
   * @throws dev.iolite.kernel.KernelException ENODEV: it was made without {@link Flag#MMAP}
   */
  public Mapping map() {
    return Mapping.of(fd, 0, bytes, Libc.PROT_READ() | Libc.PROT_WRITE());
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
