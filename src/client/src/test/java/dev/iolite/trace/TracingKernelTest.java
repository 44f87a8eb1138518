package dev.iolite.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.SysFs;
import dev.iolite.trace.TracingKernel.Scope;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.KvmIoctls;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.iommufd.iommu_ioas_map;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_feature;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TracingKernelTest {
  /** Device files that open as 100, 101, ...; their ioctls do what the test says. */
  private abstract static class ScriptedKernel extends ForwardingKernel {
    private int next = 100;

    ScriptedKernel() {
      super(new HostKernel());
    }

    abstract int answer(long request, long argument);

    @Override
    public int open(String path, int flags) {
      return next++;
    }

    @Override
    public int close(int fd) {
      return 0;
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      return answer(request, argument);
    }
  }

  private static Kernel answering(int result) {
    return new ScriptedKernel() {
      @Override
      int answer(long request, long argument) {
        return result;
      }
    };
  }

  private final List<TracedCall> calls = Collections.synchronizedList(new ArrayList<>());
  @AutoClose private final Arena arena = Arena.ofConfined();

  private TracingKernel tracing(Kernel inner) {
    return new TracingKernel(inner, calls::add);
  }

  private TracedCall last() {
    return calls.getLast();
  }

  private static String withoutTime(TracedCall call) {
    return call.toString().replaceFirst("  \\d+ us$", "");
  }

  @Test
  void showsAnIoctlWithItsArgumentAndWhatChanged() {
    var scripted =
        new ScriptedKernel() {
          @Override
          int answer(long request, long argument) {
            iommu_ioas_map.iova(
                iommu_ioas_map.reinterpret(MemorySegment.ofAddress(argument), arena, null), 0x1000);
            return 0;
          }
        };
    TracingKernel kernel = tracing(scripted);
    int fd = kernel.open("/dev/iommu", Libc.O_RDWR());
    MemorySegment map = iommu_ioas_map.allocate(arena);
    iommu_ioas_map.size(map, (int) iommu_ioas_map.sizeof());
    iommu_ioas_map.flags(map, 6);
    iommu_ioas_map.length(map, 0x2000);
    assertThat(kernel.ioctl(fd, IommufdIoctls.IOMMU_IOAS_MAP.number(), map.address())).isZero();
    assertThat(calls.getFirst().toString())
        .matches("open\\(/dev/iommu, flags=2\\) = 100 -> iommufd 100  \\d+ us");
    assertThat(withoutTime(last()))
        .isEqualTo(
            "ioctl(iommufd 100, IOMMU_IOAS_MAP {size=0x28, flags=6, ioas_id=0, __reserved=0, "
                + "user_va=0, length=0x2000, iova=0}) = 0 -> {iova=0x1000}");
    assertThat(last().name()).isEqualTo("IOMMU_IOAS_MAP");
    assertThat(last().thread()).isEqualTo(Thread.currentThread().getName());
    assertThat(last().failed()).isFalse();
  }

  @Test
  void saysWhatAResultIs() {
    TracingKernel kernel = tracing(answering(1));
    int device = kernel.open("/dev/vfio/devices/vfio0", Libc.O_RDWR());
    int kvm = kernel.open("/dev/kvm", Libc.O_RDWR());
    kernel.ioctl(device, VfioIoctls.VFIO_DEVICE_SET_IRQS.number(), 0);
    assertThat(withoutTime(last()))
        .endsWith(" = 1 (vectors are all that the host has for it; none is enabled)");
    kernel.ioctl(device, VfioIoctls.VFIO_DEVICE_RESET.number(), 0);
    assertThat(withoutTime(last())).endsWith(" = 1 (no result of this call)");
    kernel.ioctl(kvm, KvmIoctls.KVM_CHECK_EXTENSION.number(), 0);
    assertThat(withoutTime(last())).endsWith(" = 1 (the value of the capability)");
    kernel.ioctl(kvm, KvmIoctls.KVM_CREATE_VM.number(), 0);
    assertThat(withoutTime(last())).endsWith(" = 1 -> KVM VM 1");
    kernel.ioctl(kvm, 0x3b99, 0);
    assertThat(withoutTime(last())).endsWith(" = 1");

    TracingKernel done = tracing(answering(0));
    device = done.open("/dev/vfio/devices/vfio0", Libc.O_RDWR());
    done.ioctl(device, VfioIoctls.VFIO_DEVICE_SET_IRQS.number(), 0);
    assertThat(withoutTime(last())).endsWith(" = 0");

    TracingKernel failing = tracing(answering(Errno.EPERM.negated()));
    kvm = failing.open("/dev/kvm", Libc.O_RDWR());
    failing.ioctl(kvm, KvmIoctls.KVM_CHECK_EXTENSION.number(), 0);
    assertThat(withoutTime(last())).endsWith(" = EPERM");
  }

  @Test
  void saysThatATransferWasShort() {
    TracingKernel kernel = tracing(new HostKernel());
    try (MemFd memfd = MemFd.create(kernel, "ram", 4096)) {
      memfd.fd().pread(arena.allocate(64), 4090);
      assertThat(withoutTime(last())).contains(") = 6 (of 64) -> 00 00 00 00 00 00");
    }
    TracingKernel half =
        tracing(
            new ForwardingKernel(new HostKernel()) {
              @Override
              public long write(int fd, long address, long bytes) {
                return bytes / 2;
              }
            });
    half.write(1, arena.allocate(8).address(), 8);
    assertThat(withoutTime(last())).endsWith(" = 4 (of 8)");
    try (EventFd event = EventFd.create(kernel)) {
      assertThat(event.await(Duration.ZERO)).isZero();
      assertThat(withoutTime(last())).endsWith(", timeout=0) = 0 (timed out)");
    }
  }

  @Test
  void namesTheErrno() {
    var refusing =
        new ScriptedKernel() {
          @Override
          int answer(long request, long argument) {
            return request == 1 ? -4095 : Errno.EBUSY.negated();
          }
        };
    TracingKernel kernel = tracing(refusing);
    int fd = kernel.open("/dev/vfio/devices/vfio0", Libc.O_RDWR());
    assertThat(kernel.ioctl(fd, VfioIoctls.VFIO_DEVICE_RESET.number(), 0))
        .isEqualTo(Errno.EBUSY.negated());
    assertThat(withoutTime(last())).isEqualTo("ioctl(VFIO device 100, VFIO_DEVICE_RESET) = EBUSY");
    assertThat(last().errno()).contains(Errno.EBUSY);
    kernel.ioctl(fd, 1, 0);
    assertThat(withoutTime(last())).endsWith(" = errno 4095");
  }

  @Test
  void takesNumbersThatItDoesNotKnowApart() {
    List<Long> requests = new ArrayList<>();
    var scripted =
        new ScriptedKernel() {
          @Override
          int answer(long request, long argument) {
            requests.add(request);
            return 0;
          }
        };
    TracingKernel kernel = tracing(scripted);
    int fd = kernel.open("/dev/iommu", Libc.O_RDWR());
    kernel.ioctl(fd, 0x3b99, 0x7000);
    assertThat(withoutTime(last()))
        .isEqualTo("ioctl(iommufd 100, 0x3b99 [dir=none, type=';', nr=0x99, size=0] 0x7000) = 0");
    kernel.ioctl(fd, 0xffff_ffff_c040_aed4L, 0);
    assertThat(last().name())
        .isEqualTo("0xc040aed4 [dir=read and write, type=0xae, nr=0xd4, size=64]");
    assertThat(requests).containsExactly(0x3b99L, 0xffff_ffff_c040_aed4L);
  }

  @Test
  void theSameNumberIsAnotherCommandOnAnotherDescriptor() {
    TracingKernel kernel = tracing(answering(0));
    int iommufd = kernel.open("/dev/iommu", Libc.O_RDWR());
    int file = kernel.open("/etc/passwd", Libc.O_RDONLY());
    kernel.ioctl(iommufd, IommufdIoctls.IOMMU_DESTROY.number(), 0);
    assertThat(last().name()).isEqualTo("IOMMU_DESTROY");
    kernel.ioctl(file, IommufdIoctls.IOMMU_DESTROY.number(), 0);
    assertThat(last().name()).startsWith("0x3b80 [");
    assertThat(last().subject()).isEqualTo("file 101");
  }

  @Test
  void followsDescriptorsThatIoctlsMakeUntilTheyAreClosed() {
    var scripted =
        new ScriptedKernel() {
          @Override
          int answer(long request, long argument) {
            if (request == KvmIoctls.KVM_CREATE_DEVICE.number()) {
              kvm_create_device.fd(
                  kvm_create_device.reinterpret(MemorySegment.ofAddress(argument), arena, null),
                  201);
              return 0;
            }
            return 200;
          }
        };
    TracingKernel kernel = tracing(scripted);
    int kvm = kernel.open("/dev/kvm", Libc.O_RDWR());
    assertThat(kernel.ioctl(kvm, KvmIoctls.KVM_CREATE_VM.number(), 0)).isEqualTo(200);
    assertThat(withoutTime(last())).isEqualTo("ioctl(KVM 100, KVM_CREATE_VM) = 200 -> KVM VM 200");
    MemorySegment device = kvm_create_device.allocate(arena);
    kernel.ioctl(200, KvmIoctls.KVM_CREATE_DEVICE.number(), device.address());
    assertThat(last().changed()).isEqualTo("{fd=201}, KVM device 201");
    kernel.close(201);
    assertThat(last().subject()).isEqualTo("KVM device 201");
    kernel.close(201);
    assertThat(last().subject()).isEqualTo("fd 201");
  }

  @Test
  void onlyTheGetOfADmaBufMakesOne() {
    TracingKernel kernel = tracing(answering(300));
    int fd = kernel.open("/dev/vfio/devices/vfio7", Libc.O_RDWR());
    MemorySegment feature = vfio_device_feature.allocate(arena);
    int get = Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_DMA_BUF();
    for (int flags :
        List.of(
            get | Vfio.VFIO_DEVICE_FEATURE_PROBE(),
            Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_MIGRATION())) {
      vfio_device_feature.flags(feature, flags);
      kernel.ioctl(fd, VfioIoctls.VFIO_DEVICE_FEATURE.number(), feature.address());
      assertThat(last().changed()).isEmpty();
    }
    vfio_device_feature.flags(feature, get);
    kernel.ioctl(fd, VfioIoctls.VFIO_DEVICE_FEATURE.number(), feature.address());
    assertThat(last().changed()).isEqualTo("dma-buf 300");
  }

  @Test
  void theRangesOfADmaBufAreShown() {
    TracingKernel kernel = tracing(answering(300));
    int fd = kernel.open("/dev/vfio/devices/vfio7", Libc.O_RDWR());
    MemorySegment feature = arena.allocate(40, Long.BYTES);
    vfio_device_feature.flags(
        feature, Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_DMA_BUF());
    feature.set(ValueLayout.JAVA_INT, 20, 1);
    feature.set(ValueLayout.JAVA_LONG, 24, 0x2000);
    feature.set(ValueLayout.JAVA_LONG, 32, 0x1000);
    vfio_device_feature.argsz(feature, 40);
    kernel.ioctl(fd, VfioIoctls.VFIO_DEVICE_FEATURE.number(), feature.address());
    assertThat(last().argument())
        .isEqualTo(
            "{argsz=0x28, flags=0x1000b} {region_index=0, open_flags=0, flags=0, nr_ranges=1},"
                + " dma_ranges=[{offset=0x2000, length=0x1000}]");
    for (int bad : new int[] {0, 23, -1}) {
      vfio_device_feature.argsz(feature, bad);
      kernel.ioctl(fd, VfioIoctls.VFIO_DEVICE_FEATURE.number(), feature.address());
      assertThat(last().argument()).endsWith("flags=0x1000b}");
    }
  }

  @Test
  void anAddressWhereNothingIsDoesNotEndTheProcess() {
    HostKernel host = new HostKernel();
    long gone = host.mmap(0, 4096, 0, Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(), -1, 0);
    assertThat(host.munmap(gone, 4096)).isZero();
    TracingKernel kernel = tracing(answering(Errno.EFAULT.negated()));
    int fd = kernel.open("/dev/iommu", Libc.O_RDWR());
    for (long bad : new long[] {1, gone, -4096, Long.MIN_VALUE}) {
      assertThat(kernel.ioctl(fd, IommufdIoctls.IOMMU_IOAS_MAP.number(), bad))
          .isEqualTo(Errno.EFAULT.negated());
      assertThat(last().argument()).isEqualTo("unreadable at 0x" + Long.toHexString(bad));
      assertThat(kernel.write(1 << 20, bad, 8)).isEqualTo(Errno.EBADF.negated());
    }
    kernel.ioctl(fd, IommufdIoctls.IOMMU_IOAS_MAP.number(), 0);
    assertThat(withoutTime(last())).isEqualTo("ioctl(iommufd 100, IOMMU_IOAS_MAP NULL) = EFAULT");
  }

  @Test
  void showsWhatIsReadAndWritten() {
    TracingKernel kernel = tracing(new HostKernel());
    try (MemFd memfd = MemFd.create(kernel, "ram", 4096)) {
      MemorySegment text = arena.allocateFrom("vfio-pci\n");
      memfd.fd().pwrite(text.asSlice(0, 9), 16);
      assertThat(withoutTime(last()))
          .isEqualTo(
              "pwrite(memfd %d, bytes=9 \"vfio-pci\\n\", offset=0x10) = 9"
                  .formatted(memfd.fd().number()));
      memfd.fd().pread(arena.allocate(4), 14);
      assertThat(last().changed()).isEqualTo("00 00 76 66");
      memfd.fd().pread(arena.allocate(64), 0);
      assertThat(last().changed()).endsWith("...");
      memfd.fd().pread(arena.allocate(64), 4096);
      assertThat(last().changed()).isEmpty();
      assertThat(calls.get(1).toString()).startsWith("ftruncate(memfd ");
      int hole = Libc.FALLOC_FL_PUNCH_HOLE() | Libc.FALLOC_FL_KEEP_SIZE();
      memfd.fd().kernel().fallocate(memfd.fd().number(), hole, 0, Page.BYTES);
      assertThat(withoutTime(last()))
          .isEqualTo(
              "fallocate(memfd %d, mode=3, offset=0, bytes=0x1000) = 0"
                  .formatted(memfd.fd().number()));
    }
    assertThat(last().call()).isEqualTo("close");
  }

  @Test
  void showsAnEventfdFromItsMakingToItsEnd() {
    TracingKernel kernel = tracing(new HostKernel());
    try (EventFd eventFd = EventFd.create(kernel)) {
      eventFd.signal(3);
      assertThat(eventFd.await(Duration.ofSeconds(10))).isEqualTo(3);
    }
    assertThat(calls)
        .extracting(TracedCall::call)
        .containsExactly("eventfd", "write", "poll", "read", "close");
    assertThat(calls.get(0).changed()).startsWith("eventfd ");
    assertThat(calls.get(1).argument()).isEqualTo("bytes=8 03 00 00 00 00 00 00 00");
    assertThat(calls.get(2).changed()).contains("revents=1");
    assertThat(calls.get(3).changed()).isEqualTo("03 00 00 00 00 00 00 00");
  }

  @Test
  void anAddressIsShownAsOne() {
    TracingKernel kernel = tracing(new HostKernel());
    long address =
        kernel.mmap(0, 4096, Libc.PROT_READ(), Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(), -1, 0);
    assertThat(withoutTime(last()))
        .startsWith("mmap(address=0, bytes=0x1000, prot=1, ")
        .endsWith(" = 0x" + Long.toHexString(address));
    assertThat(kernel.munmap(address, 4096)).isZero();
    assertThat(kernel.mmap(0, 0, 0, Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS(), -1, 0))
        .isEqualTo(Errno.EINVAL.negated());
    assertThat(withoutTime(last())).endsWith(" = EINVAL");
  }

  @Test
  void readsOfSysfsAreReadable() {
    TracingKernel kernel = tracing(new HostKernel());
    SysFs sys = new SysFs(kernel);
    sys.read("/proc/self/comm");
    assertThat(calls.get(1).changed()).startsWith("\"").endsWith("\\n\"");
    sys.list("/proc/self/fd");
    assertThat(calls).extracting(TracedCall::call).contains("getdents64");
    sys.readlink("/proc/self/exe");
    assertThat(last().changed()).startsWith("\"/");
    assertThat(sys.exists("/no such path")).isFalse();
    assertThat(last().errno()).contains(Errno.ENOENT);
  }

  @Test
  void canLeaveOutWhatOnlyLooksAround(@TempDir Path directory) throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    TracingKernel kernel =
        new TracingKernel(
            new HostKernel(), Scope.WITHOUT_LOOKING_AROUND, Ioctls::ofHeaders, calls::add);
    SysFs sys = new SysFs(kernel);
    assertThat(sys.read("/proc/self/comm")).isNotEmpty();
    assertThat(sys.list("/proc/self/fd")).isNotEmpty();
    assertThat(sys.readlink("/proc/self/exe")).startsWith("/");
    assertThat(sys.exists("/no such path")).isFalse();
    assertThat(kernel.interruptible()).isPositive();
    assertThat(calls).isEmpty();

    sys.exists("/dev/null");
    sys.write(file.toString(), "text");
    try (EventFd eventFd = EventFd.create(kernel)) {
      eventFd.signal(1);
      assertThat(eventFd.await(Duration.ofSeconds(10))).isEqualTo(1);
    }
    assertThat(calls)
        .extracting(TracedCall::call)
        .containsExactly("open", "open", "write", "eventfd", "write", "poll", "read", "close");
  }

  @Test
  void keepsNoDescriptorOfItsOwn() {
    SysFs sys = new SysFs(new HostKernel());
    int before = sys.list("/proc/self/fd").size();
    for (int i = 0; i < 100; i++) {
      tracing(new HostKernel()).write(-1, arena.allocate(8).address(), 8);
    }
    assertThat(sys.list("/proc/self/fd").size()).isLessThan(before + 50);
  }

  @Test
  void tracesThisHostsKvm() {
    assumeThat(Files.isWritable(Path.of("/dev/kvm")))
        .as("this host has a usable /dev/kvm")
        .isTrue();
    TracingKernel kernel = tracing(new HostKernel());
    try (Fd kvm = Fd.open(kernel, FdKind.KVM, "/dev/kvm", Libc.O_RDWR());
        Fd vm = kvm.ioctlFd(KvmIoctls.KVM_CREATE_VM, 0, "VM")) {
      assertThat(withoutTime(last()))
          .isEqualTo(
              "ioctl(KVM %d, KVM_CREATE_VM) = %d -> KVM VM %d"
                  .formatted(kvm.number(), vm.number(), vm.number()));
      MemorySegment device = kvm_create_device.allocate(arena);
      kvm_create_device.type(device, 0xffff);
      assertThat(vm.tryIoctl(KvmIoctls.KVM_CREATE_DEVICE, device)).isNegative();
      assertThat(last().argument()).startsWith("{type=0xffff, ");
      assertThat(last().errno()).contains(Errno.ENODEV);
    }
  }

  @Test
  void everyIoctlIsFoundByItsKindAndNumber() {
    for (Ioctl command : VfioIoctls.all()) {
      assertThat(Ioctls.ofHeaders().find(command.on(), command.number())).contains(command);
    }
    assertThat(Ioctls.ofHeaders().find(FdKind.FILE, VfioIoctls.VFIO_DEVICE_RESET.number()))
        .isEmpty();
  }
}
