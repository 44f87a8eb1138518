package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_run;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The part of kvm_run about port I/O; its values are elsewhere in the mapping. */
final class IoView {
  private final MemorySegment run;
  private final MemorySegment io;

  IoView(MemorySegment run) {
    this.run = run;
    this.io = kvm_run.io(run);
  }

  boolean isOut() {
    return kvm_run.io.direction(io) == Kvm.KVM_EXIT_IO_OUT();
  }

  int port() {
    return Short.toUnsignedInt(kvm_run.io.port(io));
  }

  int size() {
    return kvm_run.io.size(io);
  }

  int count() {
    return kvm_run.io.count(io);
  }

  int get(int index) {
    long at = at(index);
    return switch (size()) {
      case 1 -> Byte.toUnsignedInt(run.get(ValueLayout.JAVA_BYTE, at));
      case 2 -> Short.toUnsignedInt(run.get(ValueLayout.JAVA_SHORT, at));
      default -> run.get(ValueLayout.JAVA_INT, at);
    };
  }

  void set(int index, int value) {
    long at = at(index);
    switch (size()) {
      case 1 -> run.set(ValueLayout.JAVA_BYTE, at, (byte) value);
      case 2 -> run.set(ValueLayout.JAVA_SHORT, at, (short) value);
      default -> run.set(ValueLayout.JAVA_INT, at, value);
    }
  }

  private long at(int index) {
    if (index < 0 || index >= count()) {
      throw new IndexOutOfBoundsException(index);
    }
    return kvm_run.io.data_offset(io) + (long) index * size();
  }

  @Override
  public String toString() {
    return "0x%x, %d times %d bytes".formatted(port(), count(), size());
  }
}
