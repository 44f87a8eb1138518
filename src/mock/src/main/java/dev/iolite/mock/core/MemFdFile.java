package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** An anonymous file in memory (mm/memfd.c, mm/shmem.c). */
public class MemFdFile extends PositionedFile {
  /** What is moved is copied in parts, so that no caller makes the model take much memory. */
  private static final long MOST_AT_ONCE = 1 << 20;

  private static final int MOST_NAME = 249;

  private final String name;
  private final Ram ram;

  /**
   * Makes an empty memfd; mm/memfd.c:sanitize_flags and alloc_name. Pages are never huge here.
   *
   * @throws Refused EINVAL for invalid flags or an invalid name
   */
  public MemFdFile(Task task, String name, int flags) {
    super(task);
    int executable = Libc.MFD_EXEC() | Libc.MFD_NOEXEC_SEAL();
    int known = Libc.MFD_CLOEXEC() | Libc.MFD_ALLOW_SEALING() | executable;
    refuseIf((flags & ~known) != 0 || (flags & executable) == executable, Errno.EINVAL);
    refuseIf(name.getBytes(StandardCharsets.UTF_8).length > MOST_NAME, Errno.EINVAL);
    this.name = name;
    boolean sealable = (flags & (Libc.MFD_ALLOW_SEALING() | Libc.MFD_NOEXEC_SEAL())) != 0;
    ram = sealable ? task.newSealableRam() : task.newRam(0);
  }

  /** One whose pages are there already. */
  MemFdFile(Task task, String name, Ram ram) {
    super(task);
    this.name = name;
    this.ram = ram;
  }

  @Override
  public String name() {
    return "/memfd:" + name + " (deleted)";
  }

  /** Its pages, which live as long as somebody has a reference to them. */
  public Ram ram() {
    return ram;
  }

  /** Its pages as a device reaches them. */
  public Memory pages() {
    return ram;
  }

  @Override
  public long pread(long address, long bytes, long offset) {
    refuseIf(offset < 0, Errno.EINVAL);
    long count = Math.min(bytes, Math.max(0, ram.bytes() - offset));
    for (long done = 0; done < count; done += MOST_AT_ONCE) {
      MemorySegment part = task().scratch(Math.min(MOST_AT_ONCE, count - done));
      ram.readAt(offset + done, part);
      task().out(address + done, part);
    }
    return count;
  }

  @Override
  public long pwrite(long address, long bytes, long offset) {
    refuseIf(offset < 0, Errno.EINVAL);
    refuseIf(offset > Long.MAX_VALUE - bytes, Errno.EFBIG);
    for (long done = 0; done < bytes; done += MOST_AT_ONCE) {
      ram.writeAt(offset + done, task().in(address + done, Math.min(MOST_AT_ONCE, bytes - done)));
    }
    return bytes;
  }

  /** mm/shmem.c:shmem_file_llseek, without holes. */
  @Override
  public long lseek(long offset, int whence) {
    return moveWithin(ram.bytes(), offset, whence);
  }

  @Override
  public void truncate(long bytes) {
    refuseIf(bytes < 0, Errno.EINVAL);
    ram.resize(bytes);
  }

  /** mm/shmem.c:shmem_fallocate. */
  @Override
  public void allocate(int mode, long offset, long count) {
    ram.allocate(mode, offset, count);
  }

  @Override
  public void addSeals(int seals) {
    ram.addSeals(seals);
  }

  @Override
  public MappedObject mmap(MapRequest request) {
    return new MappedObject.Pages(ram, request.offset());
  }

  @Override
  protected void release() {
    ram.put();
  }
}
