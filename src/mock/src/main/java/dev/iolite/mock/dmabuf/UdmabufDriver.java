package dev.iolite.mock.dmabuf;

import dev.iolite.mock.core.Node;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;

/** The driver that makes dma-bufs of memfds (drivers/dma-buf/udmabuf.c). */
public final class UdmabufDriver {
  private UdmabufDriver() {}

  /** Adds {@code /dev/udmabuf}. */
  public static void install(Task task, Tree tree) {
    tree.add("/dev/udmabuf", new Node.Device(() -> new UdmabufFile(task)));
  }
}
