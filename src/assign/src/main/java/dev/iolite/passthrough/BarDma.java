package dev.iolite.passthrough;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.vfio.DmaBuf;

/** A BAR that is mapped in an address space, where other devices reach it by DMA. */
final class BarDma implements AutoCloseable {
  private final Ioas ioas;
  private final DmaBuf dmaBuf;
  private final long iova;
  private IovaMapping mapping;

  /** Maps the dma-buf. */
  BarDma(Ioas ioas, DmaBuf dmaBuf, long iova) {
    this.ioas = ioas;
    this.dmaBuf = dmaBuf;
    this.iova = iova;
    this.mapping = mapFile();
  }

  /** Where it is. */
  long iova() {
    return iova;
  }

  /** Maps it again, after {@link #close}. */
  IovaMapping map() {
    mapping = mapFile();
    return mapping;
  }

  private IovaMapping mapFile() {
    return ioas.mapFile(iova, dmaBuf.fd(), 0, dmaBuf.bytes(), IovaAccess.READ_WRITE);
  }

  /** Unmaps it, if it is mapped. */
  @Override
  public void close() {
    mapping.close();
  }

  /** What is mapped where. */
  @Override
  public String toString() {
    return mapping.toString();
  }
}
