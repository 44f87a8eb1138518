package dev.iolite.mock.iommufd;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.Ram;
import dev.iolite.mock.core.Task;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A dma-buf of plain memory that is revoked when a test says so. */
final class PretendDmaBuf extends DmaBufFile {
  private final Ram ram;
  private final List<Importer> importers = new ArrayList<>();
  private boolean isRevoked;

  PretendDmaBuf(Task task, long bytes) {
    super(task);
    ram = task.newRam(bytes);
  }

  @Override
  public long bytes() {
    return ram.bytes();
  }

  long get(long offset) {
    MemorySegment word = MemorySegment.ofArray(new long[1]);
    ram.read(offset, word);
    return word.get(ValueLayout.JAVA_LONG, 0);
  }

  int imports() {
    return importers.size();
  }

  void setRevoked(boolean revoked) {
    isRevoked = revoked;
    if (revoked) {
      importers.forEach(Importer::revoked);
    }
  }

  @Override
  public Import importForIommufd(Importer importer) {
    refuseIf(isRevoked, Errno.ENODEV);
    importers.add(importer);
    get();
    return new Import() {
      @Override
      public Memory memory() {
        return ram;
      }

      @Override
      public void detach() {
        importers.remove(importer);
        put();
      }
    };
  }

  @Override
  public boolean isRevoked() {
    return isRevoked;
  }

  @Override
  public Import importForKvm(boolean isPrivate, Importer importer) {
    return importForIommufd(() -> {});
  }

  @Override
  protected void release() {
    ram.put();
  }
}
