package dev.iolite.bench;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.VfioUser;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.AssignmentOptions;
import dev.iolite.tdi.TdiAssignment;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.tdi.layout.MmioLayout;
import dev.iolite.tdi.plan.Abilities;
import dev.iolite.tdi.plan.Abilities.PrivateMmio;
import dev.iolite.tdi.plan.Abilities.SharedSlots;
import dev.iolite.tdi.plan.SlotPlan;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_option;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import dev.iolite.vfio.ByteRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * How fast a large plan is, and the model: its start, simple ioctls, map and unmap pairs, and how
 * both grow with what is mapped. A time of a call is that of the fastest of many short windows.
 */
public final class ModelFigures {
  private static final long PAGE = 4096;
  private static final int WINDOWS = 400;
  private static final int STARTS = 41;
  private static final int ASSIGNMENTS = 301;
  private static final int CALLS = 2000;
  private static final int FLAGS =
      Iommufd.IOMMU_IOAS_MAP_READABLE() | Iommufd.IOMMU_IOAS_MAP_WRITEABLE();

  /** A struct vfio_region_info with room for a small capability. */
  private static final int REGION_BYTES = 64;

  private static final long BEFORE_FIRST_START = System.nanoTime();

  private final Kernel kernel = MockKernel.plain();
  private final double firstStart = (System.nanoTime() - BEFORE_FIRST_START) / 1e6;
  private final int fd = check(kernel.open("/dev/iommu", Libc.O_RDWR()));
  private final Random random = new Random(1);
  private final MemorySegment option = sized(iommu_option.layout());
  private final MemorySegment map = sized(iommu_ioas_map.layout());
  private final MemorySegment unmap = sized(iommu_ioas_unmap.layout());
  private final int ioas = ioas();

  private ModelFigures() {
    iommu_option.option_id(option, Iommufd.IOMMU_OPTION_RLIMIT_MODE());
    iommu_option.op(option, (short) Iommufd.IOMMU_OPTION_OP_GET());
    iommu_ioas_map.ioas_id(map, ioas);
    iommu_ioas_map.user_va(map, check(kernel.mmap(0, PAGE, 3, 0x21, -1, 0)));
    iommu_ioas_map.length(map, PAGE);
    iommu_ioas_unmap.ioas_id(unmap, ioas);
    iommu_ioas_unmap.length(unmap, PAGE);
  }

  /** Prints the figures; with an argument, only the milliseconds of the JVM's first start. */
  public static void main(String[] arguments) {
    var figures = new ModelFigures();
    if (arguments.length > 0) {
      System.out.printf("%.1f%n", figures.firstStart);
    } else {
      figures.print();
    }
  }

  private void print() {
    Plans plans = new Plans();
    System.out.printf("plan of 100,000 runs, the first %6.1f ms%n", plans.plan());
    System.out.printf("plan of 100,000 runs, later   %8.1f ms (median)%n", plans.laterPlan());
    System.out.printf("start of a host, later ones   %8.1f ms (median)%n", laterStart());
    System.out.printf("assign and unassign a TDI     %8.1f ms (median)%n", assignment(false));
    System.out.printf("the same with bind and unbind %8.1f ms (median)%n", assignment(true));
    print("simple ioctl (IOMMU_OPTION)", best(() -> ioctl(IommufdIoctls.IOMMU_OPTION, option)));
    info();
    print("map and unmap, any IOVA", best(() -> pair(true, 0)));
    print("map and unmap, fixed IOVA", best(() -> pair(false, 0x100000)));
    int live = 0;
    for (int wanted = 1000; wanted <= 1_000_000; wanted *= 10) {
      while (live < wanted) {
        map(true, 0);
        live++;
      }
      long end = (long) live * PAGE;
      System.out.printf("with %,d mappings:%n", live);
      print("  look-up that finds one", best(() -> lookUp(end)));
      print("  unmap and map again there", best(() -> again(end, false)));
      print("  unmap and map anywhere", best(() -> again(end, true)));
    }
  }

  /** What a VMM asks a device for; the NVMe controller's BAR has a capability too. */
  private void info() {
    MemorySegment info = sized(vfio_device_info.layout());
    MemorySegment region = Arena.ofAuto().allocate(REGION_BYTES, Long.BYTES);
    try (var user = new VfioUser(kernel, "0000:00:03.0")) {
      int device = user.device().fd().number();
      print(
          "VFIO_DEVICE_GET_INFO",
          best(() -> {
            check(kernel.ioctl(device, VfioIoctls.VFIO_DEVICE_GET_INFO.number(), info.address()));
          }));
      print("GET_REGION_INFO", best(() -> regionInfo(device, region, 1)));
      print("  with a capability", best(() -> regionInfo(device, region, 0)));
    }
  }

  private void regionInfo(int device, MemorySegment region, int index) {
    vfio_region_info.argsz(region, REGION_BYTES);
    vfio_region_info.index(region, index);
    check(kernel.ioctl(device, VfioIoctls.VFIO_DEVICE_GET_REGION_INFO.number(), region.address()));
  }

  /** Plans for a BAR of 64 GiB with 100,000 runs, from its private ranges on. */
  private static final class Plans {
    private static final int RUNS = 100_000;
    private static final long BAR_BYTES = 64L << 30;

    private final List<ByteRange> guarded =
        IntStream.range(0, RUNS / 2)
            .mapToObj(i -> new ByteRange(i * (BAR_BYTES / RUNS * 2 & -PAGE), PAGE))
            .toList();
    private final Abilities abilities =
        new Abilities(SharedSlots.BY_DMABUF, PrivateMmio.SLOTS_OF_ONE_DMABUF, true, RUNS);

    /** How long it takes, in milliseconds. */
    double plan() {
      long start = System.nanoTime();
      MmioLayout layout =
          MmioLayout.ofPrivate(List.of(new BarSize(2, BAR_BYTES)), Map.of(2, guarded), Page.BYTES);
      SlotPlan plan = SlotPlan.of(layout, Map.of(2, BAR_BYTES), abilities);
      double millis = (System.nanoTime() - start) / 1e6;
      if (plan.slots().size() != RUNS) {
        throw new IllegalStateException(plan.slots().size() + " slots");
      }
      return millis;
    }

    double laterPlan() {
      return DoubleStream.generate(this::plan).limit(STARTS).sorted().toArray()[STARTS / 2];
    }
  }

  /** How long an assignment takes on a TDX host when all is warm, in milliseconds. */
  private static double assignment(boolean binds) {
    double[] millis = new double[ASSIGNMENTS];
    try (Rehearsal host = Rehearsal.of(Platform.TDX, Profile.SEED_2025)) {
      AssignmentOptions options =
          new AssignmentOptions(host.kernel(), PciAddress.parse("0000:00:07.0"))
              .withVmType(host.vmType());
      for (int i = 0; i < 2 * ASSIGNMENTS; i++) {
        long start = System.nanoTime();
        try (TdiAssignment assignment = new TdiAssignment(options)) {
          assignment.assign();
          if (binds) {
            assignment.bind();
            assignment.start();
            assignment.unbind();
          }
        }
        millis[i % ASSIGNMENTS] = (System.nanoTime() - start) / 1e6;
      }
    }
    Arrays.sort(millis);
    return millis[ASSIGNMENTS / 2];
  }

  private static double laterStart() {
    double[] millis = new double[STARTS];
    for (int i = 0; i < STARTS; i++) {
      long start = System.nanoTime();
      try (MockKernel another = MockKernel.plain()) {
        check(another.open("/dev/iommu", Libc.O_RDWR()));
        millis[i] = (System.nanoTime() - start) / 1e6;
      }
    }
    Arrays.sort(millis);
    return millis[STARTS / 2];
  }

  private static void print(String what, double nanos) {
    System.out.printf("%-28s %8.0f ns  %,12.0f a second%n", what, nanos, 1e9 / nanos);
  }

  private static double best(Runnable call) {
    double best = Double.MAX_VALUE;
    for (int window = 0; window < WINDOWS; window++) {
      long start = System.nanoTime();
      for (int i = 0; i < CALLS; i++) {
        call.run();
      }
      best = Math.min(best, (double) (System.nanoTime() - start) / CALLS);
    }
    return best;
  }

  private void pair(boolean anywhere, long iova) {
    unmap(map(anywhere, iova));
  }

  /** A mapping of a page that is taken, which the model has to find to refuse. */
  private void lookUp(long end) {
    iommu_ioas_map.flags(map, FLAGS | Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA());
    iommu_ioas_map.iova(map, page(end));
    int result = kernel.ioctl(fd, IommufdIoctls.IOMMU_IOAS_MAP.number(), map.address());
    if (result != Errno.EEXIST.negated()) {
      throw new IllegalStateException("a look-up has answered " + result);
    }
  }

  private void again(long end, boolean anywhere) {
    long iova = page(end);
    unmap(iova);
    map(anywhere, iova);
  }

  /** One of the pages that are mapped, from the second one of the space on. */
  private long page(long end) {
    return PAGE + random.nextLong(end / PAGE) * PAGE;
  }

  private long map(boolean anywhere, long iova) {
    iommu_ioas_map.flags(map, anywhere ? FLAGS : FLAGS | Iommufd.IOMMU_IOAS_MAP_FIXED_IOVA());
    iommu_ioas_map.iova(map, iova);
    ioctl(IommufdIoctls.IOMMU_IOAS_MAP, map);
    return iommu_ioas_map.iova(map);
  }

  private void unmap(long iova) {
    iommu_ioas_unmap.iova(unmap, iova);
    iommu_ioas_unmap.length(unmap, PAGE);
    ioctl(IommufdIoctls.IOMMU_IOAS_UNMAP, unmap);
  }

  private int ioas() {
    MemorySegment alloc = sized(iommu_ioas_alloc.layout());
    ioctl(IommufdIoctls.IOMMU_IOAS_ALLOC, alloc);
    return iommu_ioas_alloc.out_ioas_id(alloc);
  }

  private void ioctl(Ioctl command, MemorySegment argument) {
    check(kernel.ioctl(fd, command.number(), argument.address()));
  }

  private static int check(int result) {
    return (int) check((long) result);
  }

  private static long check(long result) {
    if (result < 0 && result >= -Kernel.MAX_ERRNO) {
      throw new IllegalStateException(Errno.of((int) -result).name());
    }
    return result;
  }

  private static MemorySegment sized(MemoryLayout layout) {
    MemorySegment struct = Arena.ofAuto().allocate(layout.byteSize(), Long.BYTES);
    struct.set(Iommufd.C_INT, 0, (int) layout.byteSize());
    return struct;
  }
}
