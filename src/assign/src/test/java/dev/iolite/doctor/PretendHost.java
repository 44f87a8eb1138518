package dev.iolite.doctor;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * This machine with some files of its own, some that can't be opened, and some ioctls that fail.
 * What the checks open and do not close again is left in {@link #leftOpen}.
 */
class PretendHost extends ForwardingKernel {
  private final Path root;
  private final Map<String, Errno> refusedPaths = new HashMap<>();
  private final Map<Long, Errno> refusedIoctls = new HashMap<>();
  private final List<Integer> opened = new ArrayList<>();

  PretendHost(Path root) {
    super(new HostKernel());
    this.root = root;
  }

  PretendHost file(String path, String content) throws IOException {
    Path file = Path.of(root + path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    return this;
  }

  PretendHost directory(String path) throws IOException {
    Files.createDirectories(Path.of(root + path));
    return this;
  }

  /** A file of the machine itself, changed. */
  PretendHost changed(String path, UnaryOperator<String> change) throws IOException {
    return file(path, change.apply(Files.readString(Path.of(path))));
  }

  PretendHost refuse(String path, Errno errno) {
    refusedPaths.put(path, errno);
    return this;
  }

  PretendHost refuse(long ioctl, Errno errno) {
    refusedIoctls.put(ioctl, errno);
    return this;
  }

  List<Integer> leftOpen() {
    return List.copyOf(opened);
  }

  private String moved(String path) {
    return Files.exists(Path.of(root + path)) ? root + path : path;
  }

  @Override
  public int open(String path, int flags) {
    if (refusedPaths.containsKey(path)) {
      return refusedPaths.get(path).negated();
    }
    int fd = super.open(moved(path), flags);
    if (fd >= 0) {
      opened.add(fd);
    }
    return fd;
  }

  @Override
  public int close(int fd) {
    opened.removeIf(number -> number == fd);
    return super.close(fd);
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    return super.readlink(moved(path), address, bytes);
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    Errno refused = refusedIoctls.get(request);
    return refused == null ? super.ioctl(fd, request, argument) : refused.negated();
  }
}
