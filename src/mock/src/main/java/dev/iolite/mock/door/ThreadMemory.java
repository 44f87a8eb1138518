package dev.iolite.mock.door;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Registers;
import dev.iolite.mock.core.Pieces;
import dev.iolite.mock.core.ProcessMaps;
import dev.iolite.uapi.seccomp.Seccomp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * Memory as a thread of the program sees it: where a device's registers are mapped, an access is
 * one of the device; all else is the process's own.
 */
final class ThreadMemory {
  private static final int MOST_BYTES = 64;

  private final HostKernel host;
  private final int thread;
  private final ProcessMaps maps;
  private final Placeholders placeholders;
  private final MemorySegment buffer;

  /** What the last access has found. */
  private Optional<ProcessMaps.Area> area = Optional.empty();

  /**
   * That of a thread.
   *
   * @param maps what its process has mapped
   * @param arena for what is copied
   */
  ThreadMemory(
      HostKernel host, int thread, ProcessMaps maps, Placeholders placeholders, Arena arena) {
    this.host = host;
    this.thread = thread;
    this.maps = maps;
    this.placeholders = placeholders;
    buffer = arena.allocate(MOST_BYTES, Long.BYTES);
  }

  /** An access that the kernel answers with a signal. */
  static final class Faulted extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int signal;

    Faulted(int signal) {
      super("a signal", null, false, false);
      this.signal = signal;
    }

    int signal() {
      return signal;
    }
  }

  /** Registers, and where in them an address is. */
  private record Place(Registers registers, long offset) {}

  /** Whether registers are mapped at an address. */
  boolean hasRegisters(long address) {
    return place(address).isPresent();
  }

  private Optional<Place> place(long address) {
    if (area.filter(known -> known.has(address)).isEmpty()) {
      area = maps.areaAt(address);
    }
    return area.flatMap(found -> {
      long offset = found.offset() + (address - found.start());
      return Placeholder.numberIn(found.name(), -1)
          .flatMap(number -> placeholders.registers(number, offset))
          .map(mapped -> new Place(mapped.registers(), offset - mapped.offset()));
    });
  }

  /** Reads 1, 2, 4 or 8 bytes. */
  long read(long address, int bytes) {
    MemorySegment into = buffer.asSlice(0, bytes);
    read(address, into);
    return value(into, bytes);
  }

  /** Writes 1, 2, 4 or 8 bytes. */
  void write(long address, int bytes, long value) {
    MemorySegment from = buffer.asSlice(0, Long.BYTES);
    from.set(ValueLayout.JAVA_LONG, 0, value);
    write(address, from.asSlice(0, bytes));
  }

  private static long value(MemorySegment from, int bytes) {
    long value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      value = value << Byte.SIZE | Byte.toUnsignedLong(from.get(ValueLayout.JAVA_BYTE, i));
    }
    return value;
  }

  /** Reads a vector. */
  void read(long address, MemorySegment into) {
    Optional<Place> place = place(address);
    if (place.isPresent()) {
      answered(() -> Pieces.read(place.get().offset, into, place.get().registers::read));
      return;
    }
    MemorySegment copy = buffer.asSlice(0, into.byteSize());
    require(copy, host.readProcess(thread, address, copy.address(), copy.byteSize()));
    into.copyFrom(copy);
  }

  /** Writes a vector. */
  void write(long address, MemorySegment from) {
    Optional<Place> place = place(address);
    if (place.isPresent()) {
      answered(() -> Pieces.write(place.get().offset, from, place.get().registers::write));
      return;
    }
    MemorySegment copy = buffer.asSlice(0, from.byteSize());
    copy.copyFrom(from);
    require(copy, host.writeProcess(thread, address, copy.address(), copy.byteSize()));
  }

  private static void require(MemorySegment wanted, long moved) {
    if (moved != wanted.byteSize()) {
      throw new Faulted(Seccomp.SIGSEGV());
    }
  }

  /** A BAR whose pages are not there at the moment. */
  private static void answered(Runnable access) {
    try {
      access.run();
    } catch (InternalError e) {
      throw new Faulted(Seccomp.SIGBUS());
    }
  }
}
