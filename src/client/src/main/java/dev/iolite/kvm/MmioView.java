package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The part of kvm_run about MMIO. */
final class MmioView {
  private static final int MAX_BYTES = 8;

  private final MemorySegment mmio;
  private final MemorySegment data;

  MmioView(MemorySegment run) {
    this.mmio = kvm_run.mmio(run);
    this.data = kvm_run.mmio.data(mmio);
  }

  boolean isWrite() {
    return kvm_run.mmio.is_write(mmio) != 0;
  }

  long gpa() {
    return kvm_run.mmio.phys_addr(mmio);
  }

  int size() {
    return kvm_run.mmio.len(mmio);
  }

  long data() {
    long all = data.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    return size() == MAX_BYTES ? all : (all & ((1L << (size() * Byte.SIZE)) - 1));
  }

  void data(long value) {
    data.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
  }

  @Override
  public String toString() {
    return "0x%x, %d bytes".formatted(gpa(), size());
  }
}
