package dev.iolite.differential;

import static dev.iolite.differential.Machine.PAGE;
import static dev.iolite.differential.Machine.name;

import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Registers;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The memory of devices as this process maps it. */
final class MapCalls {
  /** Of an ivshmem, the region that is nothing but memory. */
  static final int MEMORY = 2;

  /** What the first word of such a page is, less the page's number. */
  static final int MARK = 0x5eed_0000;

  private static final int PAGES = 256;
  private static final int READ_WRITE = Libc.PROT_READ() | Libc.PROT_WRITE();

  private final Machine machine;
  private final int probe;
  private final List<Mapping> mappings = new ArrayList<>();

  private record Mapping(long address, long bytes, boolean isMemory) {}

  MapCalls(Machine machine) {
    this.machine = machine;
    probe = (int) Machine.checked(machine.kernel().memfdCreate("probe", Libc.MFD_CLOEXEC()));
  }

  /** Writes its number into each page of an ivshmem, so that it is seen which one is reached. */
  void mark(int device) {
    for (int page = 0; page < PAGES; page++) {
      MemorySegment word = machine.zeros(Integer.BYTES);
      word.set(ValueLayout.JAVA_INT, 0, MARK | page);
      long at = VfioCalls.offset(MEMORY, page * PAGE);
      Machine.checked(machine.kernel().pwrite(device, word.address(), Integer.BYTES, at));
    }
  }

  /** The program has ended. */
  void end() {
    mappings.forEach(mapping -> machine.kernel().munmap(mapping.address, mapping.bytes));
    mappings.clear();
  }

  void close() {
    machine.kernel().close(probe);
  }

  String answer(Op op) {
    return switch (op.kind()) {
      case MMAP -> map(op);
      case TOUCH -> touch(op.arg(0));
      default -> throw new IllegalArgumentException(op.toString());
    };
  }

  private String map(Op op) {
    int device = machine.devices.get(op.arg(0));
    long offset = VfioCalls.offset(op.arg(1), op.arg(2));
    long bytes = op.arg(3);
    long address = machine.kernel().mmap(0, bytes, READ_WRITE, Libc.MAP_SHARED(), device, offset);
    if (address < 0 && address >= -Kernel.MAX_ERRNO) {
      return name(address);
    }
    mappings.add(new Mapping(address, bytes, op.arg(1) == MEMORY));
    return "mapped";
  }

  /** The first word; of registers not what it is, for they are not made for copies of bytes. */
  private String touch(long reference) {
    if (mappings.isEmpty()) {
      return "nothing is mapped";
    }
    Mapping mapping = mappings.get((int) (reference % mappings.size()));
    OptionalInt word =
        machine
            .kernel()
            .registers(mapping.address)
            .map(MapCalls::modelled)
            .orElseGet(() -> copied(mapping.address));
    if (word.isEmpty()) {
      return "SIGBUS";
    }
    return mapping.isMemory ? Integer.toHexString(word.getAsInt()) : "something";
  }

  private static OptionalInt modelled(Registers registers) {
    try {
      return OptionalInt.of((int) registers.read(0, Integer.BYTES));
    } catch (InternalError e) {
      // What the Java machine makes of the SIGBUS.
      return OptionalInt.empty();
    }
  }

  /** Through a file, so that the fault is an errno. */
  private OptionalInt copied(long address) {
    if (machine.kernel().pwrite(probe, address, Integer.BYTES, 0) < 0) {
      return OptionalInt.empty();
    }
    MemorySegment word = machine.zeros(Integer.BYTES);
    machine.kernel().pread(probe, word.address(), Integer.BYTES, 0);
    return OptionalInt.of(word.get(ValueLayout.JAVA_INT, 0));
  }
}
