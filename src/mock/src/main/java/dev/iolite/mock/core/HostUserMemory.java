package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.Page;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The memory of this process.
 *
 * <p>A load from a bad address would end the JVM, so the host's kernel is asked first. For FIONBIO,
 * it reads four bytes of each page in question, at a third of the cost of a copy through a file.
 * Stores are copies through a file, because a page that can be read may not be writable.
 */
public final class HostUserMemory implements UserMemory, AutoCloseable {
  private static final long PROBED = Integer.BYTES;
  private static final int BOUNCE_BYTES = 64 << 10;
  private static final long FIONBIO = 0x5421;

  /** No process has memory above this address (x86-64 with four levels of page tables). */
  public static final long TASK_SIZE = 0x7fff_ffff_f000L;

  private final Kernel host;

  /** Made at the first copy: linking these calls takes the JVM longer than starting a host. */
  private @Nullable Bounce bounce;

  /** Makes access to this process's memory through this kernel's calls. */
  public HostUserMemory(Kernel host) {
    this.host = host;
  }

  /** A file of the host, used to ask about addresses and to copy from. */
  private record Bounce(int fd, MemFd file, Mapping mapping) {
    static Bounce make(Kernel host) {
      MemFd file = MemFd.create(host, "iolite-mock-copy", BOUNCE_BYTES);
      return new Bounce(file.fd().number(), file, file.map());
    }
  }

  private Bounce bounce() {
    Bounce made = bounce;
    if (made == null) {
      made = Bounce.make(host);
      bounce = made;
    }
    return made;
  }

  @Override
  public void read(long address, MemorySegment into) {
    long bytes = into.byteSize();
    if (bytes == 0) {
      return;
    }
    requireInProcess(address, bytes);
    long last = address + bytes - 1;
    probe(address);
    for (long page = (address & -Page.BYTES) + Page.BYTES; page <= last; page += Page.BYTES) {
      probe(page);
    }
    MemorySegment.copy(Mapping.memory(address, bytes), 0, into, 0, bytes);
  }

  @Override
  public void write(long address, MemorySegment from) {
    long bytes = from.byteSize();
    if (bytes == 0) {
      return;
    }
    requireInProcess(address, bytes);
    Bounce copy = bounce();
    for (long done = 0; done < bytes; done += BOUNCE_BYTES) {
      long part = Math.min(BOUNCE_BYTES, bytes - done);
      MemorySegment.copy(from, done, copy.mapping().segment(), 0, part);
      // A read from the file is a write to the caller's memory, by the host's own copy_to_user.
      if (host.pread(copy.fd(), address + done, part, 0) != part) {
        throw refused(Errno.EFAULT);
      }
    }
  }

  @Override
  public void requireMapped(long address, long bytes, boolean write) {
    requireInProcess(address, bytes);
    ProcessMaps.require(host, "self", address, bytes, write, _ -> true);
  }

  private static void requireInProcess(long address, long bytes) {
    if (address < 0 || address > TASK_SIZE - bytes) {
      throw refused(Errno.EFAULT);
    }
  }

  /** Asks the host to read four bytes; aligned, they lie in one page. */
  private void probe(long address) {
    if (host.ioctl(bounce().fd(), FIONBIO, address & -PROBED) < 0) {
      throw refused(Errno.EFAULT);
    }
  }

  @Override
  public void close() {
    Bounce made = bounce;
    if (made != null) {
      bounce = null;
      made.mapping().close();
      made.file().close();
    }
  }
}
