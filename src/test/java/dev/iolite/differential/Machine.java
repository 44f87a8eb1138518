package dev.iolite.differential;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs programs on a kernel, each from a clean start, and says what every call answered: its
 * result, and what it wrote. A descriptor is only told to be one, since its number is the process's
 * own; object ids are told as they are, since the kernel counts them from 1.
 */
final class Machine implements AutoCloseable {
  static final long PAGE = 4096;
  static final int POOL_PAGES = 24;
  static final int REAL_SETTLE_MILLIS = 60;
  private static final List<String> ADDRESSES = List.of("0000:00:02.0", "0000:00:03.0");
  private static final long ALIGNED = 2 << 20;
  private static final int NO_ID = 0x7fff_0000;
  private static final long PATTERN = 0x0101_0101_0101_0101L;
  private static final int SCRATCH = 1 << 16;

  private final Kernel kernel;
  private final MemorySegment scratch = Arena.ofAuto().allocate(SCRATCH, Long.BYTES);
  private long used;
  private final List<Integer> opened = new ArrayList<>();
  private final long reserved;
  private final long ram;
  private final int memfd;
  private final long file;
  private final int settleMillis;
  private final List<String> cdevs = new ArrayList<>();
  private final List<Context> contexts = new ArrayList<>();
  private int current;

  /** An iommufd, with the ids that the program knows in it. */
  private record Context(int fd, Handles ioases, Handles objects, Handles deviceIds) {}

  final Handles devices = new Handles(-1);
  final Handles bufs = new Handles(-1);
  final Handles vms = new Handles(-1);
  final Handles gmems = new Handles(-1);
  final Handles vcpus = new Handles(-1);
  final Handles lists = new Handles(-1);
  final Handles events = new Handles(-1);

  private final IommufdCalls iommufdCalls = new IommufdCalls(this);
  private final VfioCalls vfioCalls = new VfioCalls(this);
  private final IrqCalls irqCalls = new IrqCalls(this);
  private final KvmCalls kvmCalls = new KvmCalls(this);

  /**
   * Gives the devices to vfio-pci until it is closed.
   *
   * @param settleMillis how long an interrupt may be on its way; a model's are never
   */
  Machine(Kernel kernel, int settleMillis) {
    this.kernel = kernel;
    this.settleMillis = settleMillis;
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    int anonymous = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS();
    // Aligned, because the kernel aligns an IOVA that it chooses as the memory is.
    reserved = checked(kernel.mmap(0, 2 * ALIGNED, readWrite, anonymous, -1, 0));
    ram = (reserved + ALIGNED - 1) & -ALIGNED;
    memfd = (int) checked(kernel.memfdCreate("differential", Libc.MFD_CLOEXEC()));
    checked(kernel.ftruncate(memfd, POOL_PAGES * PAGE));
    file = checked(kernel.mmap(0, POOL_PAGES * PAGE, readWrite, Libc.MAP_SHARED(), memfd, 0));
    fillPools();
    ADDRESSES.forEach(address -> cdevs.add(take(new SysFs(kernel), address)));
  }

  private static String take(SysFs sysfs, String address) {
    String directory = directory(address);
    if (sysfs.exists(directory + "driver")) {
      sysfs.write(directory + "driver/unbind", address);
    }
    sysfs.write(directory + "driver_override", "vfio-pci");
    sysfs.write("/sys/bus/pci/drivers_probe", address);
    return "/dev/vfio/devices/" + sysfs.list(directory + "vfio-dev").getFirst();
  }

  private static void giveBack(SysFs sysfs, String address) {
    String directory = directory(address);
    sysfs.write(directory + "driver/unbind", address);
    sysfs.write(directory + "driver_override", "\n");
    sysfs.write("/sys/bus/pci/drivers_probe", address);
  }

  private static String directory(String address) {
    return "/sys/bus/pci/devices/" + address + "/";
  }

  @Override
  public void close() {
    ADDRESSES.forEach(address -> giveBack(new SysFs(kernel), address));
    kernel.munmap(file, POOL_PAGES * PAGE);
    kernel.close(memfd);
    kernel.munmap(reserved, 2 * ALIGNED);
  }

  private static long checked(long result) {
    if (result < 0 && result >= -Kernel.MAX_ERRNO) {
      throw new IllegalStateException("could not be prepared: " + Errno.of((int) -result));
    }
    return result;
  }

  private void fillPools() {
    for (int i = 0; i < POOL_PAGES; i++) {
      pool(ram, i).fill((byte) 1);
      pool(file, i).fill((byte) 1);
    }
  }

  private static MemorySegment pool(long base, int page) {
    return MemorySegment.ofAddress(base + page * PAGE).reinterpret(PAGE);
  }

  /** Runs a program, and says what each call answered, and what was mapped at the end. */
  List<String> run(List<Op> program) {
    List<String> answers = new ArrayList<>(program.size() + 1);
    try {
      setContext(0);
      for (Op op : program) {
        used = 0;
        answers.add(answer(op));
      }
      answers.add(mapped());
    } finally {
      end();
    }
    return answers;
  }

  private String answer(Op op) {
    return switch (op.kind()) {
      case IOAS, DESTROY, MAP, MAP_FILE, COPY, UNMAP, RANGES, ALLOW -> iommufdCalls.answer(op);
      case CONTEXT -> setContext((int) op.arg(0));
      case OPTION, HWPT, HW_INFO, VFIO_IOAS, CHANGE_PROCESS -> iommufdCalls.answer(op);
      case OPEN, CLOSE, BIND, ATTACH, DETACH, COMMAND, EXPORT -> vfioCalls.answer(op);
      case CLOSE_BUF, READ, RESET, REGION, DMA -> vfioCalls.answer(op);
      case EVENT, IRQ_INFO, IRQS, SIGNALS, RAISE -> irqCalls.answer(op);
      case VM, SLOT, GMEM, CLOSE_GMEM, ATTRIBUTES, VCPU, PRE_FAULT -> kvmCalls.answer(op);
      case LIST, LIST_SET -> kvmCalls.answer(op);
    };
  }

  /** Opens it if it is not there: the kernel's ids start anew in it. */
  private String setContext(int number) {
    while (contexts.size() <= number) {
      int fd = keep(open("/dev/iommu"));
      contexts.add(new Context(fd, new Handles(NO_ID), new Handles(NO_ID), new Handles(NO_ID)));
    }
    current = number;
    return "0";
  }

  /** How much every IOAS has mapped at the end. */
  private String mapped() {
    StringBuilder text = new StringBuilder("end");
    for (int i = 0; i < contexts.size(); i++) {
      current = i;
      text.append(i == 0 ? "" : " /");
      for (int ioas : ioases().all()) {
        used = 0;
        text.append(' ').append(ioas).append(':').append(iommufdCalls.unmapped(ioas, 0, -1));
      }
    }
    return text.toString();
  }

  private void end() {
    for (int i = opened.size() - 1; i >= 0; i--) {
      kernel.close(opened.get(i));
    }
    opened.clear();
    for (Handles handles : List.of(devices, bufs, vms, gmems, vcpus, lists, events)) {
      handles.clear();
    }
    contexts.clear();
    kvmCalls.end();
  }

  Kernel kernel() {
    return kernel;
  }

  int iommufd() {
    return contexts.get(current).fd;
  }

  Handles ioases() {
    return contexts.get(current).ioases;
  }

  Handles objects() {
    return contexts.get(current).objects;
  }

  Handles deviceIds() {
    return contexts.get(current).deviceIds;
  }

  int settleMillis() {
    return settleMillis;
  }

  int memfd() {
    return memfd;
  }

  int open(String path) {
    return kernel.open(path, Libc.O_RDWR() | Libc.O_CLOEXEC());
  }

  int openDevice(int which) {
    return open(cdevs.get(which));
  }

  /** Closes a descriptor when the program ends, unless {@link #close(int)} does. */
  int keep(int fd) {
    if (fd >= 0) {
      opened.add(fd);
    }
    return fd;
  }

  int close(int fd) {
    opened.remove(Integer.valueOf(fd));
    return kernel.close(fd);
  }

  /** A struct of zeros, for this call. */
  MemorySegment struct(MemoryLayout layout) {
    return zeros(layout.byteSize());
  }

  /** A struct of zeros whose first field is its size, for this call. */
  MemorySegment sized(MemoryLayout layout) {
    MemorySegment struct = zeros(layout.byteSize());
    struct.set(ValueLayout.JAVA_INT, 0, (int) layout.byteSize());
    return struct;
  }

  MemorySegment zeros(long bytes) {
    MemorySegment struct = scratch.asSlice(used, bytes).fill((byte) 0);
    used = (used + bytes + Long.BYTES - 1) & -Long.BYTES;
    return struct;
  }

  int ioctl(int fd, Ioctl command, MemorySegment argument) {
    return kernel.ioctl(fd, command.number(), argument.address());
  }

  int ioctl(int fd, Ioctl command, long argument) {
    return kernel.ioctl(fd, command.number(), argument);
  }

  /** The address of an offset in the RAM; -1 is where nothing is, -2 is nothing a process has. */
  long address(long offset) {
    return offset == -1 ? PAGE : offset == -2 ? -PAGE : ram + offset;
  }

  /** Says what a call answered that gives a descriptor. */
  static String descriptor(int result) {
    return result < 0 ? name(result) : "fd";
  }

  /** A result as a word: the errno's name, or the number. */
  static String name(long result) {
    return result < 0 && result >= -Kernel.MAX_ERRNO
        ? Errno.of((int) -result).toString()
        : Long.toString(result);
  }

  /** Where in the pools eight zeros are, which are taken away again. */
  String arrived(long offsetInPage) {
    StringBuilder text = new StringBuilder();
    for (int page = 0; page < POOL_PAGES; page++) {
      look(text, "ram", pool(ram, page), page, offsetInPage);
      look(text, "file", pool(file, page), page, offsetInPage);
    }
    return text.toString();
  }

  private static void look(
      StringBuilder text, String name, MemorySegment page, int number, long offset) {
    if (page.get(ValueLayout.JAVA_LONG, offset) == 0) {
      text.append(' ').append(name).append(number);
      page.set(ValueLayout.JAVA_LONG, offset, PATTERN);
    }
  }
}
