package dev.iolite.vmm;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kvm.Vm;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The guest's RAM: up to 3 GiB at address 0, the rest from 4 GiB on. */
final class GuestMemory implements AutoCloseable {
  private static final long MOST = 1L << 42;

  private final Mapping mapping;
  private final long low;

  /**
   * A part of RAM.
   *
   * @param gpa where it starts for the guest
   * @param memory what backs it
   */
  record Part(long gpa, MemorySegment memory) {}

  GuestMemory(Kernel kernel, long bytes) {
    if (bytes > MOST) {
      throw new PreconditionException(
          "give the guest 0x%x bytes of RAM".formatted(bytes),
          "it can have 4 TiB",
          "the unit is another one",
          "give less, such as 4G");
    }
    if (bytes <= MemoryMap.HIGH_MEMORY || bytes % Page.BYTES != 0) {
      throw new PreconditionException(
          "give the guest 0x%x bytes of RAM".formatted(bytes),
          "it is not a multiple of the page size above 1 MiB",
          "a unit is missing",
          "give more, such as 256M");
    }
    low = Math.min(bytes, MemoryMap.PCI_HOLE);
    mapping = Mapping.ram(kernel, bytes);
  }

  /** The parts, in the order of their addresses. */
  List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    parts.add(new Part(0, mapping.segment().asSlice(0, low)));
    if (mapping.bytes() > low) {
      parts.add(new Part(MemoryMap.FOUR_GIB, mapping.segment().asSlice(low)));
    }
    return parts;
  }

  /** Where RAM below 4 GiB ends. */
  long lowEnd() {
    return low;
  }

  /** Where RAM above 4 GiB ends; 4 GiB if there is none. */
  long highEnd() {
    return MemoryMap.FOUR_GIB + mapping.bytes() - low;
  }

  /** Memory below 4 GiB, at a guest-physical address. */
  MemorySegment at(long gpa, long bytes) {
    return mapping.segment().asSlice(0, low).asSlice(gpa, bytes);
  }

  /** Gives it to a VM without private memory. */
  void addTo(Vm vm) {
    for (Part part : parts()) {
      vm.addSlot(part.gpa(), part.memory().byteSize(), part.memory().address());
    }
  }

  /** Gives it to a VM with private memory behind it, too; all of RAM is shared at first. */
  PrivateMemory addPrivateTo(Vm vm) {
    return new PrivateMemory(vm, parts());
  }

  /** Lets devices reach it by DMA, at the guest's addresses. */
  void mapFor(Ioas ioas) {
    for (Part part : parts()) {
      ioas.map(part.gpa(), part.memory(), IovaAccess.READ_WRITE);
    }
  }

  @Override
  public void close() {
    mapping.close();
  }
}
