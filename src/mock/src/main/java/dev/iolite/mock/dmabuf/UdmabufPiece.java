package dev.iolite.mock.dmabuf;

import dev.iolite.mock.core.Ram;

/**
 * A part of a memfd whose pages a dma-buf has pinned.
 *
 * @param ram the memfd's pages, of which this has a reference
 * @param start where it begins in them, in bytes
 */
record UdmabufPiece(Ram ram, long start, long bytes) {
  void release() {
    ram.put();
  }
}
