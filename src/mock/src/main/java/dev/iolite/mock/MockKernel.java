package dev.iolite.mock;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.CallerFiles;
import dev.iolite.mock.core.EventFdFile;
import dev.iolite.mock.core.FileStatus;
import dev.iolite.mock.core.HostUserMemory;
import dev.iolite.mock.core.IommuUnit;
import dev.iolite.mock.core.KernelMessages;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.Mapper;
import dev.iolite.mock.core.MemFdFile;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.ProcFiles;
import dev.iolite.mock.core.Refused;
import dev.iolite.mock.core.Task;
import dev.iolite.mock.core.Tree;
import dev.iolite.mock.core.UserMemory;
import dev.iolite.mock.dmabuf.UdmabufDriver;
import dev.iolite.mock.iommufd.AmdIommu;
import dev.iolite.mock.iommufd.Iommu;
import dev.iolite.mock.iommufd.IommuPlatform;
import dev.iolite.mock.iommufd.IommuWithViommus;
import dev.iolite.mock.iommufd.IommufdDriver;
import dev.iolite.mock.iommufd.ViommuOps;
import dev.iolite.mock.iommufd.VtdIommu;
import dev.iolite.mock.kvm.GuestScripts;
import dev.iolite.mock.kvm.KvmDriver;
import dev.iolite.mock.kvm.KvmPlatform;
import dev.iolite.mock.kvm.KvmSetup;
import dev.iolite.mock.kvm.SecureFirmware;
import dev.iolite.mock.pci.Bdf;
import dev.iolite.mock.pci.HostFacts;
import dev.iolite.mock.pci.HostFiles;
import dev.iolite.mock.pci.Machine;
import dev.iolite.mock.pci.PciBus;
import dev.iolite.mock.tsm.LockRules;
import dev.iolite.mock.tsm.TsmControl;
import dev.iolite.mock.tsm.TsmDriver;
import dev.iolite.mock.tsm.TsmUapi;
import dev.iolite.mock.vfio.DeviceControl;
import dev.iolite.mock.vfio.VfioDriver;
import dev.iolite.tsm.Profile;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import dev.iolite.uapi.tsm.Tsm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A model of Linux 7.3 as one process sees it. Any program written against {@link Kernel} runs on
 * it. It answers as the kernel does, down to the order in which a call makes its checks.
 *
 * <p>What is mapped through it is real memory of this process, taken from the host's memfds;
 * everything else is modelled. To free that memory, close a host that is no longer used.
 */
public final class MockKernel implements Kernel, AutoCloseable {
  private static final int MOST_DESCRIPTORS_POLLED = 1 << 20;
  private static final int POLL_ALWAYS = Libc.POLLERR() | Libc.POLLHUP();
  private static final int ANONYMOUS = Libc.MAP_ANONYMOUS();

  private final Platform platform;
  private final Profile profile;
  private final Task task;
  private final Optional<HostUserMemory> ownMemory;
  private final Tree tree;
  private final KernelMessages messages;
  private final PciBus bus;
  private final VfioDriver vfio;
  private final TsmDriver tsm;
  private final ConcurrentHashMap<Integer, Thread> threads = new ConcurrentHashMap<>();
  private final AtomicInteger nextTid = new AtomicInteger(1);
  private final ThreadLocal<Integer> tid = ThreadLocal.withInitial(this::nameThread);

  private MockKernel(Builder builder) {
    platform = builder.platform;
    profile = builder.profile.orElse(platform.usualProfile());
    HostKernel host = new HostKernel();
    ownMemory =
        builder.caller.isPresent() ? Optional.empty() : Optional.of(new HostUserMemory(host));
    task =
        new Task(
            host,
            builder.caller.or(() -> ownMemory).orElseThrow(),
            builder.mapper.orElseGet(() -> Mapper.here(host)),
            builder.files);
    tree = new Tree(task);
    ProcFiles.addTo(tree, task);
    messages = KernelMessages.install(task, tree);
    TsmUapi calls;
    task.enter();
    try {
      Machine machine = builder.machine.orElseGet(this::usualMachine);
      bus = PciBus.install(task, tree, machine);
      HostFiles.addTo(tree, bus, builder.facts);
      tsm = installTsm(builder.seed);
      calls = tsm.uapi(profile, platform.arch());
      IommuPlatform iommus = iommus(machine);
      vfio = VfioDriver.install(task, tree, bus, iommus::domain, calls.assignedDevices());
      IommufdDriver.install(task, tree, iommus, calls.guestDevices());
      UdmabufDriver.install(task, tree);
      bus.started();
    } finally {
      task.leave();
    }
    KvmDriver.install(
        task,
        tree,
        new KvmSetup(
            builder
                .kvm
                .orElseGet(() -> kvmPlatform(platform))
                .withHypercallExits(calls.hypercallExits()),
            builder.guests,
            builder.firmware,
            calls.slots()));
  }

  /** Whether it is the lab's machine with a kernel whose TSM is software. */
  public boolean hasSoftwareTsm() {
    return platform.hasSoftwareTsm(profile);
  }

  private Machine usualMachine() {
    return hasSoftwareTsm() ? Machine.seedLab() : Machine.lab();
  }

  /**
   * drivers/virt/coco: the TSM belongs to the TDX host's own device or to the secure processor's
   * driver.
   */
  private TsmDriver installTsm(long seed) {
    if (platform == Platform.PLAIN && !hasSoftwareTsm()) {
      return TsmDriver.installWithoutTsm(task, tree, messages);
    }
    String parent =
        switch (platform) {
          case PLAIN -> "devices/faux/tsm-sim";
          case TDX -> "devices/faux/tdx_host";
          case SEV -> "devices/platform/ccp";
        };
    LockRules rules =
        switch (platform) {
          case PLAIN -> LockRules.software();
          case TDX -> LockRules.tdx(seed);
          case SEV -> LockRules.sev(seed);
        };
    return TsmDriver.install(task, tree, messages, parent, bus::functions, bus::follow, rules);
  }

  /** The IOMMUs of the machine's functions; if nothing is said about them, the platform's usual. */
  private IommuPlatform iommus(Machine machine) {
    Iommu usual =
        switch (platform) {
          case PLAIN -> VtdIommu.likeQemu();
          case TDX -> withViommus(VtdIommu.scalable());
          case SEV -> new AmdIommu();
        };
    Map<String, Iommu> units = new HashMap<>();
    for (IommuUnit unit : machine.iommus()) {
      units.put(
          unit.name(),
          switch (unit.kind()) {
            case INTEL_VTD -> withViommus(new VtdIommu(unit.features(), unit.moreFeatures()));
            case AMD_VI -> new AmdIommu(unit.features(), unit.moreFeatures());
          });
    }
    return device -> machine.iommuOf(device.name()).map(units::get).orElse(usual);
  }

  /**
   * A confidential host has nest parents and vIOMMUs, as a vDEVICE needs both; under the profiles
   * of the lab's kernels, the vIOMMUs of a TDX host are the TSM's.
   */
  private Iommu withViommus(VtdIommu iommu) {
    return platform != Platform.TDX || Platform.isOfLabKernel(profile)
        ? iommu
        : new IommuWithViommus(
            iommu, Map.of(Tsm.IOMMU_VIOMMU_TYPE_TDX(), (_, _, _) -> new ViommuOps() {}));
  }

  private static KvmPlatform kvmPlatform(Platform platform) {
    return switch (platform) {
      case PLAIN -> KvmPlatform.plain();
      case TDX -> KvmPlatform.tdx();
      case SEV -> KvmPlatform.sevSnp();
    };
  }

  /** Writes a line to the kernel's log, as a driver does; {@code /dev/kmsg} shows it. */
  public void log(String line) {
    task.locked(() -> {
      messages.add(line);
      return messages;
    });
  }

  /** Starts to describe a host. */
  public static Builder builder() {
    return new Builder();
  }

  /** A host without confidential computing, like the lab's machine. */
  public static MockKernel plain() {
    return builder().build();
  }

  /** A TDX host with its usual profile. */
  public static MockKernel tdx() {
    return builder().platform(Platform.TDX).build();
  }

  /** A SEV-SNP host with its usual profile. */
  public static MockKernel sev() {
    return builder().platform(Platform.SEV).build();
  }

  /** Describes a host. */
  public static final class Builder {
    private Platform platform = Platform.PLAIN;
    private Optional<Profile> profile = Optional.empty();
    private GuestScripts guests = GuestScripts.none();
    private SecureFirmware firmware = SecureFirmware.working();
    private Optional<UserMemory> caller = Optional.empty();
    private Optional<Mapper> mapper = Optional.empty();
    private CallerFiles files = CallerFiles.none();
    private Optional<Machine> machine = Optional.empty();
    private Optional<KvmPlatform> kvm = Optional.empty();
    private HostFacts facts = HostFacts.lab();
    private long seed;

    private Builder() {}

    /** The platform, which decides how guests are protected; {@link Platform#PLAIN} by default. */
    public Builder platform(Platform wanted) {
      platform = wanted;
      return this;
    }

    /** How TDIs are bound on the host; the platform's usual profile by default. */
    public Builder profile(Profile wanted) {
      profile = Optional.of(wanted);
      return this;
    }

    /** What vCPUs run if their state can't be set; by default they halt at once. */
    public Builder guests(GuestScripts scripts) {
      guests = scripts;
      return this;
    }

    /** How the TDX module or the secure processor answers; it works by default. */
    public Builder firmware(SecureFirmware answers) {
      firmware = answers;
      return this;
    }

    /** How the caller's memory is reached; the caller is this process by default. */
    public Builder caller(UserMemory memory) {
      caller = Optional.of(memory);
      return this;
    }

    /** How memory is mapped for the caller; in this process by default. */
    public Builder mapper(Mapper mappings) {
      mapper = Optional.of(mappings);
      return this;
    }

    /** The caller's own descriptors; none by default. */
    public Builder files(CallerFiles own) {
      files = own;
      return this;
    }

    /**
     * The host's devices; those of {@link Machine#lab} by default, and on a plain platform with the
     * profile seed-2025 those of {@link Machine#seedLab}.
     */
    public Builder machine(Machine devices) {
      machine = Optional.of(devices);
      return this;
    }

    /** The machine as KVM sees it; the platform's by default. */
    public Builder kvm(KvmPlatform seen) {
      kvm = Optional.of(seen);
      return this;
    }

    /** What the host says about its kernel, processors and memory; the lab's by default. */
    public Builder facts(HostFacts said) {
      facts = said;
      return this;
    }

    /**
     * The seed of the TSM's choices, such as where interfaces report their memory; 0 by default.
     */
    public Builder seed(long number) {
      seed = number;
      return this;
    }

    /** Makes the host, in the state of one that has just started. */
    public MockKernel build() {
      return new MockKernel(this);
    }
  }

  /**
   * A device of the host, for a test to drive from outside.
   *
   * @param address such as {@code 0000:00:02.0}
   * @throws IllegalArgumentException if there is none
   */
  public DeviceControl device(String address) {
    return new DeviceControl(bus.control(Bdf.parse(address)), vfio);
  }

  /** The TSM, for a test to drive from outside; on a plain host, nothing is connected to it. */
  public TsmControl tsm() {
    return tsm.control();
  }

  /** What the host can protect a guest with. */
  public Platform platform() {
    return platform;
  }

  /** How TDIs are bound on the host. */
  public Profile profile() {
    return profile;
  }

  /**
   * Asks what stat(2) shows of a name.
   *
   * @param follow whether to describe the target of a link, not the link itself
   * @param found receives the status
   * @return 0, or a negated errno
   */
  public int status(String path, boolean follow, Consumer<FileStatus> found) {
    return (int)
        answered(() -> {
          found.accept(tree.status(path, follow));
          return 0;
        });
  }

  /** The names in a directory; none if there is no such directory. */
  public List<String> names(String directory) {
    task.enter();
    try {
      return tree.list(directory);
    } catch (Refused e) {
      return List.of();
    } finally {
      task.leave();
    }
  }

  /**
   * The content of an open file's link in {@code /proc/self/fd}; empty if the number is not an open
   * file's.
   */
  public Optional<String> nameOf(int fd) {
    task.enter();
    try {
      return Optional.of(task.descriptors().get(fd).name());
    } catch (Refused e) {
      return Optional.empty();
    } finally {
      task.leave();
    }
  }

  /** What fstat(2) shows of an open file that has no path; empty if there is none. */
  public Optional<FileStatus> statusOf(int fd) {
    task.enter();
    try {
      return Optional.of(task.descriptors().get(fd).status());
    } catch (Refused e) {
      return Optional.empty();
    } finally {
      task.leave();
    }
  }

  /**
   * Gives an open file another number, as dup(2) does.
   *
   * @return the number, or a negated errno
   */
  public int duplicate(int fd) {
    return (int)
        answered(() -> {
          OpenFile file = task.descriptors().get(fd);
          file.get();
          return install(file);
        });
  }

  /**
   * Asks what mmap(2) would map, for a caller that maps it itself.
   *
   * @param found receives what is mapped, beginning where the mapping starts
   * @return 0, or a negated errno
   */
  public int mappable(
      int fd, long bytes, int protection, int flags, long offset, Consumer<MappedObject> found) {
    return (int)
        answered(() -> {
          long whole = (bytes + Page.BYTES - 1) & -Page.BYTES;
          refuseIf(whole <= 0 || (offset & (Page.BYTES - 1)) != 0, Errno.EINVAL);
          found.accept(
              task.descriptors().get(fd).mmap(new MapRequest(whole, protection, flags, offset)));
          return 0;
        });
  }

  /**
   * A caller that maps its memory itself is about to unmap a range, or to map something else there.
   * A device for which it is pinned goes on with the pages as they are.
   */
  public void leaving(long address, long bytes) {
    task.enter();
    try {
      task.memory().leave(address, bytes);
    } finally {
      task.leave();
    }
  }

  /**
   * What the process holds: its descriptors, what it has made through them, and its mappings; one a
   * line, such as {@code IOAS 2 of descriptor 3 (/dev/iommu)}. A test that takes it before and
   * after a program sees what the program has left behind.
   */
  public List<String> held() {
    task.enter();
    try {
      return task.held();
    } finally {
      task.leave();
    }
  }

  /**
   * The process exits: what it left open is closed, what it left mapped is unmapped. The host goes
   * on, and the next call is that of a new process.
   */
  public void exit() {
    task.enter();
    try {
      task.exit();
      threads.values().removeIf(thread -> !thread.isAlive());
    } finally {
      task.leave();
    }
  }

  /** Makes the process exit and ends the host. */
  @Override
  public void close() {
    exit();
    ownMemory.ifPresent(HostUserMemory::close);
  }

  /** Makes a call under the model's lock; returns the errno of a refusal. */
  private long answered(LongSupplier call) {
    task.enter();
    try {
      return call.getAsLong();
    } catch (Refused e) {
      return answer(e);
    } finally {
      task.leave();
    }
  }

  private static int answer(Refused refused) {
    return refused.errno().negated();
  }

  @Override
  public int open(String path, int flags) {
    return (int)
        answered(() -> {
          OpenFile file = tree.open(path, flags);
          return install(file);
        });
  }

  private int install(OpenFile file) {
    try {
      return task.descriptors().install(file);
    } catch (Refused e) {
      file.put();
      throw e;
    }
  }

  @Override
  public int close(int fd) {
    return (int)
        answered(() -> {
          task.descriptors().close(fd);
          return 0;
        });
  }

  /** A call on an open file. The file stays open during the call even if its number is closed. */
  @FunctionalInterface
  private interface FileCall {
    long on(OpenFile file);
  }

  private long call(int fd, FileCall call) {
    return answered(() -> {
      OpenFile file = task.descriptors().get(fd);
      file.get();
      try {
        return call.on(file);
      } finally {
        file.put();
      }
    });
  }

  @Override
  public long read(int fd, long address, long bytes) {
    return call(
        fd,
        file -> {
          file.requireReadable();
          return file.read(address, checked(bytes));
        });
  }

  @Override
  public long write(int fd, long address, long bytes) {
    return call(
        fd,
        file -> {
          file.requireWritable();
          return file.write(address, checked(bytes));
        });
  }

  @Override
  public long pread(int fd, long address, long bytes, long offset) {
    return offset < 0
        ? Errno.EINVAL.negated()
        : call(
            fd,
            file -> {
              file.requireReadableAt();
              return file.pread(address, checked(bytes), offset);
            });
  }

  @Override
  public long pwrite(int fd, long address, long bytes, long offset) {
    return offset < 0
        ? Errno.EINVAL.negated()
        : call(
            fd,
            file -> {
              file.requireWritableAt();
              return file.pwrite(address, checked(bytes), offset);
            });
  }

  /** fs/read_write.c:rw_verify_area and MAX_RW_COUNT. */
  private static long checked(long bytes) {
    refuseIf(bytes < 0, Errno.EINVAL);
    return Math.min(bytes, 0x7fff_f000L);
  }

  @Override
  public long lseek(int fd, long offset, int whence) {
    return call(fd, file -> file.lseek(offset, whence));
  }

  @Override
  public int ftruncate(int fd, long bytes) {
    if (bytes < 0) {
      return Errno.EINVAL.negated();
    }
    return (int)
        call(
            fd,
            file -> {
              file.truncate(bytes);
              return 0;
            });
  }

  /** fs/open.c:vfs_fallocate. */
  @Override
  public int fallocate(int fd, int mode, long offset, long bytes) {
    return (int)
        call(
            fd,
            file -> {
              refuseIf(offset < 0 || bytes <= 0, Errno.EINVAL);
              file.requireWritable();
              file.allocate(mode, offset, bytes);
              return 0;
            });
  }

  /** fs/fcntl.c:do_fcntl. */
  @Override
  public int addSeals(int fd, int seals) {
    return (int)
        call(
            fd,
            file -> {
              file.addSeals(seals);
              return 0;
            });
  }

  /** Does what {@link #call} does, written out because it is called a million times a second. */
  @Override
  public int ioctl(int fd, long request, long argument) {
    task.enter();
    try {
      OpenFile file = task.descriptors().get(fd);
      file.get();
      try {
        return file.ioctl((int) request, argument);
      } finally {
        file.put();
      }
    } catch (Refused e) {
      return answer(e);
    } finally {
      task.leave();
    }
  }

  @Override
  public long mmap(long address, long bytes, int prot, int flags, int fd, long offset) {
    return answered(() -> {
      // arch/x86/kernel/sys_x86_64.c:mmap
      refuseIf((offset & (Page.BYTES - 1)) != 0, Errno.EINVAL);
      Optional<OpenFile> file =
          (flags & ANONYMOUS) != 0 ? Optional.empty() : Optional.of(task.descriptors().get(fd));
      return task.memory().map(address, bytes, prot, flags, file, offset);
    });
  }

  @Override
  public int munmap(long address, long bytes) {
    return (int)
        answered(() -> {
          task.memory().unmap(address, bytes);
          return 0;
        });
  }

  @Override
  public Optional<Registers> registers(long address) {
    task.enter();
    try {
      return task.memory().registers(address);
    } finally {
      task.leave();
    }
  }

  /** fs/select.c:do_sys_poll. */
  @Override
  public int poll(long pollfds, int count, int timeoutMillis) {
    return (int)
        answered(() -> {
          refuseIf(count < 0 || count > MOST_DESCRIPTORS_POLLED, Errno.EINVAL);
          // Not the scratch memory: another call uses that while this one waits.
          MemorySegment asked = pollfd.allocateArray(count, Arena.ofAuto());
          task.user().read(pollfds, asked);
          List<MemorySegment> each = new ArrayList<>();
          for (int i = 0; i < count; i++) {
            each.add(pollfd.asSlice(asked, i));
          }
          long deadline =
              timeoutMillis < 0 ? Long.MAX_VALUE : System.nanoTime() + timeoutMillis * 1_000_000L;
          task.awaitUntil(() -> ready(each) > 0, deadline);
          int ready = ready(each);
          task.out(pollfds, asked);
          return ready;
        });
  }

  private int ready(List<MemorySegment> pollfds) {
    int ready = 0;
    for (MemorySegment one : pollfds) {
      int events = events(pollfd.fd(one), pollfd.events(one));
      pollfd.revents(one, (short) events);
      ready += events != 0 ? 1 : 0;
    }
    return ready;
  }

  private int events(int fd, int wanted) {
    if (fd < 0) {
      return 0;
    }
    try {
      return task.descriptors().get(fd).poll() & (wanted | POLL_ALWAYS);
    } catch (Refused e) {
      return Libc.POLLNVAL();
    }
  }

  @Override
  public int eventfd(int initial, int flags) {
    return (int) answered(() -> install(new EventFdFile(task, initial, flags)));
  }

  @Override
  public int memfdCreate(String name, int flags) {
    return (int) answered(() -> install(new MemFdFile(task, name, flags)));
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return answered(() -> {
      refuseIf(bytes <= 0, Errno.EINVAL);
      byte[] target = tree.readlink(path).getBytes(StandardCharsets.UTF_8);
      int length = (int) Math.min(bytes, target.length);
      task.out(address, MemorySegment.ofArray(target).asSlice(0, length));
      return length;
    });
  }

  @Override
  public long getdents(int fd, long address, long bytes) {
    return call(fd, file -> file.entries(address, bytes));
  }

  private int nameThread() {
    int number = nextTid.getAndIncrement();
    threads.put(number, Thread.currentThread());
    return number;
  }

  @Override
  public int interruptible() {
    return tid.get();
  }

  @Override
  public int interrupt(int thread) {
    Thread target = threads.get(thread);
    if (target == null || !target.isAlive()) {
      return Errno.ESRCH.negated();
    }
    task.enter();
    try {
      task.interrupt(target);
      return 0;
    } finally {
      task.leave();
    }
  }
}
