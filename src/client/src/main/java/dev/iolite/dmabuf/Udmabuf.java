package dev.iolite.dmabuf;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.MemFd;
import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.udmabuf_create;
import dev.iolite.uapi.dmabuf.udmabuf_create_item;
import dev.iolite.uapi.dmabuf.udmabuf_create_list;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * {@code /dev/udmabuf}, which makes dma-bufs of memfds. A memfd must be sealed against shrinking,
 * and not against writing. See drivers/dma-buf/udmabuf.c:udmabuf_create.
 *
 * <p>Safe for use by several threads.
 */
public final class Udmabuf implements AutoCloseable {
  /** The path of the device node. */
  public static final String PATH = "/dev/udmabuf";

  private final Fd fd;

  private Udmabuf(Fd fd) {
    this.fd = fd;
  }

  /**
   * A piece of a memfd.
   *
   * @param file the memfd
   * @param offset where it begins, a multiple of the page size
   * @param bytes its length, a multiple of the page size
   */
  public record Piece(MemFd file, long offset, long bytes) {}

  /**
   * Opens {@code /dev/udmabuf}.
   *
   * @throws dev.iolite.kernel.KernelException ENOENT: the kernel was built without CONFIG_UDMABUF;
   *     EACCES
   */
  public static Udmabuf open(Kernel kernel) {
    return new Udmabuf(Fd.open(kernel, FdKind.UDMABUF, PATH, Libc.O_RDWR()));
  }

  /** The descriptor. */
  public Fd fd() {
    return fd;
  }

  /**
   * Makes a dma-buf of a piece of a memfd, by UDMABUF_CREATE.
   *
   * @throws dev.iolite.kernel.KernelException EINVAL: the memfd is not sealed, or against writing;
   *     the piece is empty, not aligned, too large, or beyond the memfd's end; EBADFD: it is no
   *     memfd. ENOMEM
   */
  public DmaBufFile create(Piece piece) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment create = udmabuf_create.allocate(arena);
      udmabuf_create.memfd(create, piece.file().fd().number());
      udmabuf_create.flags(create, DmaBuf.UDMABUF_FLAGS_CLOEXEC());
      udmabuf_create.offset(create, piece.offset());
      udmabuf_create.size(create, piece.bytes());
      return DmaBufFile.of(
          fd.ioctlFd(DmaBufIoctls.UDMABUF_CREATE, create, "of " + piece.file().fd()));
    }
  }

  /**
   * Makes a dma-buf of several pieces, one behind the other, by UDMABUF_CREATE_LIST.
   *
   * @throws dev.iolite.kernel.KernelException as for {@link #create(Piece)}, and EINVAL: there are
   *     more pieces than the kernel's parameter udmabuf.list_limit
   */
  public DmaBufFile create(List<Piece> pieces) {
    try (Arena arena = Arena.ofConfined()) {
      long head = udmabuf_create_list.sizeof();
      MemorySegment create =
          arena.allocate(head + pieces.size() * udmabuf_create_item.sizeof(), Long.BYTES);
      udmabuf_create_list.flags(create, DmaBuf.UDMABUF_FLAGS_CLOEXEC());
      udmabuf_create_list.count(create, pieces.size());
      for (int i = 0; i < pieces.size(); i++) {
        MemorySegment item = udmabuf_create_item.asSlice(create.asSlice(head), i);
        udmabuf_create_item.memfd(item, pieces.get(i).file().fd().number());
        udmabuf_create_item.offset(item, pieces.get(i).offset());
        udmabuf_create_item.size(item, pieces.get(i).bytes());
      }
      return DmaBufFile.of(
          fd.ioctlFd(DmaBufIoctls.UDMABUF_CREATE_LIST, create, "of " + pieces.size() + " pieces"));
    }
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
