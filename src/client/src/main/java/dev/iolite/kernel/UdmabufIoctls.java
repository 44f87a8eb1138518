package dev.iolite.kernel;

import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.udmabuf_create;
import dev.iolite.uapi.dmabuf.udmabuf_create_list;
import java.util.List;

/**
 * Every command of {@code linux/udmabuf.h}: dma-bufs made of the pages of memfds.
 *
 * <p>drivers/dma-buf/udmabuf.c:udmabuf_ioctl
 */
public final class UdmabufIoctls {
  /** Makes a dma-buf of a range of one memfd. */
  public static final Ioctl UDMABUF_CREATE =
      Ioctl.of(FdKind.UDMABUF, "UDMABUF_CREATE", DmaBuf.UDMABUF_CREATE(), udmabuf_create.layout())
          .returning(FdKind.DMA_BUF);

  /** Makes a dma-buf of several ranges, which follow the struct. */
  public static final Ioctl UDMABUF_CREATE_LIST =
      Ioctl.of(
              FdKind.UDMABUF,
              "UDMABUF_CREATE_LIST",
              DmaBuf.UDMABUF_CREATE_LIST(),
              udmabuf_create_list.layout())
          .returning(FdKind.DMA_BUF);

  private UdmabufIoctls() {}

  /** All of them. */
  public static List<Ioctl> all() {
    return List.of(UDMABUF_CREATE, UDMABUF_CREATE_LIST);
  }
}
