package dev.iolite.kernel;

import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The small text files through which Linux shows its devices: sysfs and procfs.
 *
 * <p>Everything goes through the {@link Kernel}, so a model of Linux can have its own files.
 *
 * <p>Safe for use by several threads.
 */
public final class SysFs {
  /** A page, which no attribute in sysfs exceeds. A larger buffer takes longer to clear. */
  private static final int BUFFER = 4096;

  private static final int PATH_MAX = 4096;
  private static final long DIRENT_RECLEN = 16;
  private static final long DIRENT_NAME = 19;

  private final Kernel kernel;
  private final Optional<String> device;

  /** Uses the files of this kernel. */
  public SysFs(Kernel kernel) {
    this(kernel, Optional.empty());
  }

  private SysFs(Kernel kernel, Optional<String> device) {
    this.kernel = kernel;
    this.device = device;
  }

  /**
   * The same files, used for a device.
   *
   * @param name its name on its bus, which errors carry as data
   */
  public SysFs of(String name) {
    return new SysFs(kernel, Optional.of(name));
  }

  /**
   * A file's content without trailing white space.
   *
   * @throws KernelException what open(2) or read(2) said
   */
  public String read(String path) {
    return new String(readBytes(path), StandardCharsets.UTF_8).stripTrailing();
  }

  /** Like {@link #read}; empty if there is no such file. */
  public Optional<String> readIfPresent(String path) {
    return ifPresent(() -> read(path));
  }

  /**
   * A file's content.
   *
   * @throws KernelException what open(2) or read(2) said
   */
  public byte[] readBytes(String path) {
    try (Fd file = Fd.open(kernel, FdKind.FILE, path, Libc.O_RDONLY());
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BUFFER);
      var content = new ByteArrayOutputStream();
      long read;
      while ((read = file.read(buffer)) > 0) {
        content.writeBytes(buffer.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE));
      }
      return content.toByteArray();
    }
  }

  /**
   * Writes a text in one call, as sysfs expects a command.
   *
   * @throws KernelException what open(2) or write(2) said, or that only the beginning was written
   */
  public void write(String path, String text) {
    try (Fd file = Fd.open(kernel, FdKind.FILE, path, Libc.O_WRONLY());
        Arena arena = Arena.ofConfined()) {
      file.writeWhole(
          arena.allocateFrom(ValueLayout.JAVA_BYTE, text.getBytes(StandardCharsets.UTF_8)));
    } catch (KernelException e) {
      throw e.call().equals("write")
          ? e.on(new CallTarget(e.kind(), path, device), "'" + text.strip() + "'")
          : e;
    }
  }

  /**
   * Whether the path names something that exists; a link to nothing does not.
   *
   * @throws KernelException what open(2) said, unless there is no such file
   */
  public boolean exists(String path) {
    return ifPresent(
            () -> {
              Fd.open(kernel, FdKind.FILE, path, Libc.O_PATH()).close();
              return path;
            })
        .isPresent();
  }

  /**
   * The names in a directory, sorted, without the two dots.
   *
   * @throws KernelException what open(2) or getdents64(2) said
   */
  public List<String> list(String directory) {
    List<String> names = new ArrayList<>();
    try (Fd file = Fd.open(kernel, FdKind.FILE, directory, Libc.O_RDONLY());
        Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(BUFFER, Long.BYTES);
      long filled;
      while ((filled = file.entries(buffer)) > 0) {
        for (long at = 0; at < filled; ) {
          String name = buffer.getString(at + DIRENT_NAME);
          if (!name.equals(".") && !name.equals("..")) {
            names.add(name);
          }
          at += Short.toUnsignedInt(buffer.get(ValueLayout.JAVA_SHORT, at + DIRENT_RECLEN));
        }
      }
    }
    names.sort(null);
    return List.copyOf(names);
  }

  /** Like {@link #list}; empty if there is no such directory. */
  public Optional<List<String>> listIfPresent(String directory) {
    return ifPresent(() -> list(directory));
  }

  /**
   * The target of a symbolic link.
   *
   * @throws KernelException what readlink(2) said
   */
  public String readlink(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(PATH_MAX);
      long length = kernel.readlink(path, buffer.address(), buffer.byteSize());
      if (length < 0) {
        throw new KernelException("readlink", CallTarget.of(path), "", (int) -length);
      }
      if (length >= PATH_MAX) {
        throw KernelException.of(
            "readlink",
            CallTarget.of(path),
            "bytes=" + PATH_MAX,
            length,
            ": there may be more of the link");
      }
      return new String(
          buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
  }

  /**
   * The last name of a symbolic link's target, such as that of a driver; empty if there is no link.
   */
  public Optional<String> linkName(String path) {
    return ifPresent(() -> readlink(path))
        .map(target -> target.substring(target.lastIndexOf('/') + 1));
  }

  /**
   * Whether an error is that of a file removed after it was opened
   * (fs/kernfs/file.c:kernfs_fop_read_iter), or of a process that has ended
   * (fs/proc/base.c:proc_single_show).
   */
  private static boolean isOfRemoved(KernelException e) {
    boolean isGone = e.errno() == Errno.ENODEV || e.errno() == Errno.ESRCH;
    return isGone && e.call().equals("read");
  }

  private static <T> Optional<T> ifPresent(Supplier<T> read) {
    try {
      return Optional.of(read.get());
    } catch (KernelException e) {
      if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR || isOfRemoved(e)) {
        return Optional.empty();
      }
      throw e;
    }
  }
}
