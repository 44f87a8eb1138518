package dev.iolite.contract;

import static dev.iolite.uapi.catalog.DmaBufIoctls.DMA_BUF_IOCTL_SYNC;
import static dev.iolite.uapi.catalog.DmaBufIoctls.UDMABUF_CREATE;
import static dev.iolite.uapi.catalog.DmaBufIoctls.UDMABUF_CREATE_LIST;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_IOAS_MAP_FILE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.dmabuf.DmaBuf;
import dev.iolite.uapi.dmabuf.dma_buf_sync;
import dev.iolite.uapi.dmabuf.udmabuf_create;
import dev.iolite.uapi.dmabuf.udmabuf_create_item;
import dev.iolite.uapi.dmabuf.udmabuf_create_list;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** dma-bufs that are made of memfds. */
abstract class UdmabufContract extends Contract {
  private static final int READ_WRITE = Libc.PROT_READ() | Libc.PROT_WRITE();
  private static final int MOST_ITEMS = 1024;

  private int udmabuf = NO_FD;

  UdmabufContract(Backend backend) {
    super(backend);
  }

  @BeforeEach
  void open() {
    udmabuf = open("/dev/udmabuf");
  }

  private int sealed(long bytes, int seals) {
    int file = keep(kernel.memfdCreate("contract", Libc.MFD_CLOEXEC() | Libc.MFD_ALLOW_SEALING()));
    succeeds(kernel.ftruncate(file, bytes));
    succeeds(kernel.addSeals(file, seals));
    return file;
  }

  private int sealed(long bytes) {
    return sealed(bytes, Libc.F_SEAL_SHRINK());
  }

  private int create(int memfd, long offset, long bytes) {
    MemorySegment create = struct(udmabuf_create.layout());
    udmabuf_create.memfd(create, memfd);
    udmabuf_create.flags(create, DmaBuf.UDMABUF_FLAGS_CLOEXEC());
    udmabuf_create.offset(create, offset);
    udmabuf_create.size(create, bytes);
    return ioctl(udmabuf, UDMABUF_CREATE, create);
  }

  /** A part of a memfd. */
  private record Item(int memfd, long offset, long bytes) {}

  private int createList(int count, Item... items) {
    MemorySegment list =
        zeros(udmabuf_create_list.sizeof() + items.length * udmabuf_create_item.sizeof());
    udmabuf_create_list.flags(list, DmaBuf.UDMABUF_FLAGS_CLOEXEC());
    udmabuf_create_list.count(list, count);
    MemorySegment rest = list.asSlice(udmabuf_create_list.sizeof());
    for (int i = 0; i < items.length; i++) {
      MemorySegment item = udmabuf_create_item.asSlice(rest, i);
      udmabuf_create_item.memfd(item, items[i].memfd);
      udmabuf_create_item.offset(item, items[i].offset);
      udmabuf_create_item.size(item, items[i].bytes);
    }
    return ioctl(udmabuf, UDMABUF_CREATE_LIST, list);
  }

  private int sync(int buffer, long flags) {
    MemorySegment sync = struct(dma_buf_sync.layout());
    dma_buf_sync.flags(sync, flags);
    return ioctl(buffer, DMA_BUF_IOCTL_SYNC, sync);
  }

  @Test
  void onlyAMemfdThatCannotShrinkAndCanBeWrittenIsTaken() {
    // udmabuf.c:check_memfd_seals
    fails(Errno.EINVAL, create(memfd(PAGE), 0, PAGE));
    fails(Errno.EINVAL, create(sealed(PAGE, Libc.F_SEAL_GROW()), 0, PAGE));
    fails(Errno.EINVAL, create(sealed(PAGE, Libc.F_SEAL_SHRINK() | Libc.F_SEAL_WRITE()), 0, PAGE));
    int future = Libc.F_SEAL_SHRINK() | Libc.F_SEAL_FUTURE_WRITE();
    fails(Errno.EINVAL, create(sealed(PAGE, future), 0, PAGE));
    keep(create(sealed(PAGE, Libc.F_SEAL_SHRINK() | Libc.F_SEAL_GROW()), 0, PAGE));
  }

  @Test
  void whatIsNoMemfdIsNotTaken() {
    // udmabuf.c:udmabuf_create, check_memfd_seals
    fails(Errno.EBADFD, create(NO_FD, 0, PAGE));
    fails(Errno.EBADFD, create(eventfd(), 0, PAGE));
    fails(Errno.EBADFD, create(udmabuf, 0, PAGE));
  }

  @Test
  void aPieceHasWholePagesThatTheMemfdHas() {
    // udmabuf.c:udmabuf_create, mm/gup.c:memfd_pin_folios
    int file = sealed(3 * PAGE);
    fails(Errno.EINVAL, create(file, 0, 0));
    fails(Errno.EINVAL, create(file, 1, PAGE));
    fails(Errno.EINVAL, create(file, 0, PAGE + 1));
    fails(Errno.EINVAL, create(file, 3 * PAGE, PAGE));
    fails(Errno.EINVAL, create(file, 0, 4 * PAGE));
    fails(Errno.EINVAL, create(file, -PAGE, PAGE));
    // The size is checked before the file: 2047 TiB are as many as the parameter size_limit_mb.
    fails(Errno.EINVAL, create(NO_FD, 0, 1L << 51));
    keep(create(file, PAGE, 2 * PAGE));
  }

  @Test
  void theParametersAreReadFirst() {
    // udmabuf.c:udmabuf_ioctl
    fails(Errno.EFAULT, ioctl(udmabuf, UDMABUF_CREATE, NOWHERE));
    fails(Errno.EFAULT, ioctl(udmabuf, UDMABUF_CREATE_LIST, NOWHERE));
    fails(Errno.ENOTTY, ioctl(udmabuf, DMA_BUF_IOCTL_SYNC, NOWHERE));
  }

  @Test
  void aListIsOfItemsThatAreNotEmpty() {
    // udmabuf.c:udmabuf_ioctl_create_list; mm/gup.c:memfd_pin_folios
    Item page = new Item(sealed(2 * PAGE), PAGE, PAGE);
    Item empty = new Item(page.memfd, 0, 0);
    fails(Errno.EINVAL, createList(0));
    fails(Errno.EINVAL, createList(MOST_ITEMS + 1, page));
    fails(Errno.EINVAL, createList(-1, page));
    fails(Errno.EINVAL, createList(2, page, empty));
    fails(Errno.EBADFD, createList(2, page, new Item(eventfd(), 0, PAGE)));
    int two = keep(createList(2, page, new Item(sealed(PAGE), 0, PAGE)));
    assertThat(kernel.lseek(two, 0, Libc.SEEK_END())).isEqualTo(2 * PAGE);
  }

  @Test
  void aDmaBufIsMappedAndHasTheMemfdsPages() {
    // udmabuf.c:mmap_udmabuf
    int file = sealed(3 * PAGE);
    int buffer = keep(create(file, PAGE, 2 * PAGE));
    assertThat(kernel.lseek(buffer, 0, Libc.SEEK_END())).isEqualTo(2 * PAGE);
    long mapped = mapped(mmap(buffer, 2 * PAGE, READ_WRITE, Libc.MAP_SHARED(), 0), 2 * PAGE);
    long second = mapped(mmap(buffer, PAGE, READ_WRITE, Libc.MAP_SHARED(), PAGE), PAGE);
    at(mapped, 2 * PAGE).set(ValueLayout.JAVA_LONG, PAGE + 8, 42);
    assertThat(at(second, PAGE).get(ValueLayout.JAVA_LONG, 8)).isEqualTo(42);
    MemorySegment bytes = zeros(8);
    assertThat(kernel.pread(file, bytes.address(), 8, 2 * PAGE + 8)).isEqualTo(8);
    assertThat(bytes.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(42);
    close(file);
    assertThat(at(mapped, PAGE).get(ValueLayout.JAVA_LONG, 0)).isZero();
    // dma-buf.c:dma_buf_mmap_internal
    fails(Errno.EINVAL, mmap(buffer, 2 * PAGE, READ_WRITE, Libc.MAP_SHARED(), PAGE));
    fails(Errno.EINVAL, mmap(buffer, PAGE, READ_WRITE, Libc.MAP_PRIVATE(), 0));
  }

  @Test
  void anAccessEndsAfterItHasBegun() {
    // udmabuf.c:end_cpu_udmabuf
    int buffer = keep(create(sealed(PAGE), 0, PAGE));
    long end = DmaBuf.DMA_BUF_SYNC_RW() | DmaBuf.DMA_BUF_SYNC_END();
    fails(Errno.EINVAL, sync(buffer, end));
    succeeds(sync(buffer, DmaBuf.DMA_BUF_SYNC_RW()));
    succeeds(sync(buffer, end));
    succeeds(sync(buffer, end));
  }

  @Test
  void aDmaBufThatIsNotOfADeviceIsNotMappedForDma() {
    // iommufd/pages.c:iopt_map_dmabuf, sym_vfio_pci_dma_buf_iommufd_map
    int iommufd = open("/dev/iommu");
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    succeeds(ioctl(iommufd, IOMMU_IOAS_ALLOC, alloc));
    MemorySegment map = sized(iommu_ioas_map_file.layout());
    iommu_ioas_map_file.flags(map, Iommufd.IOMMU_IOAS_MAP_READABLE());
    iommu_ioas_map_file.ioas_id(map, iommu_ioas_alloc.out_ioas_id(alloc));
    iommu_ioas_map_file.fd(map, keep(create(sealed(PAGE), 0, PAGE)));
    iommu_ioas_map_file.length(map, PAGE);
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_IOAS_MAP_FILE, map));
  }
}
