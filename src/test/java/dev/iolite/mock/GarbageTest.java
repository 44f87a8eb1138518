package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.DmaBufIoctls;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.FdKind;
import dev.iolite.kernel.Ioctl;
import dev.iolite.kernel.IommufdIoctls;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KvmIoctls;
import dev.iolite.kernel.VfioIoctls;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.UserMemory;
import dev.iolite.uapi.kvm.kvm_run;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/**
 * Whatever a caller passes, the model answers as a kernel does: with a result or an errno, never
 * with a Java exception, and without taking memory for what it refuses.
 */
class GarbageTest {
  private static final int CALLS = 400;
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

  @Property(tries = 100)
  void everyCallIsAnsweredWithAResultOrAnErrno(@ForAll long seed) {
    Random random = new Random(seed);
    try (Arena arena = Arena.ofConfined()) {
      for (Platform platform : Platform.values()) {
        MemorySegment memory = arena.allocate(LARGEST_STRUCT, Long.BYTES);
        try (MockKernel kernel =
            MockKernel.builder().platform(platform).caller(new OnlyThis(memory)).build()) {
          new Caller(random, kernel, memory).go();
        }
      }
    }
  }

  /**
   * A caller whose memory is a single segment: a bad address can't reach what belongs to the JVM.
   */
  private record OnlyThis(MemorySegment memory) implements UserMemory {
    @Override
    public void read(long address, MemorySegment into) {
      into.copyFrom(part(address, into.byteSize()));
    }

    @Override
    public void write(long address, MemorySegment from) {
      part(address, from.byteSize()).copyFrom(from);
    }

    private MemorySegment part(long address, long bytes) {
      long offset = address - memory.address();
      if (offset < 0 || offset > memory.byteSize() - bytes) {
        throw Refused.refused(Errno.EFAULT);
      }
      return memory.asSlice(offset, bytes);
    }
  }

  /** Makes calls at random on descriptors of every kind. */
  private static final class Caller {
    private final Random random;
    private final Kernel kernel;
    private final MemorySegment struct;
    private final List<Integer> fds = new ArrayList<>();
    private final List<Ioctl> commands =
        Stream.of(VfioIoctls.all(), IommufdIoctls.all(), KvmIoctls.all(), DmaBufIoctls.all())
            .flatMap(List::stream)
            .toList();

    Caller(Random random, Kernel kernel, MemorySegment struct) {
      this.random = random;
      this.kernel = kernel;
      this.struct = struct;
    }

    void go() {
      for (String path : List.of("/dev/iommu", "/dev/kvm", "/dev/vfio/devices/vfio0")) {
        add(kernel.open(path, Libc.O_RDWR()));
      }
      add(kernel.eventfd(0, Libc.EFD_NONBLOCK()));
      add(kernel.memfdCreate("ram", 0));
      for (int i = 0; i < CALLS; i++) {
        answer(one());
      }
      for (int fd : fds) {
        kernel.close(fd);
      }
    }

    private void add(long fd) {
      if (fd >= 0) {
        fds.add((int) fd);
      }
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

    private long ioctl() {
      Ioctl command = commands.get(random.nextInt(commands.size()));
      fill(command.argument().map(MemoryLayout::byteSize).orElse(64L));
      long argument = random.nextInt(8) == 0 ? number() : pointer();
      long result = kernel.ioctl(fd(), command.number(), argument);
      if (result > 2 && command.returns().isPresent()) {
        add(result);
        command.returns().filter(FdKind.KVM_VCPU::equals).ifPresent(_ -> neverRun((int) result));
      }
      return result;
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

    private void fill(long bytes) {
      for (int at = 0; at + 4 <= Math.min(bytes + 64, LARGEST_STRUCT); at += 4) {
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
        default -> fds.get(random.nextInt(fds.size()));
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
