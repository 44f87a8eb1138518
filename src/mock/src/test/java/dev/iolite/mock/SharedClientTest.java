package dev.iolite.mock;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.Iommufd;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.SysFs;
import dev.iolite.kvm.Kvm;
import dev.iolite.kvm.MemorySlot;
import dev.iolite.kvm.Vm;
import dev.iolite.kvm.VmType;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import java.time.Duration;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the client calls safe for use by several threads is. */
@Timeout(120)
class SharedClientTest {
  private static final int THREADS = 4;
  private static final int ROUNDS = 500;
  private static final long PAGE = 4096;
  private static final String DEVICE = "0000:00:03.0";

  private final MockKernel kernel = MockKernel.plain();

  /** Runs the same in several threads, many times each, and hands on what any of them throws. */
  private static void inManyThreads(Callable<?> body) throws Exception {
    Callable<Void> rounds =
        () -> {
          for (int i = 0; i < ROUNDS; i++) {
            body.call();
          }
          return null;
        };
    try (ExecutorService threads =
        Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
      for (Future<Void> done : threads.invokeAll(Collections.nCopies(THREADS, rounds))) {
        done.get();
      }
    }
  }

  @Test
  void aDescriptorIsClosedByOneOfThem() throws Exception {
    AtomicInteger closes = new AtomicInteger();
    Kernel counting =
        new ForwardingKernel(kernel) {
          @Override
          public int close(int fd) {
            closes.incrementAndGet();
            return super.close(fd);
          }
        };
    Fd fd = Fd.open(counting, FdKind.IOMMUFD, "/dev/iommu", Libc.O_RDWR());
    inManyThreads(() -> {
      fd.close();
      return fd.isClosed();
    });
    assertThat(closes).hasValue(1);
  }

  @Test
  void noEventIsLostAndNoneIsTakenTwice() throws Exception {
    AtomicLong taken = new AtomicLong();
    try (EventFd event = EventFd.create(kernel)) {
      inManyThreads(() -> {
        event.signal(1);
        return taken.addAndGet(event.await(Duration.ZERO));
      });
      assertThat(taken.addAndGet(event.await(Duration.ZERO))).isEqualTo((long) THREADS * ROUNDS);
    }
  }

  @Test
  void slotsOfVmHaveNumbersOfTheirOwn() throws Exception {
    AtomicLong next = new AtomicLong();
    Set<Integer> inUse = ConcurrentHashMap.newKeySet();
    try (Kvm kvm = Kvm.open(kernel);
        Mapping ram = Mapping.anonymous(kernel, PAGE);
        Vm vm = kvm.createVm(VmType.DEFAULT)) {
      inManyThreads(() -> {
        long gpa = next.incrementAndGet() * PAGE;
        try (MemorySlot slot = vm.addSlot(gpa, PAGE, ram.address())) {
          assertThat(inUse.add(slot.number())).as("free until now").isTrue();
          assertThat(slot.exists()).isTrue();
          assertThat(inUse.remove(slot.number())).isTrue();
        }
        return true;
      });
      assertThat(vm.deleteSlot(0)).as("a slot is left").isFalse();
    }
  }

  @Test
  void objectsOfAnIommufdHaveIdsOfTheirOwn() throws Exception {
    Set<Object> ids = ConcurrentHashMap.newKeySet();
    try (Iommufd iommufd = Iommufd.open(kernel)) {
      inManyThreads(() -> {
        try (var ioas = iommufd.allocIoas()) {
          assertThat(ids.add(ioas.id())).isTrue();
          assertThat(ids.remove(ioas.id())).isTrue();
        }
        return true;
      });
    }
  }

  @Test
  void filesAndRegistersAreReadByAllAtOnce() throws Exception {
    SysFs files = new SysFs(kernel);
    String vendor = files.read("/sys/bus/pci/devices/" + DEVICE + "/vendor");
    try (VfioUser user = new VfioUser(kernel, DEVICE)) {
      Region config = user.device().region(PciRegion.CONFIG);
      int id = config.read32(0);
      inManyThreads(() -> {
        assertThat(files.read("/sys/bus/pci/devices/" + DEVICE + "/vendor")).isEqualTo(vendor);
        assertThat(config.read32(0)).isEqualTo(id);
        return true;
      });
    }
  }

  @Test
  void registersAreUnmappedOnlyBetweenBatches() throws Exception {
    try (VfioUser user = new VfioUser(kernel, DEVICE)) {
      user.device().config().setMemoryDecode(true);
      DeviceMemory bar = user.device().region(PciRegion.BAR0).map();
      int value = bar.read32(0);
      AtomicInteger closed = new AtomicInteger();
      inManyThreads(() -> {
        try {
          long read = bar.batch(registers -> registers.read32(0));
          assertThat((int) read).isEqualTo(value);
          bar.close();
          return closed.incrementAndGet();
        } catch (IllegalStateException e) {
          return e;
        }
      });
      bar.close();
      assertThat(closed.get()).as("closed, and closed again").isPositive();
    }
  }
}
