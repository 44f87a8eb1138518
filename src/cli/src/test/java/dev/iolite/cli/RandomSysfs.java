package dev.iolite.cli;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/**
 * A kernel that has nothing but files, of PCI functions as they are out there and as they should
 * not be: links to nothing, attributes that are missing, go while they are read, can't be read or
 * make no sense, configuration space of all kinds. What is written to is remembered and refused.
 */
final class RandomSysfs extends ForwardingKernel {
  private static final int FIRST_FD = 10_000;
  private static final int DIRENT_HEAD = 19;
  private static final int MOST_LINKS = 40;
  private static final String DEVICES = "/sys/bus/pci/devices/";
  private static final List<String> SENSELESS =
      List.of(
          "",
          "-1",
          "0x",
          "nonsense",
          "0x8000000000000000",
          "18446744073709551615",
          "0xffffffffffffffffffff",
          "(null)",
          "\u001b[31m");

  /** What a path stands for. */
  private sealed interface Entry {
    /** A directory; what is in it is below its path. */
    record Directory() implements Entry {}

    record Link(String target) implements Entry {}

    /** Its bytes, as ISO 8859-1 has them. */
    record File(String content) implements Entry {}

    /** Is listed; then it can't be opened, or not read. */
    record Faulty(Errno errno, boolean opens) implements Entry {}
  }

  /** An open file. */
  private static final class Open {
    private final Entry entry;
    private final String path;
    private int position;

    Open(Entry entry, String path) {
      this.entry = entry;
      this.path = path;
    }
  }

  private final Random random;
  private final NavigableMap<String, Entry> entries = new TreeMap<>();
  private final Map<Integer, Open> open = new HashMap<>();
  private final List<String> addresses = new ArrayList<>();
  private final List<String> written = new ArrayList<>();
  private int nextFd = FIRST_FD;
  private int opensUntilOneGoes;

  /** Makes one up; the same of the same seed. */
  RandomSysfs(long seed) {
    super(new HostKernel());
    random = new Random(seed);
    host();
    int devices = random.nextInt(5);
    for (int i = 0; i < devices; i++) {
      device(address());
    }
    opensUntilOneGoes = oneIn(3) ? random.nextInt(120) : Integer.MAX_VALUE;
  }

  /** The functions that there were at the beginning. */
  List<String> addresses() {
    return addresses;
  }

  /** What was opened for writing, and still is after an attempt to write. */
  List<String> written() {
    return written;
  }

  /** How many files are open. */
  int openFiles() {
    return open.size();
  }

  /** The content of a function's file; empty if it is no file that can be read. */
  Optional<byte[]> content(String address, String attribute) {
    return resolve(DEVICES + address + "/" + attribute, true) instanceof Entry.File(var content)
        ? Optional.of(content.getBytes(StandardCharsets.ISO_8859_1))
        : Optional.empty();
  }

  /** Whether all there is stays as it is. */
  boolean staysAsItIs() {
    return opensUntilOneGoes == Integer.MAX_VALUE;
  }

  // -- making it up

  private boolean oneIn(int chances) {
    return random.nextInt(chances) == 0;
  }

  private <T> T oneOf(List<T> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  private String address() {
    long domain = oneOf(List.of(0L, 0L, 1L, 0xffffL, 0x1_0000L, 0xffff_ffffL));
    return "%04x:%02x:%02x.%d"
        .formatted(domain, random.nextInt(256), random.nextInt(32), random.nextInt(8));
  }

  private void host() {
    directory("/sys/bus/pci/devices");
    for (String driver : List.of("vfio-pci", "nvme", "pcieport")) {
      text("/sys/bus/pci/drivers/" + driver + "/bind", "");
      text("/sys/bus/pci/drivers/" + driver + "/unbind", "");
    }
    text("/proc/self/mountinfo", "22 1 0:21 / /sys rw,nosuid - sysfs sysfs rw");
    text("/proc/swaps", "Filename Type Size Used Priority");
    text("/proc/sys/kernel/osrelease", oneOf(List.of("7.3.4", "6.12.0-amd64", "99999999999.1")));
    text("/proc/cpuinfo", "vendor_id\t: GenuineIntel");
    text("/proc/self/limits", "Max locked memory         unlimited            unlimited     bytes");
    text("/proc/self/status", "CapEff:\t000001ffffffffff");
    for (String name : List.of("tsm/tsm0", "iommu/dmar0", "net/lo", "block/sda")) {
      if (oneIn(2)) {
        directory("/sys/class/" + name);
      }
    }
  }

  private void device(String address) {
    String real = "/sys/devices/pci" + address.substring(0, address.length() - 5) + "/" + address;
    addresses.add(address);
    entries.put(DEVICES + address, new Entry.Link("../../.." + real.substring("/sys".length())));
    directory(real);
    attribute(real + "/vendor", "0x%04x".formatted(random.nextInt(1 << 16)));
    attribute(real + "/device", "0x%04x".formatted(random.nextInt(1 << 16)));
    attribute(real + "/subsystem_vendor", "0x0000");
    attribute(real + "/subsystem_device", "0xffff");
    attribute(real + "/class", oneOf(List.of("0x010802", "0x060400", "0x060700", "0xffffff")));
    attribute(real + "/driver_override", oneOf(List.of("(null)", "vfio-pci", "")));
    attribute(real + "/numa_node", oneOf(List.of("-1", "0", "7")));
    attribute(real + "/reset_method", oneOf(List.of("", "flr", "flr bus")));
    attribute(real + "/enable", oneOf(List.of("0", "1")));
    attribute(real + "/resource", resources());
    file(real + "/config", config());
    if (oneIn(3)) {
      attribute(real + "/secondary_bus_number", "1");
    }
    if (oneIn(2)) {
      String driver = oneOf(List.of("vfio-pci", "nvme", "pcieport", "gone"));
      entries.put(real + "/driver", new Entry.Link("/sys/bus/pci/drivers/" + driver));
    }
    if (oneIn(2)) {
      group(real, address);
    }
    if (oneIn(3)) {
      String name = oneOf(List.of("vfio0", "noiommu-vfio0"));
      directory(real + "/vfio-dev/" + name);
      attribute(real + "/vfio-dev/" + name + "/dev", "248:0");
    }
    if (oneIn(4)) {
      attribute(real + "/tsm/connect", oneOf(List.of("tsm0", "")));
      attribute(real + "/tsm/bound", "");
    }
    if (oneIn(4)) {
      entries.put(real + "/virtfn0", new Entry.Link("../" + oneOf(List.of(address(), "odd"))));
    }
    if (oneIn(4)) {
      entries.put(real + "/physfn", new Entry.Link("../" + oneOf(List.of(address(), "odd"))));
    }
  }

  private void group(String real, String address) {
    String group = "/sys/kernel/iommu_groups/" + oneOf(List.of("0", "7", "2147483648", "odd"));
    entries.put(real + "/iommu_group", new Entry.Link(group));
    if (oneIn(4)) {
      return;
    }
    entries.put(group + "/devices/" + address, new Entry.Link(real));
    if (oneIn(3)) {
      entries.put(group + "/devices/INT3400:00", new Entry.Link("/sys/devices/platform/none"));
    }
    if (oneIn(4)) {
      attribute(group + "/name", "vfio-noiommu");
    }
  }

  private String resources() {
    StringBuilder lines = new StringBuilder();
    int count = oneOf(List.of(0, 1, 7, 13, 17));
    for (int i = 0; i < count; i++) {
      lines.append(
          oneOf(
              List.of(
                  "0x0000000000000000 0x0000000000000000 0x0000000000000000",
                  "0x0000000000000000 0x0000000000000000 0x0000000000000000",
                  "0x00000000fe000000 0x00000000fe003fff 0x0000000000140204",
                  "0x000000000000c000 0x000000000000c03f 0x0000000000040101",
                  "0x0000000000000000 0x00000007ffffffff 0x000000002014220c",
                  "0xfffffffffffff000 0xffffffffffffffff 0x0000000000140204",
                  oneIn(10) ? "0x0 0xffffffffffffffff 0x200" : "0x0 0x0 0x0",
                  oneIn(10) ? "0x12" : "0x0 0x0 0x0")));
      lines.append('\n');
    }
    return lines.toString();
  }

  private byte[] config() {
    byte[] bytes = new byte[oneOf(List.of(64, 64, 128, 256, 4096, 4096, 63, 1, 0))];
    switch (random.nextInt(4)) {
      case 0 -> Arrays.fill(bytes, (byte) 0xff);
      case 1 -> random.nextBytes(bytes);
      case 2 -> {
        random.nextBytes(bytes);
        if (bytes.length > 0x0e) {
          bytes[0x06] = 0x10;
          bytes[0x0e] = (byte) (random.nextInt(4) | (oneIn(2) ? 0x80 : 0));
        }
      }
      default -> {}
    }
    return bytes;
  }

  private void attribute(String path, String text) {
    directory(path.substring(0, path.lastIndexOf('/')));
    if (!oneIn(40)) {
      file(path, ((oneIn(50) ? oneOf(SENSELESS) : text) + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  private void file(String path, byte[] content) {
    directory(path.substring(0, path.lastIndexOf('/')));
    entries.put(
        path,
        oneIn(50)
            ? oneOf(
                List.of(
                    new Entry.Faulty(Errno.ENOENT, false),
                    new Entry.Faulty(Errno.EACCES, false),
                    new Entry.Faulty(Errno.EIO, true),
                    new Entry.Faulty(Errno.ENODEV, true)))
            : new Entry.File(new String(content, StandardCharsets.ISO_8859_1)));
  }

  private void text(String path, String text) {
    directory(path.substring(0, path.lastIndexOf('/')));
    entries.put(path, new Entry.File(text + "\n"));
  }

  private void directory(String path) {
    for (int end = path.length(); end > 0; end = path.lastIndexOf('/', end - 1)) {
      entries.putIfAbsent(path.substring(0, end), new Entry.Directory());
    }
  }

  /** A function is pulled out. */
  private void remove(String address) {
    if (entries.get(DEVICES + address) instanceof Entry.Link(var target)) {
      String real = "/sys" + target.substring("../../..".length());
      entries.keySet().removeIf(path -> path.equals(real) || path.startsWith(real + "/"));
      entries.keySet().removeIf(path -> path.endsWith("/devices/" + address));
    }
  }

  // -- the calls

  private static String normal(String path) {
    List<String> names = new ArrayList<>();
    for (String name : path.split("/", -1)) {
      if (name.equals("..")) {
        if (!names.isEmpty()) {
          names.removeLast();
        }
      } else if (!name.isEmpty() && !name.equals(".")) {
        names.add(name);
      }
    }
    return "/" + String.join("/", names);
  }

  /** Where a path leads, with the links on the way followed; empty if they go round. */
  private Optional<String> real(String path, boolean followLast, int left) {
    if (left == 0) {
      return Optional.empty();
    }
    String all = normal(path);
    for (int end = all.indexOf('/', 1); end >= 0; end = all.indexOf('/', end + 1)) {
      if (entries.get(all.substring(0, end)) instanceof Entry.Link(var target)) {
        return real(
            joined(all.substring(0, end), target) + all.substring(end), followLast, left - 1);
      }
    }
    return followLast && entries.get(all) instanceof Entry.Link(var target)
        ? real(joined(all, target), true, left - 1)
        : Optional.of(all);
  }

  private static String joined(String link, String target) {
    return target.startsWith("/") ? target : link.substring(0, link.lastIndexOf('/') + 1) + target;
  }

  private Entry resolve(String path, boolean followLast) {
    return real(path, followLast, MOST_LINKS)
        .map(entries::get)
        .orElse(new Entry.Faulty(Errno.ENOENT, false));
  }

  @Override
  public int open(String path, int flags) {
    if (opensUntilOneGoes-- == 0 && !addresses.isEmpty()) {
      remove(oneOf(addresses));
    }
    if (!path.startsWith("/sys/") && !path.startsWith("/proc/") && !path.equals("/proc")) {
      return Errno.ENOENT.negated();
    }
    Entry entry = resolve(path, true);
    if ((flags & Libc.O_ACCMODE()) != Libc.O_RDONLY()) {
      written.add(path);
      return Errno.EACCES.negated();
    }
    boolean reads = (flags & Libc.O_PATH()) == 0;
    if (entry == null) {
      return Errno.ENOENT.negated();
    }
    if (entry instanceof Entry.Faulty(var errno, var opens) && !opens && reads) {
      return errno.negated();
    }
    open.put(nextFd, new Open(entry, real(path, true, MOST_LINKS).orElseThrow()));
    return nextFd++;
  }

  @Override
  public int close(int fd) {
    return open.remove(fd) == null ? Errno.EBADF.negated() : 0;
  }

  @Override
  public long read(int fd, long address, long bytes) {
    Open file = open.get(fd);
    if (file == null) {
      return Errno.EBADF.negated();
    }
    return switch (file.entry) {
      case Entry.File(var content) -> {
        int count = (int) Math.min(bytes, content.length() - file.position);
        byte[] part =
            content
                .substring(file.position, file.position + count)
                .getBytes(StandardCharsets.ISO_8859_1);
        at(address, bytes).asSlice(0, count).copyFrom(MemorySegment.ofArray(part));
        file.position += count;
        yield count;
      }
      case Entry.Faulty(var errno, _) -> errno.negated();
      case Entry.Directory _, Entry.Link _ -> Errno.EISDIR.negated();
    };
  }

  private static MemorySegment at(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }

  @Override
  public long readlink(String path, long address, long bytes) {
    Entry entry = resolve(path, false);
    if (entry instanceof Entry.Link(var target)) {
      byte[] text = target.getBytes(StandardCharsets.UTF_8);
      at(address, bytes).asSlice(0, text.length).copyFrom(MemorySegment.ofArray(text));
      return text.length;
    }
    return (entry == null || entry instanceof Entry.Faulty ? Errno.ENOENT : Errno.EINVAL).negated();
  }

  /** One entry at a time, which is as good as any number. */
  @Override
  public long getdents(int fd, long address, long bytes) {
    Open file = open.get(fd);
    if (file == null || !(file.entry instanceof Entry.Directory)) {
      return (file == null ? Errno.EBADF : Errno.ENOTDIR).negated();
    }
    List<String> names =
        entries.tailMap(file.path + "/").keySet().stream()
            .takeWhile(path -> path.startsWith(file.path + "/"))
            .map(path -> path.substring(file.path.length() + 1))
            .filter(name -> name.indexOf('/') < 0)
            .toList();
    if (file.position >= names.size()) {
      return 0;
    }
    byte[] name = names.get(file.position++).getBytes(StandardCharsets.UTF_8);
    int length = (DIRENT_HEAD + name.length + 1 + 7) & -8;
    MemorySegment entry = at(address, bytes).asSlice(0, length).fill((byte) 0);
    entry.set(ValueLayout.JAVA_SHORT_UNALIGNED, 16, (short) length);
    entry.asSlice(DIRENT_HEAD, name.length).copyFrom(MemorySegment.ofArray(name));
    return length;
  }

  @Override
  public int ioctl(int fd, long request, long argument) {
    return (open.containsKey(fd) ? Errno.ENOTTY : Errno.EBADF).negated();
  }
}
