package dev.iolite.mock.iommufd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.mock.core.GuestDeviceCalls;
import dev.iolite.mock.core.HostUserMemory;
import dev.iolite.mock.core.IommuDevice;
import dev.iolite.mock.core.IommufdContext;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_copy;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.function.Supplier;

/** A process on a machine with one kind of IOMMU, and one open iommufd. */
final class Machine {
  static final long PAGE = 4096;
  static final int FIXED = Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA();
  static final int READ = Iommufd.IOMMU_IOAS_MAP_READABLE();
  static final int WRITE = Iommufd.IOMMU_IOAS_MAP_WRITEABLE();
  static final int USUAL = FIXED | READ | WRITE;

  private final Task task;
  private final Tree tree;
  private final IommufdContext iommufd;
  private final int fd;

  Machine(Iommu iommu) {
    this(IommuPlatform.of(iommu));
  }

  Machine(IommuPlatform platform) {
    var host = new HostKernel();
    task = new Task(host, new HostUserMemory(host));
    tree = new Tree(task);
    IommufdDriver.install(task, tree, platform, GuestDeviceCalls.none());
    iommufd = openIommufd();
    fd = task.descriptors().install(iommufd);
  }

  /** Another context, with one reference. */
  IommufdContext openIommufd() {
    return (IommufdContext) call(() -> tree.open("/dev/iommu", Libc.O_RDWR()));
  }

  Task task() {
    return task;
  }

  /** Closes the iommufd's only descriptor. */
  void closeIommufd() {
    call(() -> {
      task.descriptors().close(fd);
      return 0;
    });
  }

  /** A call under the model's lock; it may be refused. */
  <T> T call(Supplier<T> call) {
    task.enter();
    try {
      return call.get();
    } finally {
      task.leave();
    }
  }

  /** The errno that a call is refused with. */
  Optional<Errno> refusal(Runnable refused) {
    try {
      call(() -> {
        refused.run();
        return 0;
      });
      return Optional.empty();
    } catch (Refused e) {
      return Optional.of(e.errno());
    }
  }

  IommufdContext.BoundDevice bind(IommuDevice device) {
    return call(() -> iommufd.bind(device));
  }

  Optional<Errno> refusedBind(IommuDevice device) {
    return refusal(() -> iommufd.bind(device));
  }

  /** The result of an ioctl, or its errno, negative. */
  int ioctl(Ioctl command, MemorySegment argument) {
    try {
      return call(() -> iommufd.ioctl((int) command.number(), argument.address()));
    } catch (Refused e) {
      return e.errno().negated();
    }
  }

  void succeeds(Ioctl command, MemorySegment argument) {
    int result = ioctl(command, argument);
    assertThat(result).as(() -> command.name() + ": " + Errno.of(-result)).isNotNegative();
  }

  void fails(Errno errno, Ioctl command, MemorySegment argument) {
    assertThat(Errno.of(-ioctl(command, argument))).as(command.name()).isEqualTo(errno);
  }

  /** A struct of zeros but for its size. */
  static MemorySegment sized(MemoryLayout layout) {
    MemorySegment struct = Arena.ofAuto().allocate(layout.byteSize(), Long.BYTES);
    struct.set(Iommufd.C_INT, 0, (int) layout.byteSize());
    return struct;
  }

  int ioas() {
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    succeeds(IommufdIoctls.IOMMU_IOAS_ALLOC, alloc);
    return iommu_ioas_alloc.out_ioas_id(alloc);
  }

  static MemorySegment destroyOf(int id) {
    MemorySegment destroy = sized(iommu_destroy.layout());
    iommu_destroy.id(destroy, id);
    return destroy;
  }

  void destroy(int id) {
    succeeds(IommufdIoctls.IOMMU_DESTROY, destroyOf(id));
  }

  void failsToDestroy(Errno errno, int id) {
    fails(errno, IommufdIoctls.IOMMU_DESTROY, destroyOf(id));
  }

  static MemorySegment mapOf(int ioas, int flags, long address, long bytes, long iova) {
    MemorySegment map = sized(iommu_ioas_map.layout());
    iommu_ioas_map.ioas_id(map, ioas);
    iommu_ioas_map.flags(map, flags);
    iommu_ioas_map.user_va(map, address);
    iommu_ioas_map.length(map, bytes);
    iommu_ioas_map.iova(map, iova);
    return map;
  }

  void map(int ioas, int flags, long address, long bytes, long iova) {
    succeeds(IommufdIoctls.IOMMU_IOAS_MAP, mapOf(ioas, flags, address, bytes, iova));
  }

  static MemorySegment mapFileOf(int ioas, int flags, int fd, long start, long bytes, long iova) {
    MemorySegment map = sized(iommu_ioas_map_file.layout());
    iommu_ioas_map_file.ioas_id(map, ioas);
    iommu_ioas_map_file.flags(map, flags);
    iommu_ioas_map_file.fd(map, fd);
    iommu_ioas_map_file.start(map, start);
    iommu_ioas_map_file.length(map, bytes);
    iommu_ioas_map_file.iova(map, iova);
    return map;
  }

  static MemorySegment copyOf(int to, int flags, long toIova, int from, long fromIova, long bytes) {
    MemorySegment copy = sized(iommu_ioas_copy.layout());
    iommu_ioas_copy.dst_ioas_id(copy, to);
    iommu_ioas_copy.src_ioas_id(copy, from);
    iommu_ioas_copy.flags(copy, flags);
    iommu_ioas_copy.length(copy, bytes);
    iommu_ioas_copy.dst_iova(copy, toIova);
    iommu_ioas_copy.src_iova(copy, fromIova);
    return copy;
  }

  void copy(int to, int flags, long toIova, int from, long fromIova, long bytes) {
    succeeds(IommufdIoctls.IOMMU_IOAS_COPY, copyOf(to, flags, toIova, from, fromIova, bytes));
  }

  void unmap(int ioas, long iova, long bytes) {
    MemorySegment unmap = sized(iommu_ioas_unmap.layout());
    iommu_ioas_unmap.ioas_id(unmap, ioas);
    iommu_ioas_unmap.iova(unmap, iova);
    iommu_ioas_unmap.length(unmap, bytes);
    succeeds(IommufdIoctls.IOMMU_IOAS_UNMAP, unmap);
  }

  static MemorySegment hwptOf(int flags, int device, int base) {
    MemorySegment alloc = sized(iommu_hwpt_alloc.layout());
    iommu_hwpt_alloc.flags(alloc, flags);
    iommu_hwpt_alloc.dev_id(alloc, device);
    iommu_hwpt_alloc.pt_id(alloc, base);
    return alloc;
  }

  int hwpt(int flags, int device, int base) {
    MemorySegment alloc = hwptOf(flags, device, base);
    succeeds(IommufdIoctls.IOMMU_HWPT_ALLOC, alloc);
    return iommu_hwpt_alloc.out_hwpt_id(alloc);
  }

  /** Memory of zeros. */
  long ram(long bytes) {
    int protection = Libc.PROT_READ() | Libc.PROT_WRITE();
    int flags = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS();
    return call(() -> task.memory().map(0, bytes, protection, flags, Optional.empty(), 0));
  }

  void freeRam(long address, long bytes) {
    call(() -> {
      task.memory().unmap(address, bytes);
      return 0;
    });
  }

  int install(OpenFile file) {
    return call(() -> task.descriptors().install(file));
  }
}
