package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.libc.pollfd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Descriptors, memory, eventfds and memfds, as far as devices need them. */
abstract class FileContract extends Contract {
  private static final int READ_WRITE = Libc.PROT_READ() | Libc.PROT_WRITE();
  private static final int NOT_OPEN = 0x7fff_fff0;
  private static final long MOST = -2;
  private static final int DIRECTORY = Libc.O_RDONLY() | Libc.O_CLOEXEC() | Libc.O_DIRECTORY();
  private static final String PROBE = "/sys/bus/pci/drivers_probe";

  FileContract(Backend backend) {
    super(backend);
  }

  private int event(long initial, int flags) {
    return keep(kernel.eventfd((int) initial, flags | Libc.EFD_CLOEXEC()));
  }

  private long add(int event, long value) {
    MemorySegment bytes = zeros(8);
    bytes.set(ValueLayout.JAVA_LONG, 0, value);
    return kernel.write(event, bytes.address(), 8);
  }

  private int poll(int fd, int events) {
    MemorySegment poll = struct(pollfd.layout());
    pollfd.fd(poll, fd);
    pollfd.events(poll, (short) events);
    int ready = succeeds(kernel.poll(poll.address(), 1, 0));
    int seen = Short.toUnsignedInt(pollfd.revents(poll));
    assertThat(ready).isEqualTo(seen == 0 ? 0 : 1);
    return seen;
  }

  @Test
  void aDescriptorThatIsNotOpenIsABadOneForEveryCall() {
    // fs/file.c:fdget
    fails(Errno.EBADF, kernel.close(NOT_OPEN));
    fails(Errno.EBADF, kernel.read(NOT_OPEN, NOWHERE, 8));
    fails(Errno.EBADF, kernel.write(NOT_OPEN, NOWHERE, 8));
    fails(Errno.EBADF, kernel.pread(NOT_OPEN, NOWHERE, 8, 0));
    fails(Errno.EBADF, kernel.ioctl(NOT_OPEN, 0, 0));
    for (Ioctl command : Ioctls.ofHeaders().all()) {
      fails(Errno.EBADF, kernel.ioctl(NOT_OPEN, command.number(), NOWHERE));
    }
    fails(Errno.EBADF, kernel.lseek(NOT_OPEN, 0, 0));
    fails(Errno.EBADF, kernel.ftruncate(NOT_OPEN, 0));
    fails(Errno.EBADF, mmap(NOT_OPEN, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0));
    fails(Errno.EBADF, kernel.close(-1));
  }

  @Test
  void aDescriptorIsClosedOnce() {
    // fs/open.c:close
    int event = eventfd();
    close(event);
    fails(Errno.EBADF, kernel.read(event, zeros(8).address(), 8));
  }

  @Test
  void anEventfdThatIsZeroIsTriedAgain() {
    // fs/eventfd.c:eventfd_read
    int event = event(0, Libc.EFD_NONBLOCK());
    fails(Errno.EAGAIN, kernel.read(event, zeros(8).address(), 8));
  }

  @Test
  void anEventfdIsReadWholeAndIsZeroThen() {
    // fs/eventfd.c:eventfd_ctx_do_read
    int event = event(3, Libc.EFD_NONBLOCK());
    assertThat(add(event, 4)).isEqualTo(8);
    assertThat(signals(event)).isEqualTo(7);
    assertThat(signals(event)).isZero();
  }

  @Test
  void aSemaphoreIsReadOneByOne() {
    // fs/eventfd.c:eventfd_ctx_do_read: EFD_SEMAPHORE
    int event = event(2, Libc.EFD_NONBLOCK() | Libc.EFD_SEMAPHORE());
    assertThat(signals(event)).isEqualTo(1);
    assertThat(signals(event)).isEqualTo(1);
    assertThat(signals(event)).isZero();
  }

  @Test
  void anEventfdTakesEightBytes() {
    // fs/eventfd.c:eventfd_read, eventfd_write
    int event = event(1, Libc.EFD_NONBLOCK());
    MemorySegment bytes = zeros(16);
    fails(Errno.EINVAL, kernel.read(event, bytes.address(), 7));
    fails(Errno.EINVAL, kernel.write(event, bytes.address(), 7));
    assertThat(kernel.read(event, bytes.address(), 16)).isEqualTo(8);
  }

  @Test
  void anEventfdIsNeverAllOnes() {
    // fs/eventfd.c:eventfd_write
    int event = event(0, Libc.EFD_NONBLOCK());
    fails(Errno.EINVAL, add(event, -1));
    assertThat(add(event, MOST)).isEqualTo(8);
    fails(Errno.EAGAIN, add(event, 1));
    assertThat(signals(event)).isEqualTo(MOST);
  }

  @Test
  void anEventfdAtNowhereIsAFault() {
    // fs/eventfd.c:eventfd_write
    fails(Errno.EFAULT, kernel.write(event(0, 0), NOWHERE, 8));
  }

  @Test
  void anEventfdWithUnknownFlagsIsInvalid() {
    // fs/eventfd.c:do_eventfd
    fails(Errno.EINVAL, kernel.eventfd(0, 1 << 5));
  }

  @Test
  void anEventfdHasNoPosition() {
    // fs/eventfd.c:eventfd_fops: noop_llseek; fs/read_write.c:ksys_pread64: FMODE_PREAD
    int event = event(1, Libc.EFD_NONBLOCK());
    assertThat(kernel.lseek(event, 8, Libc.SEEK_SET())).isZero();
    fails(Errno.ESPIPE, kernel.pread(event, zeros(8).address(), 8, 0));
  }

  @Test
  void anEventfdIsNotMappedNorAsked() {
    // fs/eventfd.c:eventfd_fops
    int event = event(0, 0);
    fails(Errno.ENODEV, mmap(event, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0));
    fails(Errno.ENOTTY, kernel.ioctl(event, 0x3b64, 0));
  }

  @Test
  void pollTellsWhatAnEventfdIsReadyFor() {
    // fs/eventfd.c:eventfd_poll
    int in = Libc.POLLIN();
    int out = Libc.POLLOUT();
    int event = event(0, Libc.EFD_NONBLOCK());
    assertThat(poll(event, in | out)).isEqualTo(out);
    add(event, 1);
    assertThat(poll(event, in | out)).isEqualTo(in | out);
    assertThat(poll(event, in)).isEqualTo(in);
    signals(event);
    add(event, MOST);
    assertThat(poll(event, in | out)).isEqualTo(in);
  }

  @Test
  void pollOfNoDescriptorTellsSo() {
    // fs/select.c:do_pollfd
    assertThat(poll(NOT_OPEN, Libc.POLLIN())).isEqualTo(Libc.POLLNVAL());
    assertThat(poll(-1, Libc.POLLIN())).isZero();
  }

  @Test
  void pollAtNowhereIsAFault() {
    // fs/select.c:do_sys_poll
    fails(Errno.EFAULT, kernel.poll(NOWHERE, 1, 0));
    assertThat(kernel.poll(NOWHERE, 0, 0)).isZero();
  }

  @Test
  void aMemfdIsEmptyUntilItHasASize() {
    // mm/memfd.c
    int memfd = keep(kernel.memfdCreate("m", Libc.MFD_CLOEXEC()));
    assertThat(kernel.lseek(memfd, 0, Libc.SEEK_END())).isZero();
    assertThat(kernel.pread(memfd, zeros(8).address(), 8, 0)).isZero();
    succeeds(kernel.ftruncate(memfd, 3 * PAGE));
    assertThat(kernel.lseek(memfd, 0, Libc.SEEK_END())).isEqualTo(3 * PAGE);
  }

  @Test
  void aHoleInAMemfdIsZeros() {
    // fs/open.c:vfs_fallocate, mm/shmem.c:shmem_fallocate
    int hole = Libc.FALLOC_FL_PUNCH_HOLE() | Libc.FALLOC_FL_KEEP_SIZE();
    int memfd = memfd(2 * PAGE);
    MemorySegment bytes = zeros(8).fill((byte) 7);
    assertThat(kernel.pwrite(memfd, bytes.address(), 8, 0)).isEqualTo(8);
    assertThat(kernel.pwrite(memfd, bytes.address(), 8, PAGE)).isEqualTo(8);
    succeeds(kernel.fallocate(memfd, hole, 0, PAGE));
    assertThat(kernel.pread(memfd, bytes.address(), 8, 0)).isEqualTo(8);
    assertThat(bytes.get(ValueLayout.JAVA_LONG, 0)).isZero();
    assertThat(kernel.pread(memfd, bytes.address(), 8, PAGE)).isEqualTo(8);
    assertThat(bytes.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(0x0707_0707_0707_0707L);
    fails(Errno.EOPNOTSUPP, kernel.fallocate(memfd, Libc.FALLOC_FL_PUNCH_HOLE(), 0, PAGE));
    fails(Errno.EINVAL, kernel.fallocate(memfd, hole, 0, 0));
    fails(Errno.EINVAL, kernel.fallocate(memfd, hole, -PAGE, PAGE));
  }

  @Test
  void allocatingBeyondTheEndMakesAMemfdLonger() {
    // mm/shmem.c:shmem_fallocate
    int memfd = memfd(PAGE);
    succeeds(kernel.fallocate(memfd, Libc.FALLOC_FL_KEEP_SIZE(), 0, 2 * PAGE));
    assertThat(kernel.lseek(memfd, 0, Libc.SEEK_END())).isEqualTo(PAGE);
    succeeds(kernel.fallocate(memfd, 0, PAGE, 2 * PAGE));
    assertThat(kernel.lseek(memfd, 0, Libc.SEEK_END())).isEqualTo(3 * PAGE);
    assertThat(kernel.pread(memfd, zeros(8).address(), 8, 3 * PAGE - 8)).isEqualTo(8);
  }

  @Test
  void onlyFilesWithPagesAreAllocated() {
    // fs/open.c:ksys_fallocate, vfs_fallocate
    fails(Errno.EBADF, kernel.fallocate(NOT_OPEN, 0, 0, PAGE));
    fails(Errno.ENODEV, kernel.fallocate(eventfd(), 0, 0, PAGE));
  }

  @Test
  void aMemfdWithUnknownFlagsIsInvalid() {
    // mm/memfd.c:sanitize_flags
    fails(Errno.EINVAL, kernel.memfdCreate("m", 1 << 20));
    fails(Errno.EINVAL, kernel.memfdCreate("m", Libc.MFD_EXEC() | Libc.MFD_NOEXEC_SEAL()));
    fails(Errno.EINVAL, kernel.memfdCreate("m".repeat(250), 0));
    keep(kernel.memfdCreate("m".repeat(249), Libc.MFD_CLOEXEC()));
  }

  private int sealable() {
    int memfd = keep(kernel.memfdCreate("m", Libc.MFD_CLOEXEC() | Libc.MFD_ALLOW_SEALING()));
    succeeds(kernel.ftruncate(memfd, PAGE));
    return memfd;
  }

  @Test
  void onlyAMemfdThatIsMadeForItIsSealed() {
    // mm/memfd.c:memfd_add_seals
    fails(Errno.EPERM, kernel.addSeals(memfd(PAGE), Libc.F_SEAL_SHRINK()));
    fails(Errno.EINVAL, kernel.addSeals(eventfd(), Libc.F_SEAL_SHRINK()));
    fails(Errno.EBADF, kernel.addSeals(NOT_OPEN, Libc.F_SEAL_SHRINK()));
    int memfd = sealable();
    fails(Errno.EINVAL, kernel.addSeals(memfd, 1 << 20));
    succeeds(kernel.addSeals(memfd, Libc.F_SEAL_SEAL()));
    fails(Errno.EPERM, kernel.addSeals(memfd, Libc.F_SEAL_SHRINK()));
    succeeds(kernel.ftruncate(memfd, 0));
  }

  @Test
  void aMemfdIsSealedAgainstANewSize() {
    // mm/shmem.c:shmem_setattr, shmem_write_begin
    int memfd = sealable();
    succeeds(kernel.addSeals(memfd, Libc.F_SEAL_SHRINK()));
    fails(Errno.EPERM, kernel.ftruncate(memfd, 0));
    succeeds(kernel.ftruncate(memfd, 2 * PAGE));
    succeeds(kernel.addSeals(memfd, Libc.F_SEAL_GROW()));
    fails(Errno.EPERM, kernel.ftruncate(memfd, 3 * PAGE));
    fails(Errno.EPERM, kernel.pwrite(memfd, zeros(8).address(), 8, 2 * PAGE));
    assertThat(kernel.pwrite(memfd, zeros(8).address(), 8, 0)).isEqualTo(8);
    assertThat(kernel.lseek(memfd, 0, Libc.SEEK_END())).isEqualTo(2 * PAGE);
  }

  @Test
  void aMemfdThatNobodyCanWriteToIsSealedAgainstIt() {
    // mm/memfd.c:memfd_add_seals, memfd_check_seals_mmap
    int memfd = sealable();
    long address = mapped(mmap(memfd, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0), PAGE);
    fails(Errno.EBUSY, kernel.addSeals(memfd, Libc.F_SEAL_WRITE()));
    unmap(address, PAGE);
    succeeds(kernel.addSeals(memfd, Libc.F_SEAL_WRITE()));
    fails(Errno.EPERM, kernel.pwrite(memfd, zeros(8).address(), 8, 0));
    fails(Errno.EPERM, mmap(memfd, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0));
    mapped(mmap(memfd, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0), PAGE);
  }

  @Test
  void aMemfdIsReadAndWritten() {
    // mm/shmem.c
    int memfd = memfd(PAGE);
    MemorySegment bytes = zeros(16);
    bytes.set(ValueLayout.JAVA_LONG, 0, 0x1122_3344L);
    assertThat(kernel.pwrite(memfd, bytes.address(), 8, PAGE - 8)).isEqualTo(8);
    assertThat(kernel.pread(memfd, bytes.asSlice(8).address(), 8, PAGE - 8)).isEqualTo(8);
    assertThat(bytes.get(ValueLayout.JAVA_LONG, 8)).isEqualTo(0x1122_3344L);
    assertThat(kernel.pread(memfd, bytes.address(), 16, PAGE - 8)).isEqualTo(8);
  }

  @Test
  void aMappedMemfdIsItsContent() {
    // mm/shmem.c
    int memfd = memfd(2 * PAGE);
    long first = mapped(mmap(memfd, 2 * PAGE, READ_WRITE, Libc.MAP_SHARED(), 0), 2 * PAGE);
    long second = mapped(mmap(memfd, PAGE, READ_WRITE, Libc.MAP_SHARED(), PAGE), PAGE);
    at(first, 2 * PAGE).set(ValueLayout.JAVA_LONG, PAGE + 16, 0x77L);
    assertThat(at(second, PAGE).get(ValueLayout.JAVA_LONG, 16)).isEqualTo(0x77L);
    MemorySegment bytes = zeros(8);
    assertThat(kernel.pread(memfd, bytes.address(), 8, PAGE + 16)).isEqualTo(8);
    assertThat(bytes.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(0x77L);
  }

  @Test
  void aMappingOutlivesItsDescriptor() {
    // mm: the mapping holds the file
    int memfd = memfd(PAGE);
    long address = mapped(mmap(memfd, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0), PAGE);
    close(memfd);
    at(address, PAGE).set(ValueLayout.JAVA_LONG, 0, 5L);
    assertThat(at(address, PAGE).get(ValueLayout.JAVA_LONG, 0)).isEqualTo(5);
  }

  @Test
  void memoryThatMayOnlyBeReadIsNotWrittenByACall() {
    // include/linux/uaccess.h:copy_to_user
    int memfd = memfd(PAGE);
    for (long page :
        new long[] {memory(PAGE, Libc.PROT_READ()), foreignMemory(PAGE, Libc.PROT_READ())}) {
      fails(Errno.EFAULT, kernel.pread(memfd, page, 8, 0));
      fails(Errno.EFAULT, kernel.readlink("/proc/self", page, 256));
      assertThat(kernel.pwrite(memfd, page, 8, 0)).isEqualTo(8);
    }
  }

  @Test
  void memoryThatMayNotBeReadIsNotReadByACall() {
    // include/linux/uaccess.h:copy_from_user
    int memfd = memfd(PAGE);
    for (long page : new long[] {memory(PAGE, 0), foreignMemory(PAGE, 0)}) {
      fails(Errno.EFAULT, kernel.pwrite(memfd, page, 8, 0));
      fails(Errno.EFAULT, kernel.pread(memfd, page, 8, 0));
    }
  }

  @Test
  void mmapChecksItsArguments() {
    // mm/mmap.c:do_mmap
    int memfd = memfd(PAGE);
    fails(Errno.EINVAL, mmap(memfd, 0, READ_WRITE, Libc.MAP_SHARED(), 0));
    fails(Errno.EINVAL, mmap(memfd, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0x800));
    fails(Errno.EINVAL, mmap(memfd, PAGE, READ_WRITE, 0, 0));
    fails(Errno.ENOMEM, mmap(memfd, 1L << 48, READ_WRITE, Libc.MAP_SHARED(), 0));
    fails(Errno.EOVERFLOW, mmap(memfd, PAGE, READ_WRITE, Libc.MAP_SHARED(), -PAGE));
  }

  @Test
  void anOddOffsetIsInvalidWhateverIsMapped() {
    // arch/x86/kernel/sys_x86_64.c: before the descriptor is looked up
    fails(Errno.EINVAL, mmap(NOT_OPEN, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0x800));
    fails(Errno.EBADF, mmap(NOT_OPEN, 0, READ_WRITE, Libc.MAP_SHARED(), 0));
  }

  @Test
  void munmapChecksItsArguments() {
    // mm/vma.c:do_vmi_munmap
    fails(Errno.EINVAL, kernel.munmap(0x800, PAGE));
    fails(Errno.EINVAL, kernel.munmap(0x10000, 0));
    fails(Errno.EINVAL, kernel.munmap(-PAGE, PAGE));
  }

  @Test
  void munmapOfNothingSucceeds() {
    // mm/vma.c:do_vmi_munmap
    succeeds(kernel.munmap(NOWHERE, PAGE));
  }

  @Test
  void openFindsOnlyWhatIsThere() {
    // fs/namei.c
    int flags = Libc.O_RDONLY() | Libc.O_CLOEXEC();
    fails(Errno.ENOENT, kernel.open("/proc/self/nothing-of-that-name", flags));
    fails(Errno.ENOTDIR, kernel.open("/proc/self/maps/below", flags));
    fails(Errno.ENOENT, kernel.open("", flags));
    fails(Errno.ENAMETOOLONG, kernel.open("/" + "a".repeat(256), flags));
    fails(Errno.EISDIR, kernel.open("/proc/self", Libc.O_RDWR() | Libc.O_CLOEXEC()));
  }

  @Test
  void readlinkReadsALinkOnly() {
    // fs/stat.c:do_readlinkat
    MemorySegment name = zeros(256);
    fails(Errno.EINVAL, kernel.readlink("/proc/self/maps", name.address(), 256));
    fails(Errno.ENOENT, kernel.readlink("/proc/self/nothing-of-that-name", name.address(), 256));
    fails(Errno.EINVAL, kernel.readlink("/proc/self/fd/0", name.address(), 0));
  }

  @Test
  void aDirectoryIsListedButNotRead() {
    // fs/readdir.c, fs/read_write.c
    int flags = Libc.O_RDONLY() | Libc.O_CLOEXEC();
    int directory = keep(kernel.open("/proc/self", flags));
    fails(Errno.EISDIR, kernel.read(directory, zeros(8).address(), 8));
    assertThat(kernel.getdents(directory, zeros(65536).address(), 65536)).isPositive();
    fails(Errno.ENOTDIR, kernel.getdents(eventfd(), zeros(65536).address(), 65536));
    int again = keep(kernel.open("/proc/self", flags));
    fails(Errno.EINVAL, kernel.getdents(again, zeros(8).address(), 8));
  }

  /** The names in a directory's entries. */
  private List<String> names(int directory) {
    MemorySegment entries = zeros(65536);
    int bytes = (int) succeeds(kernel.getdents(directory, entries.address(), 65536));
    List<String> names = new ArrayList<>();
    for (int at = 0; at < bytes; at += entries.get(ValueLayout.JAVA_SHORT, at + 16)) {
      names.add(entries.getString(at + 19));
    }
    return names;
  }

  @Test
  void aDirectoryListsItselfAndItsParentFirst() {
    // include/linux/fs.h:dir_emit_dots
    for (String path : new String[] {"/proc/self", "/sys/bus/pci", "/sys/class/iommu"}) {
      int directory = keep(kernel.open(path, DIRECTORY));
      assertThat(names(directory)).startsWith(".", "..").doesNotHaveDuplicates();
      assertThat(names(directory)).as("at its end").isEmpty();
    }
  }

  @Test
  void aDirectoryIsListedAgainFromItsStart() {
    // fs/read_write.c:generic_file_llseek
    int directory = keep(kernel.open("/sys/bus/pci", DIRECTORY));
    List<String> names = names(directory);
    assertThat(kernel.lseek(directory, 0, Libc.SEEK_SET())).isZero();
    assertThat(names(directory)).isEqualTo(names);
    fails(Errno.EINVAL, kernel.lseek(directory, -1, Libc.SEEK_SET()));
    fails(Errno.EINVAL, kernel.lseek(directory, 0, 5));
  }

  @Test
  void aDirectoryIsNotWritten() {
    // fs/read_write.c:vfs_write: FMODE_WRITE
    int directory = keep(kernel.open("/sys/bus/pci", DIRECTORY));
    fails(Errno.EBADF, kernel.write(directory, zeros(8).address(), 8));
    fails(Errno.EBADF, kernel.pwrite(directory, zeros(8).address(), 8, 0));
    fails(Errno.EISDIR, kernel.pread(directory, zeros(8).address(), 8, 0));
    fails(Errno.ENOTTY, kernel.ioctl(directory, 0x3b64, 0));
  }

  @Test
  void aFileIsOnlyUsedForWhatItWasOpened() {
    // fs/read_write.c:vfs_read, vfs_write; fs/seq_file.c:seq_open; mm/mmap.c:do_mmap
    long byteAt = zeros(8).address();
    int read = keep(kernel.open(PROBE, Libc.O_WRONLY() | Libc.O_CLOEXEC()));
    fails(Errno.EBADF, kernel.read(read, byteAt, 8));
    fails(Errno.EBADF, kernel.pread(read, byteAt, 8, 0));
    int write = keep(kernel.open("/proc/self/maps", Libc.O_RDONLY() | Libc.O_CLOEXEC()));
    fails(Errno.EBADF, kernel.write(write, byteAt, 1));
    fails(Errno.ESPIPE, kernel.pwrite(write, byteAt, 1, 0));
    fails(Errno.ESPIPE, kernel.pwrite(write, NOWHERE, 0, 0));
    int iommu = keep(kernel.open("/dev/iommu", Libc.O_RDONLY() | Libc.O_CLOEXEC()));
    fails(Errno.EBADF, kernel.write(iommu, byteAt, 8));
    fails(Errno.EINVAL, kernel.read(iommu, byteAt, 8));
    fails(Errno.EACCES, mmap(iommu, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0));
    int writeOnly = keep(kernel.open("/dev/iommu", Libc.O_WRONLY() | Libc.O_CLOEXEC()));
    fails(Errno.EACCES, mmap(writeOnly, PAGE, Libc.PROT_READ(), Libc.MAP_PRIVATE(), 0));
  }

  @Test
  void aDeviceHasPositionsThoughNothingIsThere() {
    // fs/open.c:do_dentry_open: FMODE_PREAD
    int iommu = open("/dev/iommu");
    fails(Errno.EINVAL, kernel.pread(iommu, zeros(8).address(), 8, 0));
    fails(Errno.EINVAL, kernel.pwrite(iommu, zeros(8).address(), 8, 0));
    fails(Errno.ESPIPE, kernel.lseek(iommu, 0, Libc.SEEK_SET()));
  }

  @Test
  void whatIsNoDirectoryIsNotOpenedAsOne() {
    // fs/namei.c:do_open: LOOKUP_DIRECTORY
    fails(Errno.ENOTDIR, kernel.open("/proc/self/maps", DIRECTORY));
    fails(Errno.ENOTDIR, kernel.open("/dev/iommu", DIRECTORY));
    fails(Errno.ENOTDIR, kernel.open("/dev/iommu", DIRECTORY | Libc.O_PATH()));
    fails(Errno.EISDIR, kernel.open("/proc/self", DIRECTORY | Libc.O_RDWR()));
    keep(kernel.open("/proc/self", DIRECTORY));
  }

  @Test
  void aLinkIsNotFollowedIfItMayNotBe() {
    // fs/namei.c:may_open: ELOOP
    int flags = Libc.O_RDONLY() | Libc.O_CLOEXEC() | Libc.O_NOFOLLOW();
    fails(Errno.ELOOP, kernel.open("/proc/self", flags));
    keep(kernel.open("/proc/self/maps", flags));
    keep(kernel.open("/proc/self", flags | Libc.O_PATH()));
  }

  @Test
  void nothingIsCreatedWhereAnythingIs() {
    // fs/namei.c:do_open, fs/open.c:build_open_flags
    int create = Libc.O_RDWR() | Libc.O_CLOEXEC() | Libc.O_CREAT();
    keep(kernel.open("/dev/iommu", create));
    fails(Errno.EEXIST, kernel.open("/dev/iommu", create | Libc.O_EXCL()));
    fails(Errno.EEXIST, kernel.open("/proc/self", create | Libc.O_EXCL()));
    fails(Errno.EISDIR, kernel.open("/sys/bus/pci", create));
    fails(Errno.EISDIR, kernel.open("/sys/bus/pci/", create));
    fails(Errno.EINVAL, kernel.open("/sys/bus/pci", create | Libc.O_DIRECTORY()));
  }

  @Test
  void sysfsCreatesNoFile() {
    // fs/namei.c:lookup_open: no create operation
    int create = Libc.O_RDWR() | Libc.O_CLOEXEC() | Libc.O_CREAT();
    fails(Errno.EACCES, kernel.open("/sys/bus/pci/nothing-of-that-name", create));
    fails(Errno.ENOENT, kernel.open("/sys/bus/nothing-of-that-name/file", create));
  }

  @Test
  void noDeviceIsReadPastTheCache() {
    // fs/open.c:do_dentry_open: FMODE_CAN_ODIRECT
    int direct = Libc.O_RDONLY() | Libc.O_CLOEXEC() | Libc.O_DIRECT();
    fails(Errno.EINVAL, kernel.open("/dev/iommu", direct));
    fails(Errno.EINVAL, kernel.open("/proc/self/maps", direct));
    fails(Errno.EINVAL, kernel.open("/sys/bus/pci/drivers_autoprobe", direct));
  }

  @Test
  void aDescriptorThatOnlyNamesAFileDoesNothingElse() {
    // fs/file.c:__fget_light: FMODE_PATH
    int path = keep(kernel.open("/dev/iommu", Libc.O_PATH() | Libc.O_CLOEXEC()));
    fails(Errno.EBADF, kernel.read(path, zeros(8).address(), 8));
    fails(Errno.EBADF, kernel.pwrite(path, zeros(8).address(), 8, 0));
    fails(Errno.EBADF, kernel.lseek(path, 0, Libc.SEEK_SET()));
    fails(Errno.EBADF, kernel.ftruncate(path, 0));
    fails(Errno.EBADF, kernel.ioctl(path, 0x3b64, 0));
    fails(Errno.EBADF, mmap(path, PAGE, READ_WRITE, Libc.MAP_SHARED(), 0));
    assertThat(poll(path, Libc.POLLIN())).isEqualTo(Libc.POLLNVAL());
  }

  /** kernel/printk/printk.c: devkmsg_open, devkmsg_llseek, devkmsg_read, devkmsg_poll. */
  @Test
  void theLogIsReadFromItsEndOn() {
    MemorySegment room = zeros(2048);
    int log =
        keep(kernel.open("/dev/kmsg", Libc.O_RDONLY() | Libc.O_NONBLOCK() | Libc.O_CLOEXEC()));
    assertThat(kernel.lseek(log, 0, Libc.SEEK_END())).isZero();
    fails(Errno.EAGAIN, kernel.read(log, room.address(), room.byteSize()));
    assertThat(poll(log, Libc.POLLIN() | Libc.POLLRDNORM())).isZero();
    fails(Errno.ESPIPE, kernel.lseek(log, 1, Libc.SEEK_SET()));
    fails(Errno.ESPIPE, kernel.lseek(log, -1, Libc.SEEK_END()));
    fails(Errno.EINVAL, kernel.lseek(log, 0, Libc.SEEK_CUR()));
    assertThat(kernel.lseek(log, 0, Libc.SEEK_SET())).isZero();
    fails(Errno.EBADF, kernel.write(log, room.address(), 1));
    fails(Errno.ENOTTY, kernel.ioctl(log, 0, 0));
    fails(Errno.ENODEV, mmap(log, PAGE, Libc.PROT_READ(), Libc.MAP_SHARED(), 0));
  }

  @Test
  void noThreadOfThatNumberIsInterrupted() {
    // kernel/signal.c:do_tkill
    fails(Errno.ESRCH, kernel.interrupt(0x3fff_fff0));
  }
}
