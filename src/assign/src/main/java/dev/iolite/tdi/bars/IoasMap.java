package dev.iolite.tdi.bars;

import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.tdi.ledger.Ledger;
import dev.iolite.tdi.plan.PlannedMap;
import dev.iolite.vfio.DmaBuf;
import java.util.Optional;

/** A part of a BAR in the IOAS, for DMA. */
final class IoasMap implements AutoCloseable {
  private final MmioTarget target;
  private final Ledger ledger;
  private final PlannedMap planned;
  private final IovaMapping mapping;
  private boolean unsure;
  private boolean gone;

  private IoasMap(MmioTarget target, Ledger ledger, PlannedMap planned, IovaMapping mapping) {
    this.target = target;
    this.ledger = ledger;
    this.planned = planned;
    this.mapping = mapping;
  }

  /** Maps a part of a dma-buf. */
  static IoasMap of(
      MmioTarget target, Ledger ledger, PlannedMap planned, DmaBuf dmaBuf, String name) {
    IovaMapping mapping =
        target
            .ioas()
            .mapFile(
                planned.iova(),
                dmaBuf.fd(),
                planned.start(),
                planned.bytes(),
                IovaAccess.READ_WRITE);
    ledger.mapped(planned.iova(), planned.bytes(), Optional.of(name));
    return new IoasMap(target, ledger, planned, mapping);
  }

  /**
   * Unmaps whatever the IOAS of a device still has in a range, no matter who mapped it; returns the
   * number of bytes.
   */
  static long unmap(MmioTarget target, IovaRange range) {
    if (target.iommufd().fd().isClosed()) {
      return 0;
    }
    try {
      return target.ioas().unmap(range);
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT) {
        return 0;
      }
      throw e;
    }
  }

  /**
   * Unmaps it. After an error, it can be closed again, which asks the kernel whether it is still
   * there.
   */
  @Override
  public void close() {
    if (gone) {
      return;
    }
    if (unsure) {
      unmap(target, mapping.range());
    } else {
      unsure = true;
      mapping.close();
    }
    gone = true;
    ledger.unmapped(planned.iova(), planned.bytes());
  }
}
