package dev.iolite.contract;

import static dev.iolite.uapi.catalog.KvmIoctls.KVM_GET_SREGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_REGS;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_SREGS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.kvm.kvm_regs;
import dev.iolite.uapi.kvm.kvm_segment;
import dev.iolite.uapi.kvm.kvm_sregs;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInstance;

/**
 * What every case needs: raw calls, memory for their arguments, and an end at which nothing is
 * left. What a case opens or maps through this class is closed in reverse order.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class Contract {
  static final long PAGE = 4096;

  /** An address at which no process has memory. */
  static final long NOWHERE = 0x1000;

  static final int NO_FD = -1;

  private static final int MAP_FIXED = 0x10;

  final Backend backend;
  final Kernel kernel;
  final SysFs sysfs;

  private final Deque<Runnable> toUndo = new ArrayDeque<>();

  /** Descriptors and mappings: what the case itself closed may be the JVM's by now. */
  private final Set<Integer> openDescriptors = new HashSet<>();

  private final Set<Long> mappings = new HashSet<>();
  private Arena arena = Arena.ofAuto();
  private List<String> openBefore = List.of();

  Contract(Backend backend) {
    this.backend = backend;
    this.kernel = backend.kernel();
    this.sysfs = new SysFs(kernel);
  }

  @BeforeEach
  final void rememberWhatIsOpen() {
    arena = Arena.ofAuto();
    openBefore = openFiles();
  }

  @AfterEach
  final void leavesNothingOpen() {
    closeAll();
    assertThat(openFiles()).as("what is open after the case").isEqualTo(openBefore);
  }

  /** Closes what the case has opened so far. */
  final void closeAll() {
    while (!toUndo.isEmpty()) {
      toUndo.pop().run();
    }
  }

  /** What this process has open, but for what the JVM opens as it goes. */
  private List<String> openFiles() {
    List<String> targets = new ArrayList<>();
    for (String fd : sysfs.list("/proc/self/fd")) {
      try {
        targets.add(sysfs.readlink("/proc/self/fd/" + fd));
      } catch (KernelException e) {
        // The directory's own descriptor is closed by now.
        assertThat(e.errno()).isEqualTo(Errno.ENOENT);
      }
    }
    targets.removeIf(target -> target.endsWith(".jar") || target.startsWith("/java/"));
    targets.sort(null);
    return targets;
  }

  /** Does this when the case ends, before what was given here earlier. */
  final void atEnd(Runnable undo) {
    toUndo.push(undo);
  }

  /** The result of a call that succeeds. */
  static long succeeds(long result) {
    assertThat(result)
        .as("result (%s)", result < 0 ? Errno.of((int) -result) : "success")
        .isNotNegative();
    return result;
  }

  /** As {@link #succeeds(long)}. */
  static int succeeds(int result) {
    return (int) succeeds((long) result);
  }

  /** The result of a call that is refused. */
  static void fails(Errno errno, long result) {
    String got = result < 0 ? Errno.of((int) -result).toString() : "success, " + result;
    assertThat(got).as("result").isEqualTo(errno.toString());
  }

  /** Zeros, as a struct or an array of them wants them. */
  final MemorySegment zeros(long bytes) {
    return arena.allocate(bytes, Long.BYTES);
  }

  /** A struct of zeros. */
  final MemorySegment struct(MemoryLayout layout) {
    return arena.allocate(layout.byteSize(), Long.BYTES);
  }

  /** A struct of zeros whose first field says how large it is (size, argsz). */
  final MemorySegment sized(MemoryLayout layout) {
    return sized(layout.byteSize());
  }

  /** As {@link #sized(MemoryLayout)}, of this many bytes. */
  final MemorySegment sized(long bytes) {
    MemorySegment struct = zeros(bytes);
    struct.set(ValueLayout.JAVA_INT, 0, (int) bytes);
    return struct;
  }

  /** The same struct with bytes behind it, all of them zero but the last. */
  final MemorySegment withTail(MemorySegment struct, int tail, int lastByte) {
    MemorySegment longer = zeros(struct.byteSize() + tail).copyFrom(struct);
    longer.set(ValueLayout.JAVA_INT, 0, (int) longer.byteSize());
    longer.set(ValueLayout.JAVA_BYTE, longer.byteSize() - 1, (byte) lastByte);
    return longer;
  }

  /** The same struct as a caller has it whose headers are older: its size says less. */
  static MemorySegment shortened(MemorySegment struct, int bytes) {
    struct.set(ValueLayout.JAVA_INT, 0, bytes);
    return struct;
  }

  final int ioctl(int fd, Ioctl command, MemorySegment argument) {
    return kernel.ioctl(fd, command.number(), argument.address());
  }

  final int ioctl(int fd, Ioctl command, long argument) {
    return kernel.ioctl(fd, command.number(), argument);
  }

  /** A descriptor that is closed when the case ends, unless the case does it. */
  final int keep(int fd) {
    int opened = succeeds(fd);
    openDescriptors.add(opened);
    atEnd(() -> {
      if (openDescriptors.contains(opened)) {
        close(opened);
      }
    });
    return opened;
  }

  /** Closes a descriptor of the case now. */
  final void close(int fd) {
    openDescriptors.remove(fd);
    succeeds(kernel.close(fd));
  }

  final int open(String path) {
    return keep(kernel.open(path, Libc.O_RDWR() | Libc.O_CLOEXEC()));
  }

  final int memfd(long bytes) {
    int fd = keep(kernel.memfdCreate("contract", Libc.MFD_CLOEXEC()));
    succeeds(kernel.ftruncate(fd, bytes));
    return fd;
  }

  final int eventfd() {
    return keep(kernel.eventfd(0, Libc.EFD_CLOEXEC() | Libc.EFD_NONBLOCK()));
  }

  /** Takes a case's mapping away when it ends. */
  final long mapped(long address, long bytes) {
    succeeds(address < 0 && address >= -Kernel.MAX_ERRNO ? address : 0);
    mappings.add(address);
    atEnd(() -> {
      if (mappings.contains(address)) {
        unmap(address, bytes);
      }
    });
    return address;
  }

  /** Takes a mapping of the case away now. */
  final void unmap(long address, long bytes) {
    mappings.remove(address);
    succeeds(kernel.munmap(address, bytes));
  }

  /** Memory that can be read, written and pinned; zeros. */
  final long ram(long bytes) {
    int flags = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS();
    return mapped(
        kernel.mmap(0, bytes, Libc.PROT_READ() | Libc.PROT_WRITE(), flags, NO_FD, 0), bytes);
  }

  /** Memory that can be pinned for some accesses only. */
  final long memory(long bytes, int protection) {
    int flags = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS();
    return mapped(kernel.mmap(0, bytes, protection, flags, NO_FD, 0), bytes);
  }

  /** Memory that this process has by other means than the calls of {@link #kernel}. */
  final long foreignMemory(long bytes, int protection) {
    Kernel host = new HostKernel();
    int flags = Libc.MAP_PRIVATE() | Libc.MAP_ANONYMOUS();
    long address = succeeds(host.mmap(0, bytes, protection, flags, NO_FD, 0));
    atEnd(() -> succeeds(host.munmap(address, bytes)));
    return address;
  }

  /** Maps other memory where memory is; zeros that can be read and written. */
  final void replace(long address, long bytes) {
    int flags = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS() | MAP_FIXED;
    int readWrite = Libc.PROT_READ() | Libc.PROT_WRITE();
    assertThat(kernel.mmap(address, bytes, readWrite, flags, NO_FD, 0)).isEqualTo(address);
    atEnd(() -> succeeds(kernel.munmap(address, bytes)));
  }

  /** A page-aligned address where memory was and is no more. */
  final long unmappedAddress(long bytes) {
    long address = ram(bytes);
    unmap(address, bytes);
    return address;
  }

  /** The end of a page behind which there is no memory. */
  final long endOfMemory() {
    int flags = Libc.MAP_SHARED() | Libc.MAP_ANONYMOUS();
    int prot = Libc.PROT_READ() | Libc.PROT_WRITE();
    long pages = mapped(kernel.mmap(0, 2 * PAGE, prot, flags, NO_FD, 0), PAGE);
    succeeds(kernel.munmap(pages + PAGE, PAGE));
    return pages + PAGE;
  }

  /** Memory of this process at an address that {@link #ram} or a mapping of a file gave. */
  static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  final long mmap(int fd, long bytes, int prot, int flags, long offset) {
    return kernel.mmap(0, bytes, prot, flags, fd, offset);
  }

  /** How many times an eventfd was signalled since it was last read; it does not block. */
  final long signals(int eventfd) {
    MemorySegment value = zeros(8);
    long read = kernel.read(eventfd, value.address(), 8);
    if (read == Errno.EAGAIN.negated()) {
      return 0;
    }
    assertThat(read).isEqualTo(8);
    return value.get(ValueLayout.JAVA_LONG, 0);
  }

  /** Has a vCPU begin in real mode at an address, with a data segment of 4 GiB. */
  final void enterRealMode(int vcpu, long code) {
    MemorySegment sregs = struct(kvm_sregs.layout());
    succeeds(ioctl(vcpu, KVM_GET_SREGS, sregs));
    MemorySegment cs = kvm_sregs.cs(sregs);
    kvm_segment.base(cs, 0);
    kvm_segment.selector(cs, (short) 0);
    MemorySegment ds = kvm_sregs.ds(sregs);
    kvm_segment.base(ds, 0);
    kvm_segment.limit(ds, -1);
    kvm_segment.g(ds, (byte) 1);
    succeeds(ioctl(vcpu, KVM_SET_SREGS, sregs));
    MemorySegment regs = struct(kvm_regs.layout());
    kvm_regs.rip(regs, code);
    kvm_regs.rflags(regs, 2);
    succeeds(ioctl(vcpu, KVM_SET_REGS, regs));
  }
}
