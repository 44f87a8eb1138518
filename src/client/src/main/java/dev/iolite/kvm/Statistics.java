package dev.iolite.kvm;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.kvm.kvm_stats_desc;
import dev.iolite.uapi.kvm.kvm_stats_header;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What KVM counts for a VM or a vCPU: page faults, exits, time halted. Made by {@link
 * Vm#statistics} and {@link Vcpu#statistics}. It describes itself, so that it has the names of the
 * kernel that runs.
 *
 * <p>Its descriptor keeps the VM's memory structures alive. Safe for use by several threads.
 */
public final class Statistics implements AutoCloseable {
  /** More than any kernel has, so that a file that is none is noticed. */
  private static final int MOST = 1 << 16;

  private final Fd fd;
  private final String id;
  private final long dataOffset;
  private final Map<String, Statistic> byName;

  private Statistics(Fd fd, String id, long dataOffset, Map<String, Statistic> byName) {
    this.fd = fd;
    this.id = id;
    this.dataOffset = dataOffset;
    this.byName = byName;
  }

  /** Reads the descriptions, virt/kvm/binary_stats.c:kvm_stats_read. */
  static Statistics of(Fd fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment header = read(fd, arena, kvm_stats_header.sizeof(), 0);
      int nameBytes = kvm_stats_header.name_size(header);
      int count = kvm_stats_header.num_desc(header);
      if (nameBytes < 1 || nameBytes > MOST || count < 0 || count > MOST) {
        throw new UnsupportedOperationException(
            "%s describes %d numbers with names of %d bytes: it is no file of statistics"
                .formatted(fd, count, nameBytes));
      }
      String id = text(read(fd, arena, nameBytes, kvm_stats_header.id_offset(header)), 0);
      long step = kvm_stats_desc.sizeof() + nameBytes;
      MemorySegment all = read(fd, arena, count * step, kvm_stats_header.desc_offset(header));
      Map<String, Statistic> byName = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        Statistic one = described(all.asSlice(i * step, step));
        byName.put(one.name(), one);
      }
      return new Statistics(fd, id, kvm_stats_header.data_offset(header), byName);
    }
  }

  private static Statistic described(MemorySegment description) {
    int flags = kvm_stats_desc.flags(description);
    return new Statistic(
        text(description, kvm_stats_desc.sizeof()),
        Statistic.type(flags),
        Statistic.unit(flags),
        Statistic.base(flags),
        kvm_stats_desc.exponent(description),
        Short.toUnsignedInt(kvm_stats_desc.size(description)),
        kvm_stats_desc.bucket_size(description),
        kvm_stats_desc.offset(description));
  }

  private static MemorySegment read(Fd fd, Arena arena, long bytes, long offset) {
    MemorySegment into = arena.allocate(bytes, Long.BYTES);
    if (fd.pread(into, offset) != bytes) {
      throw new UnsupportedOperationException(
          "%s ends before byte %d: it is no file of statistics".formatted(fd, offset + bytes));
    }
    return into;
  }

  /** A name that ends with a 0, or with its memory. */
  private static String text(MemorySegment from, long offset) {
    StringBuilder text = new StringBuilder();
    for (long at = offset; at < from.byteSize(); at++) {
      byte next = from.get(ValueLayout.JAVA_BYTE, at);
      if (next == 0) {
        break;
      }
      text.append((char) Byte.toUnsignedInt(next));
    }
    return text.toString();
  }

  /** Whose statistics these are, for example {@code kvm-4711/vcpu-0}. */
  public String id() {
    return id;
  }

  /** What is counted, in the kernel's order. */
  public List<Statistic> all() {
    return new ArrayList<>(byName.values());
  }

  /** What is counted under a name; empty if this kernel does not count it. */
  public Optional<Statistic> of(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /**
   * The current value of a number.
   *
   * @throws IllegalArgumentException if it is not counted here, or is a histogram
   * @throws KernelException what pread(2) said
   */
  public long value(String name) {
    long[] values = values(name);
    if (values.length != 1) {
      throw new IllegalArgumentException(name + " has " + values.length + " values: read them all");
    }
    return values[0];
  }

  /**
   * The current values of a histogram, or the one of another number.
   *
   * @throws IllegalArgumentException if it is not counted here
   * @throws KernelException what pread(2) said
   */
  public long[] values(String name) {
    Statistic one =
        of(name).orElseThrow(() -> new IllegalArgumentException(id + " has no number " + name));
    try (Arena arena = Arena.ofConfined()) {
      return read(fd, arena, (long) one.count() * Long.BYTES, dataOffset + one.offset())
          .toArray(ValueLayout.JAVA_LONG);
    }
  }

  /** Closes the descriptor, once. */
  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
