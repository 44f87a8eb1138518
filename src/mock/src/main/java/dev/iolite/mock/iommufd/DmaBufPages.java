package dev.iolite.mock.iommufd;

import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;

/**
 * Memory of a dma-buf (IOPT_ADDRESS_DMABUF). It is never pinned, but goes away permanently when the
 * exporter revokes it (pages.c:iopt_revoke_notify). The areas stay, but lead nowhere.
 */
final class DmaBufPages extends Pages implements DmaBufFile.Importer {
  private final DmaBufFile file;
  private final DmaBufFile.Import attachment;
  private final long start;
  private boolean isRevoked;

  /**
   * Imports it (pages.c:iopt_map_dmabuf).
   *
   * @param start the offset of the first page in it
   * @throws dev.iolite.mock.core.Refused an error of the exporter
   */
  DmaBufPages(DmaBufFile file, long start, boolean writable) {
    super(writable);
    this.file = file;
    this.start = start;
    attachment = file.importForIommufd(this);
  }

  @Override
  public void revoked() {
    isRevoked = true;
  }

  @Override
  boolean isRevoked() {
    return isRevoked;
  }

  @Override
  boolean isDmaBuf() {
    return true;
  }

  @Override
  void hold(long first, long last) {}

  @Override
  void drop(long first, long last) {}

  @Override
  void read(long at, MemorySegment into) {
    requireThere();
    attachment.memory().read(start + at, into);
  }

  @Override
  void write(long at, MemorySegment from) {
    requireThere();
    attachment.memory().write(start + at, from);
  }

  private void requireThere() {
    if (isRevoked) {
      throw new Memory.Unreachable("the dma-buf has been revoked");
    }
  }

  @Override
  void release() {
    attachment.detach();
  }

  @Override
  long origin() {
    return start;
  }

  @Override
  String what(long at) {
    return file.name() + " from 0x" + Long.toHexString(start + at);
  }
}
