package dev.iolite.mock.kvm;

import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.DmaBufFile;
import dev.iolite.mock.core.DmaBufSlots;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.TeeFunction;
import java.util.List;

/** The dma-buf of a slot. The slot keeps it alive. */
final class SlotDmaBuf {
  private final DmaBufFile file;
  private final DmaBufFile.Import imported;
  private final DmaBufSlots.Use use;
  private final long offset;
  private boolean revoked;

  /**
   * Imports the dma-buf.
   *
   * @param offset where the slot starts in the dma-buf, in bytes
   * @throws dev.iolite.mock.core.Refused ENODEV: it is revoked
   */
  SlotDmaBuf(DmaBufFile file, DmaBufSlots.Use use, long offset) {
    this.file = file;
    this.use = use;
    this.offset = offset;
    imported = file.importForKvm(use.isPrivate(), () -> revoked = true);
  }

  /** What the slot serves with it. */
  DmaBufSlots.Use use() {
    return use;
  }

  long offset() {
    return offset;
  }

  boolean isRevoked() {
    return use.revokedForGood() ? revoked : file.isRevoked();
  }

  boolean isMute() {
    return file.isMute();
  }

  /** The ranges of a BAR that a slot of this length has for private accesses. */
  List<BarRange> privatePart(TeeFunction function, int bar, long bytes) {
    return use.isPrivate() && !isRevoked() ? file.part(function, bar, offset, bytes) : List.of();
  }

  Memory memory() {
    return imported.memory();
  }

  void detach() {
    imported.detach();
  }
}
