package dev.iolite.mock.kvm;

import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.PositionedFile;
import dev.iolite.uapi.kvm.kvm_stats_desc;
import dev.iolite.uapi.kvm.kvm_stats_header;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * The statistics of a VM or a vCPU as a file, which keeps the VM alive; virt/kvm/binary_stats.c.
 * The model counts a vCPU's exits; all other values are 0.
 */
final class StatisticsFile extends PositionedFile {
  /** KVM_STATS_NAME_SIZE. */
  private static final int NAME_BYTES = 48;

  private final KvmVm vm;
  private final String name;
  private final byte[] descriptions;
  private final List<Statistic> statistics;
  private final ToLongFunction<String> values;

  private StatisticsFile(
      KvmVm vm, String name, String id, List<Statistic> statistics, ToLongFunction<String> values) {
    super(vm.task());
    this.vm = vm;
    this.name = name;
    this.statistics = statistics;
    this.values = values;
    descriptions = descriptions(id, statistics);
    access(Libc.O_RDONLY());
    vm.getKvm();
  }

  /** virt/kvm/kvm_main.c:kvm_vm_ioctl_get_stats_fd. */
  static StatisticsFile of(KvmVm vm) {
    return new StatisticsFile(vm, "kvm-vm-stats", id(vm), Statistic.OF_VM, _ -> 0);
  }

  /** virt/kvm/kvm_main.c:kvm_vcpu_ioctl_get_stats_fd. */
  static StatisticsFile of(KvmVcpu vcpu) {
    return new StatisticsFile(
        vcpu.vm(),
        "kvm-vcpu-stats:" + vcpu.id(),
        id(vcpu.vm()) + "/vcpu-" + vcpu.id(),
        Statistic.OF_VCPU,
        vcpu.counts()::of);
  }

  /**
   * In the kernel, the number is that of the process that made the VM (kvm_main.c:kvm_create_vm).
   */
  private static String id(KvmVm vm) {
    return "kvm-" + vm.number();
  }

  /** virt/kvm/binary_stats.c:kvm_stats_read: header, id and descriptions, which values follow. */
  private static byte[] descriptions(String id, List<Statistic> statistics) {
    long described = kvm_stats_header.sizeof() + NAME_BYTES;
    long step = kvm_stats_desc.sizeof() + NAME_BYTES;
    long values = described + statistics.size() * step;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocate(values, Long.BYTES);
      kvm_stats_header.name_size(all, NAME_BYTES);
      kvm_stats_header.num_desc(all, statistics.size());
      kvm_stats_header.id_offset(all, (int) kvm_stats_header.sizeof());
      kvm_stats_header.desc_offset(all, (int) described);
      kvm_stats_header.data_offset(all, (int) values);
      put(all, kvm_stats_header.sizeof(), id);
      for (int i = 0; i < statistics.size(); i++) {
        Statistic each = statistics.get(i);
        MemorySegment description = all.asSlice(described + i * step, step);
        kvm_stats_desc.flags(description, each.flags());
        kvm_stats_desc.exponent(description, (short) each.exponent());
        kvm_stats_desc.size(description, (short) each.values());
        kvm_stats_desc.offset(description, each.offset());
        put(description, kvm_stats_desc.sizeof(), each.name());
      }
      return all.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  private byte[] content() {
    int bytes = statistics.stream().mapToInt(Statistic::bytes).sum();
    byte[] content = Arrays.copyOf(descriptions, descriptions.length + bytes);
    MemorySegment data = MemorySegment.ofArray(content).asSlice(descriptions.length);
    for (Statistic each : statistics) {
      data.set(ValueLayout.JAVA_LONG_UNALIGNED, each.offset(), values.applyAsLong(each.name()));
    }
    return content;
  }

  private static void put(MemorySegment into, long offset, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, into, offset, bytes.length);
  }

  @Override
  public String name() {
    return "anon_inode:" + name;
  }

  @Override
  public long pread(long address, long bytes, long offset) {
    byte[] content = content();
    long count = Math.clamp(content.length - offset, 0, bytes);
    if (count > 0) {
      task().user().write(address, MemorySegment.ofArray(content).asSlice(offset, count));
    }
    return count;
  }

  /** It has no FMODE_PWRITE. */
  @Override
  public long pwrite(long address, long bytes, long offset) {
    throw refused(Errno.ESPIPE);
  }

  /** noop_llseek. */
  @Override
  public long lseek(long offset, int whence) {
    return position();
  }

  @Override
  protected void release() {
    vm.putKvm();
  }
}
