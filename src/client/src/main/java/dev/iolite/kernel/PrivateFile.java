package dev.iolite.kernel;

import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A file in a {@link PrivateDirectory}, which a process locks while it writes there. Every failure
 * is a {@link PreconditionException} that names the errno. For use by one thread at a time.
 */
public final class PrivateFile implements AutoCloseable {
  private final HostFiles files;
  private final PrivateDirectory directory;
  private final String name;
  private final int fd;
  private boolean locked;

  private PrivateFile(HostFiles files, PrivateDirectory directory, String name, int fd) {
    this.files = files;
    this.directory = directory;
    this.name = name;
    this.fd = fd;
  }

  static PrivateFile of(HostFiles files, PrivateDirectory directory, String name, int fd) {
    try (CloseStack opening = new CloseStack()) {
      PrivateFile file = opening.push(new PrivateFile(files, directory, name, fd));
      file.requireOwn();
      file.lock();
      opening.release();
      return file;
    }
  }

  /** Who could enter the directory at an earlier time may have left something there. */
  private void requireOwn() {
    FileStatus status = directory.status(fd);
    if (!status.is(Libc.S_IFREG())) {
      throw refused("it is no regular file");
    }
    if (status.user() != Integer.toUnsignedLong(files.geteuid())) {
      throw refused("it belongs to user " + status.user());
    }
  }

  private PreconditionException refused(String why) {
    return new PreconditionException(
        "open " + this,
        why,
        "another program has put it there",
        "ls -l shows what it is; delete it");
  }

  private void lock() {
    int result = files.lock(fd);
    locked = result >= 0;
    if (result != Errno.EAGAIN.negated() && result != Errno.EACCES.negated()) {
      PrivateDirectory.require("lock " + this, result);
    }
  }

  /** Whether this object has the lock; if not, another open file description has it. */
  public boolean isLocked() {
    return locked;
  }

  /** Whether the name in the directory still refers to this very file. */
  boolean isCurrent() {
    return directory.status(name).filter(directory.status(fd)::isSame).isPresent();
  }

  /**
   * Everything in it.
   *
   * @param most how many bytes it may have
   * @throws PreconditionException if it has more
   */
  public byte[] read(int most) {
    byte[] content = new byte[0];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(1 << 16);
      long read;
      do {
        read = files.pread(fd, buffer.address(), buffer.byteSize(), content.length);
        if (read != Errno.EINTR.negated()) {
          PrivateDirectory.require("read " + this, read);
          int before = content.length;
          content = Arrays.copyOf(content, before + (int) read);
          MemorySegment.copy(buffer, ValueLayout.JAVA_BYTE, 0, content, before, (int) read);
        }
      } while (read != 0 && content.length <= most);
    }
    if (content.length > most) {
      throw new PreconditionException(
          "read " + this,
          "it has more than %d bytes".formatted(most),
          "it is damaged, or another program has written it",
          "move it away");
    }
    return content;
  }

  /** Writes bytes at an offset, all of them. */
  public void write(byte[] bytes, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      long done = 0;
      while (done < bytes.length) {
        long written = files.pwrite(fd, from.address() + done, bytes.length - done, offset + done);
        if (written == 0) {
          written = Errno.EIO.negated();
        }
        if (written != Errno.EINTR.negated()) {
          PrivateDirectory.require("write " + this, written);
          done += written;
        }
      }
    }
  }

  /** Truncates it to that many bytes. */
  public void cut(long bytes) {
    PrivateDirectory.require("cut " + this, files.ftruncate(fd, bytes));
  }

  /** Flushes its content to the disk. */
  public void sync() {
    PrivateDirectory.require("write " + this + " to the disk", files.fsync(fd));
  }

  /** Deletes it. */
  public void delete() {
    directory.delete(name);
  }

  @Override
  public void close() {
    int result = files.close(fd);
    if (result != Errno.EINTR.negated()) {
      PrivateDirectory.require("close " + this, result);
    }
  }

  /** Its path. */
  @Override
  public String toString() {
    return directory.path().resolve(name).toString();
  }
}
