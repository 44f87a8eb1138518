package dev.iolite.mock.dmabuf;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.libc.Libc;
import java.util.List;

/** A dma-buf of parts of memfds (struct udmabuf). */
final class UdmabufDmaBuf extends DmaBufFile {
  private final List<UdmabufPiece> pieces;

  /** Whether its memory is mapped for the device that begins and ends accesses (sg). */
  private boolean isMapped;

  UdmabufDmaBuf(Task task, List<UdmabufPiece> pieces) {
    super(task);
    this.pieces = pieces;
  }

  @Override
  public long bytes() {
    return pieces.stream().mapToLong(UdmabufPiece::bytes).sum();
  }

  /** begin_cpu_udmabuf. */
  @Override
  protected void beginAccess() {
    isMapped = true;
  }

  /** end_cpu_udmabuf. */
  @Override
  protected void endAccess() {
    refuseIf(!isMapped, Errno.EINVAL);
  }

  /**
   * mmap_udmabuf. The model maps a range of one file at once, so not what is made of several
   * pieces, for which it says ENODEV.
   */
  @Override
  public MappedObject mmap(MapRequest request) {
    refuseIf(request.offset() > bytes() - request.bytes(), Errno.EINVAL);
    refuseIf((request.flags() & Libc.MAP_SHARED()) == 0, Errno.EINVAL);
    refuseIf(pieces.size() != 1, Errno.ENODEV);
    UdmabufPiece piece = pieces.getFirst();
    return new MappedObject.Pages(piece.ram(), piece.start() + request.offset());
  }

  @Override
  protected void release() {
    pieces.forEach(UdmabufPiece::release);
  }
}
