package dev.iolite.mock.dmabuf;

import dev.iolite.mock.core.MiscDevice;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;

/** The driver that makes dma-bufs of memfds (drivers/dma-buf/udmabuf.c). */
public final class UdmabufDriver {
  private UdmabufDriver() {}

  /** Adds {@code /dev/udmabuf}. */
  public static void install(Task task, Tree tree) {
    MiscDevice.UDMABUF.addTo(tree, () -> new UdmabufFile(task));
  }
}
