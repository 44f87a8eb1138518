package dev.iolite.mock.dmabuf;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.MemFdFile;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.udmabuf_create;
import dev.iolite.uapi.dmabuf.udmabuf_create_item;
import dev.iolite.uapi.dmabuf.udmabuf_create_list;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** An open {@code /dev/udmabuf} (udmabuf.c:udmabuf_ioctl). */
final class UdmabufFile extends OpenFile {
  private static final int CREATE = (int) DmaBuf.UDMABUF_CREATE();
  private static final int CREATE_LIST = (int) DmaBuf.UDMABUF_CREATE_LIST();

  /** The module's parameter list_limit. */
  private static final int MOST_ITEMS = 1024;

  /** The module's parameter size_limit_mb. */
  private static final long MOST_MIB = Integer.MAX_VALUE;

  private static final long MOST_PAGES = (MOST_MIB << 20) / Page.BYTES;
  private static final int DENIED = Libc.F_SEAL_WRITE() | Libc.F_SEAL_FUTURE_WRITE();

  /** A part of a memfd that a dma-buf is to have. */
  private record Item(int memfd, long offset, long bytes) {}

  UdmabufFile(Task task) {
    super(task);
  }

  @Override
  public String name() {
    return "/dev/udmabuf";
  }

  @Override
  public int ioctl(int request, long argument) {
    if (request == CREATE) {
      MemorySegment one = task().in(argument, udmabuf_create.sizeof());
      return create(
          List.of(
              new Item(
                  udmabuf_create.memfd(one),
                  udmabuf_create.offset(one),
                  udmabuf_create.size(one))));
    }
    if (request == CREATE_LIST) {
      return create(list(argument));
    }
    throw refused(Errno.ENOTTY);
  }

  /** udmabuf_ioctl_create_list. */
  private List<Item> list(long address) {
    MemorySegment head = task().in(address, udmabuf_create_list.sizeof());
    int count = udmabuf_create_list.count(head);
    refuseIf(Integer.compareUnsigned(count, MOST_ITEMS) > 0, Errno.EINVAL);
    MemorySegment items =
        task().in(address + head.byteSize(), count * udmabuf_create_item.sizeof());
    List<Item> found = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      MemorySegment item = udmabuf_create_item.asSlice(items, i);
      found.add(
          new Item(
              udmabuf_create_item.memfd(item),
              udmabuf_create_item.offset(item),
              udmabuf_create_item.size(item)));
    }
    return found;
  }

  /** udmabuf_create. */
  private int create(List<Item> items) {
    long pages = 0;
    for (Item item : items) {
      refuseIf(((item.offset | item.bytes) & (Page.BYTES - 1)) != 0, Errno.EINVAL);
      pages += item.bytes >>> Page.SHIFT;
      refuseIf(Long.compareUnsigned(pages, MOST_PAGES) > 0, Errno.EINVAL);
    }
    refuseIf(pages == 0, Errno.EINVAL);
    List<UdmabufPiece> pieces = new ArrayList<>();
    try {
      for (Item item : items) {
        pieces.add(pin(item));
      }
      return task().descriptors().install(new UdmabufDmaBuf(task(), pieces));
    } catch (Refused e) {
      pieces.forEach(UdmabufPiece::release);
      throw e;
    }
  }

  /** check_memfd_seals, and mm/memfd.c:memfd_pin_folios. */
  private UdmabufPiece pin(Item item) {
    MemFdFile file = memfd(item.memfd);
    int seals = file.ram().seals();
    refuseIf(seals < 0, Errno.EBADFD);
    refuseIf((seals & Libc.F_SEAL_SHRINK()) == 0 || (seals & DENIED) != 0, Errno.EINVAL);
    refuseIf(item.bytes == 0 || item.offset < 0, Errno.EINVAL);
    refuseIf(item.offset > file.ram().bytes() - item.bytes, Errno.EINVAL);
    return new UdmabufPiece(file.ram().get(), item.offset, item.bytes);
  }

  private MemFdFile memfd(int fd) {
    try {
      return task().descriptors().get(fd, MemFdFile.class).orElseThrow(() -> refused(Errno.EBADFD));
    } catch (Refused e) {
      throw refused(Errno.EBADFD);
    }
  }
}
