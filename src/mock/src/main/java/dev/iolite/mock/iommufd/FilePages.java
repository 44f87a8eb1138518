package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.MemFdFile;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Pin;
import dev.iolite.mock.core.Ram;

/**
 * Pages of a file (IOPT_ADDRESS_FILE), which stays open as long as they exist. Only memfds have
 * any.
 */
final class FilePages extends PinnedPages {
  private final OpenFile file;
  private final long start;

  /**
   * Accepts any file; whether it has pages matters only when they are needed.
   *
   * @param start the offset of the first page in it
   */
  FilePages(OpenFile file, long start, boolean writable) {
    super(writable);
    this.file = file;
    this.start = start;
    file.get();
  }

  /** mm/gup.c:memfd_pin_folios: EINVAL if it is not a memfd, or for pages beyond its end. */
  @Override
  Pin pin(long first, long last) {
    if (!(file instanceof MemFdFile memfd)) {
      throw refused(Errno.EINVAL);
    }
    long from = start + first * Page.BYTES;
    long to = start + (last + 1) * Page.BYTES - 1;
    refuseIf(from < 0 || from > to || to >= memfd.ram().bytes(), Errno.EINVAL);
    Ram ram = memfd.ram().get();
    return new Pin(memfd.pages(), from, to - from + 1, ram::put);
  }

  @Override
  void release() {
    file.put();
  }

  @Override
  long origin() {
    return start;
  }

  @Override
  boolean isFile() {
    return true;
  }

  @Override
  String what(long at) {
    return file.name() + " from 0x" + Long.toHexString(start + at);
  }
}
