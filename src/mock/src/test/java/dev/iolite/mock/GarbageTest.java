package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.mock.core.HostUserMemory;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.UserMemory;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.uapi.catalog.Call;
import dev.iolite.uapi.catalog.DmaBufIoctls;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterProperty;

/**
 * Whatever a caller passes, the model answers as a kernel does: with a result or an errno, never
 * with a Java exception, and without taking memory for what it refuses.
 */
class GarbageTest {
  private static final String EDU = "0000:00:02.0";
  private static final String NVME = "0000:00:03.0";
  private static final int CALLS = 2000;
  private static final int LARGEST_STRUCT = 4096;
  private static final long[] INTERESTING = {
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    11,
    16,
    24,
    32,
    40,
    48,
    64,
    0x1000,
    0x2000,
    0x3000,
    0xfee00000L,
    0x100000,
    0x7fffffff,
    0x80000000L,
    0xffffffffL,
    -1,
    -4096,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
  };

  private final Set<String> answered = new HashSet<>();

  /** Garbage that never gets past the first check would prove nothing. */
  @AfterProperty
  void manyCommandsWereTaken() {
    assertThat(answered).hasSizeGreaterThan(30);
  }

  @Property(tries = 40)
  void everyCallIsAnsweredWithAResultOrAnErrno(@ForAll long seed) {
    Random random = new Random(seed);
    for (Platform platform : Platform.values()) {
      try (Arena arena = Arena.ofConfined()) {
        var memory = new CallersMemory(arena.allocate(LARGEST_STRUCT, Long.BYTES));
        try (MockKernel kernel = MockKernel.builder().platform(platform).caller(memory).build()) {
          new Caller(random, kernel, memory, answered).go();
        }
      }
    }
  }

  /**
   * The memory of a caller: at first all of this process's, then a single segment, so that a bad
   * address can't reach what belongs to the JVM.
   */
  private static final class CallersMemory implements UserMemory {
    private final HostUserMemory all = new HostUserMemory(new HostKernel());
    private final MemorySegment only;
    private boolean isRestricted;

    CallersMemory(MemorySegment only) {
      this.only = only;
    }

    /** From now on there is only the segment. */
    void restrict() {
      isRestricted = true;
      all.close();
    }

    @Override
    public void read(long address, MemorySegment into) {
      if (isRestricted) {
        into.copyFrom(part(address, into.byteSize()));
      } else {
        all.read(address, into);
      }
    }

    @Override
    public void write(long address, MemorySegment from) {
      if (isRestricted) {
        part(address, from.byteSize()).copyFrom(from);
      } else {
        all.write(address, from);
      }
    }

    @Override
    public void requireMapped(long address, long bytes, boolean write) {
      if (isRestricted) {
        part(address, bytes);
      } else {
        all.requireMapped(address, bytes, write);
      }
    }

    private MemorySegment part(long address, long bytes) {
      long offset = address - only.address();
      if (offset < 0 || offset > only.byteSize() - bytes) {
        throw Refused.refused(Errno.EFAULT);
      }
      return only.asSlice(offset, bytes);
    }
  }

  /** Makes calls at random on descriptors of every kind. */
  private static final class Caller {
    private final Random random;
    private final Kernel kernel;
    private final CallersMemory memory;
    private final MemorySegment struct;
    private final List<Open> open = new ArrayList<>();
    private final Set<String> answered;
    private final List<Ioctl> commands =
        Stream.of(VfioIoctls.all(), IommufdIoctls.all(), KvmIoctls.all(), DmaBufIoctls.all())
            .flatMap(List::stream)
            .toList();

    /** A descriptor. */
    private record Open(int fd, FdKind kind) {}

    Caller(Random random, Kernel kernel, CallersMemory memory, Set<String> answered) {
      this.random = random;
      this.kernel = kernel;
      this.memory = memory;
      struct = memory.only;
      this.answered = answered;
    }

    /** Opens one of each kind, as a VMM does, and then calls garbage. */
    void go() {
      PciDevice function = new Pci(kernel).device(PciAddress.parse(EDU));
      DriverBinding.bind(function, "vfio-pci");
      Iommufd iommufd = Iommufd.open(kernel);
      VfioDevice cdev = VfioDevice.open(kernel, function.requireVfioCdev(), EDU);
      Vm vm = Kvm.open(kernel).createVm(VmType.SW_PROTECTED);
      kvm_create_device.type(struct, dev.iolite.uapi.kvm.Kvm.KVM_DEV_TYPE_VFIO());
      kernel.ioctl(vm.fd().number(), KvmIoctls.KVM_CREATE_DEVICE.number(), struct.address());
      open.add(new Open(kvm_create_device.fd(struct), FdKind.KVM_DEVICE));
      BoundVfioDevice device = cdev.bind(iommufd);
      device.attach(iommufd.allocIoas().id());
      device.config().setMemoryDecode(true);
      add(device.exportDmaBuf(PciRegion.BAR0, List.of(new ByteRange(0, 8192)), Libc.O_RDWR()).fd());
      add(vm.createGuestMemfd(1 << 20).fd());
      Stream.of(device.fd(), iommufd.fd(), vm.fd()).forEach(this::add);
      open.add(new Open(kernel.open(Kvm.PATH, Libc.O_RDWR()), FdKind.KVM));
      int vcpu = kernel.ioctl(vm.fd().number(), KvmIoctls.KVM_CREATE_VCPU.number(), 0);
      neverRun(vcpu);
      open.add(new Open(vcpu, FdKind.KVM_VCPU));
      open.add(new Open(kernel.eventfd(0, Libc.EFD_NONBLOCK()), FdKind.EVENTFD));
      open.add(new Open(kernel.memfdCreate("ram", 0), FdKind.MEMFD));
      addContainer();
      memory.restrict();
      for (int i = 0; i < CALLS; i++) {
        answer(one());
      }
    }

    /** A container with a group in it, whose device is open. */
    private void addContainer() {
      PciDevice function = new Pci(kernel).device(PciAddress.parse(NVME));
      DriverBinding.bind(function, "vfio-pci");
      int container = kernel.open("/dev/vfio/vfio", Libc.O_RDWR());
      String path = "/dev/vfio/" + function.iommuGroup().orElseThrow().id();
      int group = kernel.open(path, Libc.O_RDWR());
      struct.set(ValueLayout.JAVA_INT, 0, container);
      kernel.ioctl(group, VfioIoctls.VFIO_GROUP_SET_CONTAINER.number(), struct.address());
      kernel.ioctl(container, VfioIoctls.VFIO_SET_IOMMU.number(), Vfio.VFIO_TYPE1v2_IOMMU());
      struct.setString(0, NVME);
      int device =
          kernel.ioctl(group, VfioIoctls.VFIO_GROUP_GET_DEVICE_FD.number(), struct.address());
      assertThat(device).isPositive();
      open.add(new Open(container, FdKind.VFIO_CONTAINER));
      open.add(new Open(group, FdKind.VFIO_GROUP));
      open.add(new Open(device, FdKind.VFIO_DEVICE));
    }

    private void add(Fd fd) {
      open.add(new Open(fd.number(), fd.kind()));
    }

    private void answer(long result) {
      assertThat(result).isGreaterThanOrEqualTo(-Kernel.MAX_ERRNO);
    }

    private long one() {
      return switch (random.nextInt(12)) {
        case 0 -> kernel.pread(fd(), pointer(), length(), number());
        case 1 -> kernel.pwrite(fd(), pointer(), length(), number());
        case 2 -> kernel.lseek(fd(), number(), random.nextInt(5));
        case 3 -> map();
        case 4 -> kernel.poll(pointer(), random.nextInt(4) - 1, 0);
        case 5 -> kernel.getdents(fd(), pointer(), length());
        case 6 -> kernel.ioctl(fd(), number(), pointer());
        default -> ioctl();
      };
    }

    /** Mostly a command of the descriptor's own kind, sometimes any. */
    private long ioctl() {
      Open on = open.get(random.nextInt(open.size()));
      List<Ioctl> own = commands.stream().filter(c -> c.on() == on.kind).toList();
      List<Ioctl> some = own.isEmpty() || random.nextInt(8) == 0 ? commands : own;
      Ioctl command = some.get(random.nextInt(some.size()));
      fill(command.argument().map(MemoryLayout::byteSize).orElse(64L));
      long argument = random.nextInt(8) == 0 ? number() : pointer();
      long result = kernel.ioctl(on.fd, command.number(), argument);
      if (result >= 0 && command.on() == on.kind) {
        answered.add(command.name());
        assertThat(result == 0 || hasNumbers(command))
            .as("the table of calls knows that %s may return %d", command.name(), result)
            .isTrue();
        command
            .returns()
            .filter(_ -> result > 2)
            .ifPresent(kind -> {
              open.add(new Open((int) result, kind));
              if (kind == FdKind.KVM_VCPU) {
                neverRun((int) result);
              }
            });
      }
      // A rate is returned as an int, however large the one is that was set.
      boolean isRate = command.number() == KvmIoctls.KVM_GET_TSC_KHZ.number();
      return isRate ? Math.max(0, result) : result;
    }

    /** That of a feature depends on the feature. */
    private static boolean hasNumbers(Ioctl command) {
      return !(command.result() instanceof Call.Result.Done)
          || command.equals(VfioIoctls.VFIO_DEVICE_FEATURE);
    }

    /** A guest of zeros may run for ever; with this, KVM_RUN returns at once. */
    private void neverRun(int vcpu) {
      long run = kernel.mmap(0, 4096, 3, Libc.MAP_SHARED(), vcpu, 0);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = MemorySegment.ofAddress(run).reinterpret(4096, arena, null);
        kvm_run.immediate_exit(memory.asSlice(0, 4096), (byte) 1);
      }
    }

    private long map() {
      long bytes = length();
      long address =
          kernel.mmap(0, bytes, 3, random.nextInt(4), random.nextInt(3) == 0 ? -1 : fd(), number());
      if (address > 0) {
        kernel.munmap(address, bytes);
      }
      return address;
    }

    /** Numbers of which many are 0, so that some calls get past their first checks. */
    private void fill(long bytes) {
      struct.fill((byte) 0);
      for (int at = 0; at + 4 <= Math.min(bytes + 64, LARGEST_STRUCT); at += 4) {
        if (random.nextBoolean()) {
          continue;
        }
        if (random.nextBoolean() && at % 8 == 0) {
          struct.set(ValueLayout.JAVA_LONG, at, random.nextInt(6) == 0 ? pointer() : number());
          at += 4;
        } else {
          struct.set(ValueLayout.JAVA_INT, at, (int) number());
        }
      }
      if (random.nextInt(4) != 0) {
        struct.set(ValueLayout.JAVA_INT, 0, (int) bytes);
      }
    }

    private int fd() {
      return switch (random.nextInt(20)) {
        case 0 -> -1;
        case 1 -> Integer.MAX_VALUE;
        case 2 -> random.nextInt();
        default -> open.get(random.nextInt(open.size())).fd;
      };
    }

    private long pointer() {
      return switch (random.nextInt(12)) {
        case 0 -> 0;
        case 1 -> random.nextLong();
        case 2 -> struct.address() + LARGEST_STRUCT - random.nextInt(64);
        case 3 -> -1;
        default -> struct.address();
      };
    }

    private long length() {
      return random.nextInt(3) == 0 ? number() : random.nextInt(LARGEST_STRUCT);
    }

    private long number() {
      return random.nextInt(6) == 0
          ? random.nextLong()
          : INTERESTING[random.nextInt(INTERESTING.length)];
    }
  }
}
