package dev.iolite.mock.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Ioctl;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KvmIoctls;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever it is given, the model answers with a number. */
class GarbageTest {
  private static final int CALLS = 30_000;
  private static final int MOST_OPEN = 200;
  private static final int FILLED = 256;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void everyIoctlOnEveryDescriptorAnswers(long seed) {
    Random random = new Random(seed);
    Platform platform = seed % 2 == 0 ? Platform.SEV : Platform.TDX;
    RawKvm kvm = new RawKvm(MockKernel.builder().platform(platform).build());
    List<Integer> open = new ArrayList<>(List.of(kvm.kvm));
    for (int type = 0; type < 6; type++) {
      int vm = kvm.createVm(type);
      if (vm > 0) {
        open.add(vm);
        addChildren(kvm, vm, open);
      }
    }
    List<Ioctl> ioctls = KvmIoctls.all();
    MemorySegment argument = kvm.allocate(64 << 10);
    for (int i = 0; i < CALLS; i++) {
      Ioctl ioctl = ioctls.get(random.nextInt(ioctls.size()));
      fill(argument, random);
      int fd = open.get(random.nextInt(open.size()));
      int result = kvm.kernel.ioctl(fd, ioctl.number(), argument(argument, random));
      assertThat(result).as(ioctl.name()).isGreaterThanOrEqualTo(-Kernel.MAX_ERRNO);
      if (result > 2 && ioctl.returns().isPresent()) {
        if (open.size() < MOST_OPEN) {
          open.add(result);
          forbidToRun(kvm, result);
        } else {
          kvm.kernel.close(result);
        }
      }
    }
  }

  private static void addChildren(RawKvm kvm, int vm, List<Integer> open) {
    int vcpu = kvm.createVcpu(vm, 0);
    if (vcpu > 0) {
      open.add(vcpu);
      forbidToRun(kvm, vcpu);
    }
    MemorySegment device = kvm.allocate(kvm_create_device.sizeof());
    kvm_create_device.type(device, Kvm.KVM_DEV_TYPE_VFIO());
    if (kvm.call(vm, Kvm.KVM_CREATE_DEVICE(), device) == 0) {
      open.add(kvm_create_device.fd(device));
    }
    open.add(kvm.guestMemfd(vm, RawKvm.PAGE, 0));
  }

  /** A vCPU that may halt for ever must not be waited for. */
  private static void forbidToRun(RawKvm kvm, int vcpu) {
    long address = kvm.kernel.mmap(0, RawKvm.PAGE, 3, 1, vcpu, 0);
    if (address > 0) {
      kvm_run.immediate_exit(kvm.memoryAt(address, RawKvm.PAGE), (byte) 1);
    }
  }

  /**
   * Numbers of few kinds, so that fields often have values that mean something. No two of them make
   * an address of this process except the argument's own, because the model would write there.
   */
  private static void fill(MemorySegment argument, Random random) {
    for (int at = 0; at < FILLED; at += Long.BYTES) {
      int low =
          switch (random.nextInt(5)) {
            case 0 -> random.nextInt();
            case 1 -> random.nextInt(16);
            case 2 -> random.nextInt(16) << 12;
            case 3 -> -1;
            default -> 0;
          };
      int high =
          switch (random.nextInt(4)) {
            case 0 -> random.nextInt() | 1 << 31;
            case 1 -> -1;
            default -> 0;
          };
      long value = (long) high << Integer.SIZE | (high == 0 ? low & 0xffff : low & 0xffff_ffffL);
      if (random.nextInt(6) == 0) {
        value = argument.address() + FILLED;
      }
      argument.set(ValueLayout.JAVA_LONG, at, value);
    }
  }

  private static long argument(MemorySegment argument, Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> random.nextLong() | 1L << 63;
      case 1 -> 0;
      case 2 -> random.nextInt(64);
      default -> argument.address();
    };
  }
}
