package dev.iolite.differential;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.SysFs;
import dev.iolite.uapi.catalog.Ioctl;
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
  private static final long ALIGNED = 2 << 20;
  private static final int NO_ID = 0x7fff_0000;
  private static final int CLOSED = -1;
  private static final long PATTERN = 0x0101_0101_0101_0101L;
  private static final int SCRATCH = 1 << 18;

  private final LabKernel lab;
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
  private record Context(
      int fd,
      Handles ioases,
      Handles objects,
      Handles deviceIds,
      Handles hwpts,
      Handles viommus,
      Handles vdevices) {
    static Context of(int fd) {
      return new Context(fd, ids(), ids(), ids(), ids(), ids(), ids());
    }

    private static Handles ids() {
      return new Handles(NO_ID);
    }

    Context closed() {
      return new Context(CLOSED, ioases, objects, deviceIds, hwpts, viommus, vdevices);
    }

    void forget(int id) {
      List.of(ioases, objects, deviceIds, hwpts, viommus, vdevices)
          .forEach(handles -> handles.remove(id));
    }
  }

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
  private final TsmCalls tsmCalls = new TsmCalls(this);
  private final BufCalls bufCalls = new BufCalls(this);
  private final GuestCalls guestCalls;
  private final MapCalls mapCalls;

  /**
   * Gives the devices to vfio-pci until it is closed.
   *
   * @param lab which kernel it is, or is a model of
   * @param settleMillis how long an interrupt may be on its way; a model's are never
   */
  Machine(LabKernel lab, Kernel kernel, int settleMillis) {
    this.lab = lab;
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
    guestCalls = new GuestCalls(this);
    mapCalls = new MapCalls(this);
    lab.devices().forEach(address -> cdevs.add(take(new SysFs(kernel), address)));
    int memory = lab.devices().indexOf(LabKernel.IVSHMEM);
    if (memory >= 0) {
      mark(memory);
    }
  }

  /** The memory of a device tells from now on which page of it is reached. */
  private void mark(int device) {
    try {
      setContext(0);
      answer(Op.of(Kind.OPEN, device));
      answer(Op.of(Kind.BIND, 0));
      answer(Op.of(Kind.COMMAND, 0, 2));
      mapCalls.mark(devices.get(0));
    } finally {
      end();
    }
  }

  /** A model that has just started. */
  static Machine model(LabKernel lab) {
    return new Machine(lab, lab.model(), 0);
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

  static String directory(String address) {
    return "/sys/bus/pci/devices/" + address + "/";
  }

  @Override
  public void close() {
    mapCalls.close();
    guestCalls.close();
    lab.devices().forEach(address -> giveBack(new SysFs(kernel), address));
    kernel.munmap(file, POOL_PAGES * PAGE);
    kernel.close(memfd);
    kernel.munmap(reserved, 2 * ALIGNED);
  }

  /** The result of a call without which there is no machine. */
  static long checked(long result) {
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
      case CLOSE_BUF, READ, RESET, REGION, DMA, LOW_POWER, IOEVENTFD -> vfioCalls.answer(op);
      case EVENT, IRQ_INFO, IRQS, SIGNALS, RAISE -> irqCalls.answer(op);
      case VM, SLOT, GMEM, CLOSE_GMEM, ATTRIBUTES, VCPU, PRE_FAULT -> kvmCalls.answer(op);
      case LIST, LIST_SET, CLOSE_VM, CLOSE_LIST -> kvmCalls.answer(op);
      case CLOSE_IOMMUFD -> closeIommufd();
      case CONNECT, DISCONNECT, BOUND, VIOMMU, VDEVICE, TSM_OP, TSM_REQ -> tsmCalls.answer(op);
      case TSM_FAULT -> tsmCalls.answer(op);
      case RUNS, DEVICE_RUNS, BUF_COMMAND, BUF_SLOT -> bufCalls.answer(op);
      case CODE, GUEST_READ, GUEST_CALL, HYPERCALLS, CAPABILITY -> guestCalls.answer(op);
      case MMAP, TOUCH -> mapCalls.answer(op);
    };
  }

  /** Opens it if it is not there: the kernel's ids start anew in it. */
  private String setContext(int number) {
    while (contexts.size() <= number) {
      contexts.add(Context.of(keep(open("/dev/iommu"))));
    }
    current = number;
    return "0";
  }

  private String closeIommufd() {
    int result = close(iommufd());
    contexts.set(current, contexts.get(current).closed());
    return name(result);
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
    guestCalls.end();
    mapCalls.end();
    tsmCalls.end();
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

  Handles hwpts() {
    return contexts.get(current).hwpts;
  }

  Handles viommus() {
    return contexts.get(current).viommus;
  }

  Handles vdevices() {
    return contexts.get(current).vdevices;
  }

  /** An object of the iommufd is destroyed. */
  void forget(int id) {
    contexts.get(current).forget(id);
  }

  LabKernel lab() {
    return lab;
  }

  /** Where on the bus the memory of a device is, by its first BAR of at least a page. */
  long memoryStart(int device) {
    String resources = new SysFs(kernel).read(directory(lab.devices().get(device)) + "resource");
    return resources
        .lines()
        .map(line -> line.split(" ", -1))
        .filter(words -> Long.decode(words[1]) - Long.decode(words[0]) >= PAGE - 1)
        .mapToLong(words -> Long.decode(words[0]))
        .findFirst()
        .orElseThrow();
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

  /** Closes one that a program has, and says what that answered. */
  String close(Handles handles, long reference) {
    int fd = handles.get(reference);
    handles.remove(fd);
    return name(close(fd));
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
