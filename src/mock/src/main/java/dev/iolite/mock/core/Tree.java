package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Page;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The names of files: procfs, sysfs and /dev, as far as the model has them. */
public final class Tree {
  private static final int MOST_LINKS = 40;
  private static final int ACCESS_MODE = 3;
  private static final int SEEK_HOLE = 4;

  /** fs/open.c: O_PATH_FLAGS, except those that the model does not know. */
  private static final int PATH_FLAGS =
      Libc.O_DIRECTORY() | Libc.O_NOFOLLOW() | Libc.O_PATH() | Libc.O_CLOEXEC();

  private static final int DIRENT_HEAD = 19;
  private static final long NAME_MAX = 255;
  private static final long PATH_MAX = 4096;

  private final Task task;
  private final Map<String, Node> root = new TreeMap<>();

  /** Makes an empty tree whose files this process uses. */
  public Tree(Task task) {
    this.task = task;
  }

  /**
   * Adds a file under a path; the directories above it are created. Such a directory may later get
   * more files, but not a directory that was itself added as a node.
   *
   * @param path absolute
   */
  public void add(String path, Node node) {
    List<String> names = names(path);
    Map<String, Node> directory = root;
    for (String name : names.subList(0, names.size() - 1)) {
      directory =
          directory.computeIfAbsent(
                      name,
                      _ -> {
                        Map<String, Node> made = new TreeMap<>();
                        return new Node.Directory(() -> made);
                      })
                  instanceof Node.Directory(var children)
              ? children.get()
              : Map.of();
    }
    directory.put(names.getLast(), node);
  }

  /** Removes a file that was added; does nothing if it is not there. */
  public void remove(String path) {
    List<String> names = names(path);
    Node parent = new Node.Directory(() -> root);
    for (String name : names.subList(0, names.size() - 1)) {
      if (!(parent instanceof Node.Directory(var children)) || !children.get().containsKey(name)) {
        return;
      }
      parent = children.get().get(name);
    }
    if (parent instanceof Node.Directory(var children)) {
      children.get().remove(names.getLast());
    }
  }

  /**
   * open(2). No file is ever created: neither procfs nor sysfs allows it.
   *
   * @throws Refused what fs/namei.c:do_open says about the flags, ENOENT, ENOTDIR, ELOOP, EACCES,
   *     or what the driver says
   */
  public OpenFile open(String path, int flags) {
    // fs/open.c:build_open_flags
    boolean isPath = (flags & Libc.O_PATH()) != 0;
    int meant = isPath ? flags & PATH_FLAGS : flags;
    boolean creates = (meant & Libc.O_CREAT()) != 0;
    boolean directory = (meant & Libc.O_DIRECTORY()) != 0;
    refuseIf(creates && directory, Errno.EINVAL);
    boolean exclusive = creates && (meant & Libc.O_EXCL()) != 0;
    boolean follow = (meant & Libc.O_NOFOLLOW()) == 0 && !exclusive;
    Found found = creates ? findToCreate(path, follow) : find(path, follow, MOST_LINKS);
    refuseIf(exclusive, Errno.EEXIST);
    boolean isDirectory = found.node instanceof Node.Directory;
    refuseIf(creates && isDirectory, Errno.EISDIR);
    refuseIf(directory && !isDirectory, Errno.ENOTDIR);
    OpenFile file = isPath ? new PathFile(task, found.path) : open(found, meant);
    file.opened(meant);
    if ((meant & Libc.O_DIRECT()) != 0) {
      // fs/open.c:do_dentry_open: FMODE_CAN_ODIRECT
      file.put();
      throw refused(Errno.EINVAL);
    }
    return file;
  }

  private OpenFile open(Found found, int flags) {
    boolean writes = (flags & ACCESS_MODE) != Libc.O_RDONLY();
    return switch (found.node) {
      case Node.Directory directory -> {
        refuseIf(writes, Errno.EISDIR);
        yield new DirectoryFile(task, found.path, directory);
      }
      case Node.Text(var attribute) -> {
        // fs/kernfs/file.c:kernfs_fop_open checks even root by the file's mode.
        refuseIf(writes && attribute.store().isEmpty(), Errno.EACCES);
        refuseIf(
            (flags & ACCESS_MODE) != Libc.O_WRONLY() && attribute.show().isEmpty(), Errno.EACCES);
        yield attribute.open(task, found.path);
      }
      case Node.Device device -> device.open().get();
      case Node.Binary(var open, _) -> open.get();
      case Node.Link _ -> throw refused(Errno.ELOOP);
    };
  }

  /** fs/namei.c:open_last_lookups, lookup_open: EACCES where a directory creates nothing. */
  private Found findToCreate(String path, boolean follow) {
    refuseIf(path.endsWith("/"), Errno.EISDIR);
    int last = path.lastIndexOf('/');
    boolean isIn =
        find(path.substring(0, last + 1), true, MOST_LINKS).node instanceof Node.Directory;
    try {
      return find(path, follow, MOST_LINKS);
    } catch (Refused e) {
      throw e.errno() == Errno.ENOENT && isIn ? refused(Errno.EACCES) : e;
    }
  }

  /**
   * readlink(2).
   *
   * @throws Refused ENOENT, ENOTDIR, ELOOP, or EINVAL if it is not a link
   */
  public String readlink(String path) {
    if (find(path, false, MOST_LINKS).node instanceof Node.Link(var target)) {
      return target.get();
    }
    throw refused(Errno.EINVAL);
  }

  /**
   * What stat(2) shows.
   *
   * @param follow whether to describe the target of a link, not the link itself
   * @throws Refused ENOENT, ENOTDIR, ELOOP
   */
  public FileStatus status(String path, boolean follow) {
    Found found = find(path, follow, MOST_LINKS);
    return switch (found.node) {
      case Node.Directory _ -> FileStatus.named(Libc.S_IFDIR() | 0755, 0, found.path);
      case Node.Link _ -> FileStatus.named(Libc.S_IFLNK() | 0777, 0, found.path);
      case Node.Device device ->
          FileStatus.named(Libc.S_IFCHR() | device.permissions(), 0, found.path)
              .ofDevice(device.major(), device.minor());
      case Node.Binary(_, var bytes) -> FileStatus.named(Libc.S_IFREG() | 0644, bytes, found.path);
      // fs/sysfs/file.c:sysfs_add_file_mode_ns: a page, whatever it shows.
      case Node.Text(var attribute) ->
          FileStatus.named(
              Libc.S_IFREG()
                  | (attribute.show().isPresent() ? 0444 : 0)
                  | (attribute.store().isPresent() ? 0200 : 0),
              found.path.startsWith("/sys/") ? Page.BYTES : 0,
              found.path);
    };
  }

  /** The names in a directory; none if it is another file. */
  public List<String> list(String path) {
    return find(path, true, MOST_LINKS).node instanceof Node.Directory(var children)
        ? List.copyOf(children.get().keySet())
        : List.of();
  }

  /** Whether a path leads to a file. */
  boolean has(String path) {
    try {
      find(path, true, MOST_LINKS);
      return true;
    } catch (Refused e) {
      return false;
    }
  }

  private record Found(String path, Node node) {}

  private Found find(String path, boolean follow, int linksLeft) {
    refuseIf(path.isEmpty(), Errno.ENOENT);
    refuseIf(path.length() >= PATH_MAX, Errno.ENAMETOOLONG);
    List<String> walked = new ArrayList<>();
    List<Node> nodes = new ArrayList<>();
    nodes.add(new Node.Directory(() -> root));
    List<String> names = names(path);
    String slash = path.endsWith("/") ? "/" : "";
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      refuseIf(name.length() > NAME_MAX, Errno.ENAMETOOLONG);
      if (!(nodes.getLast() instanceof Node.Directory(var children))) {
        throw refused(Errno.ENOTDIR);
      }
      if (name.equals("..")) {
        if (!walked.isEmpty()) {
          walked.removeLast();
          nodes.removeLast();
        }
        continue;
      }
      Node next = children.get().get(name);
      if (next == null) {
        throw refused(Errno.ENOENT);
      }
      boolean last = i == names.size() - 1 && slash.isEmpty();
      if (next instanceof Node.Link(var target) && (follow || !last)) {
        refuseIf(linksLeft == 0, Errno.ELOOP);
        String to = target.get();
        String base = to.startsWith("/") ? to : "/" + String.join("/", walked) + "/" + to;
        List<String> rest = new ArrayList<>(names.subList(i + 1, names.size()));
        rest.addFirst(base);
        return find(String.join("/", rest) + slash, follow, linksLeft - 1);
      }
      walked.add(name);
      nodes.add(next);
    }
    if (!slash.isEmpty() && !(nodes.getLast() instanceof Node.Directory)) {
      throw refused(Errno.ENOTDIR);
    }
    return new Found("/" + String.join("/", walked), nodes.getLast());
  }

  private static List<String> names(String path) {
    return Arrays.stream(path.split("/")).filter(n -> !n.isEmpty() && !n.equals(".")).toList();
  }

  /** A file opened with O_PATH: it names a file and can do nothing else. */
  private static final class PathFile extends OpenFile {
    private final String path;

    PathFile(Task task, String path) {
      super(task);
      this.path = path;
    }

    @Override
    public String name() {
      return path;
    }

    @Override
    boolean isPath() {
      return true;
    }
  }

  /** An open directory, listed as of when its first entry was read. */
  private static final class DirectoryFile extends OpenFile {
    private final String path;
    private final Node.Directory directory;
    private List<Map.Entry<String, Node>> entries = List.of();
    private long next;

    DirectoryFile(Task task, String path, Node.Directory directory) {
      super(task);
      this.path = path;
      this.directory = directory;
    }

    @Override
    public String name() {
      return path;
    }

    /** fs/libfs.c:generic_read_dir. */
    @Override
    public long read(long address, long bytes) {
      throw refused(Errno.EISDIR);
    }

    @Override
    public long pread(long address, long bytes, long offset) {
      throw refused(Errno.EISDIR);
    }

    /** fs/read_write.c:generic_file_llseek; a directory's size is 0. */
    @Override
    public long lseek(long offset, int whence) {
      refuseIf(whence < 0 || whence > SEEK_HOLE, Errno.EINVAL);
      refuseIf(whence > Libc.SEEK_END(), Errno.ENXIO);
      long target = whence == Libc.SEEK_CUR() ? next + offset : offset;
      refuseIf(target < 0, Errno.EINVAL);
      next = target;
      return target;
    }

    /** What fs/readdir.c:dir_emit_dots gives, and its children. */
    private List<Map.Entry<String, Node>> list() {
      List<Map.Entry<String, Node>> all = new ArrayList<>();
      all.add(Map.entry(".", directory));
      all.add(Map.entry("..", directory));
      all.addAll(new TreeMap<>(directory.children().get()).entrySet());
      return List.copyOf(all);
    }

    /** fs/readdir.c:filldir64: EINVAL if not even one entry fits. */
    @Override
    public long entries(long address, long bytes) {
      if (next == 0) {
        entries = list();
      }
      MemorySegment buffer = task().scratch(Math.min(bytes, 64 << 10));
      int filled = 0;
      while (next < entries.size()) {
        Map.Entry<String, Node> each = entries.get((int) next);
        byte[] name = each.getKey().getBytes(StandardCharsets.UTF_8);
        int length = (DIRENT_HEAD + name.length + 1 + 7) & -8;
        if (filled + length > buffer.byteSize()) {
          refuseIf(filled == 0, Errno.EINVAL);
          break;
        }
        MemorySegment entry = buffer.asSlice(filled, length);
        entry.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, next + 1);
        entry.set(ValueLayout.JAVA_LONG_UNALIGNED, 8, next + 1);
        entry.set(ValueLayout.JAVA_SHORT_UNALIGNED, 16, (short) length);
        entry.set(ValueLayout.JAVA_BYTE, 18, type(each.getValue()));
        MemorySegment.copy(MemorySegment.ofArray(name), 0, entry, DIRENT_HEAD, name.length);
        filled += length;
        next++;
      }
      task().out(address, buffer.asSlice(0, filled));
      return filled;
    }

    private static byte type(Node node) {
      return switch (node) {
        case Node.Directory _ -> 4;
        case Node.Link _ -> 10;
        case Node.Text _, Node.Binary _ -> 8;
        case Node.Device _ -> 2;
      };
    }
  }
}
