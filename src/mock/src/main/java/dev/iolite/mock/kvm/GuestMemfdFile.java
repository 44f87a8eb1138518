package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.mock.core.FileStatus;
import dev.iolite.mock.core.MapRequest;
import dev.iolite.mock.core.MappedObject;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.mock.core.Ram;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.libc.Libc;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A VM's private memory as a file; virt/kvm/guest_memfd.c. The file keeps the VM alive; the slots
 * don't keep the file alive.
 */
final class GuestMemfdFile extends OpenFile {
  private static final int MODE = Libc.S_IFREG() | 0600;
  private static final int HOLE = Libc.FALLOC_FL_PUNCH_HOLE();
  private static final int KEEP_SIZE = Libc.FALLOC_FL_KEEP_SIZE();

  private final KvmVm vm;
  private final long inode;
  private final long bytes;
  private final long flags;
  private final TreeMap<Long, KvmMemorySlot> bindings = new TreeMap<>();

  /** The pages, once somebody needs them. */
  private Optional<Ram> pages = Optional.empty();

  /**
   * The mapping of a file whose content is private: an empty file, so that an access raises SIGBUS.
   */
  private Optional<Ram> nothing = Optional.empty();

  private GuestMemfdFile(KvmVm vm, long bytes, long flags) {
    super(vm.task());
    this.vm = vm;
    this.bytes = bytes;
    this.flags = flags;
    inode = vm.host().nextInode();
    vm.getKvm();
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_create. */
  static GuestMemfdFile create(KvmVm vm, long bytes, long flags) {
    refuseIf((flags & ~vm.guestMemfdFlags()) != 0, Errno.EINVAL);
    refuseIf(bytes <= 0 || bytes % Page.BYTES != 0, Errno.EINVAL);
    return new GuestMemfdFile(vm, bytes, flags);
  }

  @Override
  public String name() {
    return "/[kvm-gmem]";
  }

  long bytes() {
    return bytes;
  }

  boolean isOf(KvmVm other) {
    return vm == other;
  }

  boolean canBeMapped() {
    return (flags & Kvm.GUEST_MEMFD_FLAG_MMAP()) != 0;
  }

  /** Its memory, in which a slot's part starts at the slot's offset. */
  Ram pages() {
    if (pages.isEmpty()) {
      pages = Optional.of(task().newRam(bytes));
    }
    return pages.get();
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_commit_memory_region: EEXIST if a slot has part of it. */
  void bind(KvmMemorySlot slot, long offset) {
    Map.Entry<Long, KvmMemorySlot> below = bindings.lowerEntry(offset + slot.bytes);
    refuseIf(below != null && below.getKey() + below.getValue().bytes > offset, Errno.EEXIST);
    bindings.put(offset, slot);
    slot.bind(this, offset);
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_unbind. */
  void unbind(KvmMemorySlot slot) {
    bindings.remove(slot.guestMemfdOffset());
    slot.unbind();
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_mmap, kvm_gmem_fault_user_mapping. */
  @Override
  public MappedObject mmap(MapRequest request) {
    refuseIf(!canBeMapped(), Errno.ENODEV);
    refuseIf((request.flags() & Libc.MAP_SHARED()) == 0, Errno.EINVAL);
    if ((flags & Kvm.GUEST_MEMFD_FLAG_INIT_SHARED()) != 0) {
      return new MappedObject.Pages(pages(), request.offset());
    }
    if (nothing.isEmpty()) {
      nothing = Optional.of(task().newRam(0));
    }
    return new MappedObject.Pages(nothing.get(), request.offset());
  }

  /** virt/kvm/guest_memfd.c:__kvm_gmem_create: an inode of its own, and a regular file. */
  @Override
  public FileStatus status() {
    return new FileStatus(MODE, bytes, inode);
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_fallocate, kvm_gmem_allocate, kvm_gmem_punch_hole. */
  @Override
  public void allocate(int mode, long offset, long count) {
    // fs/open.c:vfs_fallocate
    refuseIf(offset > Long.MAX_VALUE - count, Errno.EFBIG);
    refuseIf((mode & KEEP_SIZE) == 0 || (mode & ~(KEEP_SIZE | HOLE)) != 0, Errno.EOPNOTSUPP);
    refuseIf(offset % Page.BYTES != 0 || count % Page.BYTES != 0, Errno.EINVAL);
    boolean isHole = (mode & HOLE) != 0;
    refuseIf(!isHole && offset + count > bytes, Errno.EINVAL);
    if (isHole && offset < bytes) {
      pages.ifPresent(ram -> ram.punch(offset, Math.min(count, bytes - offset)));
    }
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_setattr. */
  @Override
  public void truncate(long newBytes) {
    throw refused(Errno.EINVAL);
  }

  /** virt/kvm/guest_memfd.c:kvm_gmem_release: the slots lose their memory but stay. */
  @Override
  protected void release() {
    bindings.values().forEach(KvmMemorySlot::unbind);
    bindings.clear();
    pages.ifPresent(Ram::put);
    nothing.ifPresent(Ram::put);
    vm.putKvm();
  }
}
