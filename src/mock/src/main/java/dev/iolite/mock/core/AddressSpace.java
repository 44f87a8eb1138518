package dev.iolite.mock.core;

import static dev.iolite.mock.core.Refused.refuseIf;
import static dev.iolite.mock.core.Refused.refused;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.MemFd;
import dev.iolite.kernel.Page;
import dev.iolite.kernel.Registers;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What the process has mapped through the model, at addresses of the real process. Pages can be
 * accessed directly; a device's registers only through {@link #registers}: a direct access raises
 * SIGBUS.
 *
 * <p>The rest of the process's memory (Java's arenas) is unknown here. It can be used as well, but
 * it is not preserved when the process frees it other than by {@link #map} and {@link #unmap}.
 */
public final class AddressSpace {
  private static final int FIXED = 0x10;
  private static final int FIXED_NOREPLACE = 0x10_0000;

  private final HostKernel host;
  private final UserMemory user;
  private final Mapper mapper;
  private final RamPool anonymousMemory;
  private final TreeMap<Long, Area> areas = new TreeMap<>(Long::compareUnsigned);
  private final Set<ForeignPages> pinnedForeign = new HashSet<>();
  private Optional<MemFd> nothing = Optional.empty();

  /** A mapping; it holds references to its file and its pages. */
  private record Area(
      long start, long bytes, int protection, MappedObject object, Optional<OpenFile> file) {
    long end() {
      return start + bytes;
    }

    /** The part of this area that is in a range; the two must overlap. */
    Area part(long from, long to) {
      long partStart = Math.max(start, from);
      long skipped = partStart - start;
      MappedObject partObject =
          switch (object) {
            case MappedObject.Pages pages ->
                new MappedObject.Pages(pages.ram(), pages.offset() + skipped);
            case MappedObject.DeviceRegisters registers -> skip(registers, skipped);
          };
      return new Area(partStart, Math.min(end(), to) - partStart, protection, partObject, file);
    }

    void get() {
      file.ifPresent(OpenFile::get);
      if (object instanceof MappedObject.Pages pages) {
        pages.ram().get();
      }
    }

    void put() {
      if (object instanceof MappedObject.Pages pages) {
        pages.ram().put();
      }
      file.ifPresent(OpenFile::put);
    }
  }

  AddressSpace(HostKernel host, UserMemory user, Mapper mapper) {
    this.host = host;
    anonymousMemory = new RamPool(host);
    this.user = user;
    this.mapper = mapper;
  }

  private static MappedObject.DeviceRegisters skip(
      MappedObject.DeviceRegisters registers, long skipped) {
    Registers access = registers.access();
    Memory memory = registers.memory();
    return new MappedObject.DeviceRegisters(
        new Registers() {
          @Override
          public long read(long offset, int bytes) {
            return access.read(offset + skipped, bytes);
          }

          @Override
          public void write(long offset, int bytes, long value) {
            access.write(offset + skipped, bytes, value);
          }
        },
        new Memory() {
          @Override
          public void read(long offset, MemorySegment into) {
            memory.read(offset + skipped, into);
          }

          @Override
          public void write(long offset, MemorySegment from) {
            memory.write(offset + skipped, from);
          }
        },
        registers.present(),
        registers.file());
  }

  /**
   * mmap(2): the checks of mm/mmap.c:ksys_mmap_pgoff and do_mmap that do not depend on the file.
   *
   * @param file what to map; empty for anonymous memory
   * @param offset in bytes, a multiple of the page size
   * @return the address
   */
  public long map(
      long address, long bytes, int protection, int flags, Optional<OpenFile> file, long offset) {
    refuseIf(bytes == 0, Errno.EINVAL);
    long whole = (bytes + Page.BYTES - 1) & -Page.BYTES;
    refuseIf(whole == 0 || Long.compareUnsigned(whole, 1L << 47) >= 0, Errno.ENOMEM);
    refuseIf((address & (Page.BYTES - 1)) != 0 && (flags & FIXED) != 0, Errno.EINVAL);
    // mm/mmap.c:file_mmap_ok, for a device's file
    boolean ends = Long.compareUnsigned(offset >>> 12, (-1 - whole) >>> 12) > 0;
    refuseIf(file.isPresent() && ends, Errno.EOVERFLOW);
    // mm/hugetlb.c:hugetlb_acct_memory: the host has reserved no huge pages
    refuseIf(file.isEmpty() && (flags & Libc.MAP_HUGETLB()) != 0, Errno.ENOMEM);
    int sharing = flags & (Libc.MAP_SHARED() | Libc.MAP_PRIVATE());
    refuseIf(sharing == 0, Errno.EINVAL);
    file.ifPresent(f -> f.requireMappable(protection, flags));
    MappedObject object =
        file.map(f -> f.mmap(new MapRequest(whole, protection, flags, offset)))
            .orElseGet(() -> new MappedObject.Pages(anonymousMemory.take(whole), 0));
    boolean anonymous = file.isEmpty();
    int fixed = flags & (FIXED | FIXED_NOREPLACE);
    if ((flags & FIXED) != 0) {
      pinnedForeign.forEach(pages -> pages.leave(address, address + whole, true));
    }
    long at =
        switch (object) {
          case MappedObject.Pages pages ->
              mapper.map(
                  address,
                  whole,
                  protection,
                  fixed,
                  pages.ram().hostFd(),
                  pages.ram().start() + pages.offset());
          case MappedObject.DeviceRegisters _ ->
              mapper.map(address, whole, protection, fixed, nothing(), 0);
        };
    if (at < 0 && at >= -Kernel.MAX_ERRNO) {
      if (anonymous && object instanceof MappedObject.Pages pages) {
        pages.ram().put();
      }
      throw refused(Errno.of((int) -at));
    }
    // Without MAP_FIXED the range was free: what was pinned there has been freed by other means.
    pinnedForeign.forEach(pages -> pages.leave(at, at + whole, false));
    Area area = new Area(at, whole, protection, object, file);
    if (anonymous) {
      area = new Area(at, whole, protection, object, Optional.empty());
    } else {
      area.get();
    }
    forget(at, at + whole);
    areas.put(at, area);
    return at;
  }

  /** An empty file of the host: where it is mapped, an access raises SIGBUS. */
  private int nothing() {
    if (nothing.isEmpty()) {
      nothing = Optional.of(MemFd.create(host, "iolite-mock-registers", 0));
    }
    return nothing.get().fd().number();
  }

  /**
   * munmap(2), mm/vma.c:do_vmi_munmap. Leaves alone what the model has not mapped, but a device
   * that such memory was pinned for no longer follows the address.
   */
  public void unmap(long address, long bytes) {
    refuseIf((address & (Page.BYTES - 1)) != 0 || bytes == 0, Errno.EINVAL);
    long whole = (bytes + Page.BYTES - 1) & -Page.BYTES;
    refuseIf(whole <= 0 || address < 0 || address > HostUserMemory.TASK_SIZE - whole, Errno.EINVAL);
    pinnedForeign.forEach(pages -> pages.leave(address, address + whole, true));
    for (Area area : overlapping(address, address + whole)) {
      Area part = area.part(address, address + whole);
      int result = mapper.unmap(part.start, part.bytes);
      refuseIf(result < 0, Errno.of(-result));
    }
    forget(address, address + whole);
  }

  /**
   * A range that the model has not mapped is about to be no longer what it is: the caller unmaps it
   * itself, maps something else there, or gives its pages back. What is pinned stays.
   */
  public void leave(long address, long bytes) {
    pinnedForeign.forEach(pages -> pages.leave(address, address + bytes, true));
  }

  /** Unmaps all, as the end of the process does. */
  void unmapAll() {
    for (Area area : List.copyOf(areas.values())) {
      unmap(area.start, area.bytes);
    }
    nothing.ifPresent(MemFd::close);
    nothing = Optional.empty();
  }

  /** Removes a range from the table; parts of areas outside the range stay. */
  private void forget(long from, long to) {
    for (Area area : overlapping(from, to)) {
      areas.remove(area.start);
      if (Long.compareUnsigned(area.start, from) < 0) {
        Area before = area.part(area.start, from);
        before.get();
        areas.put(before.start, before);
      }
      if (Long.compareUnsigned(area.end(), to) > 0) {
        Area after = area.part(to, area.end());
        after.get();
        areas.put(after.start, after);
      }
      area.put();
    }
  }

  private List<Area> overlapping(long from, long to) {
    List<Area> found = new ArrayList<>();
    Map.Entry<Long, Area> first = areas.floorEntry(from);
    if (first != null && Long.compareUnsigned(first.getValue().end(), from) > 0) {
      found.add(first.getValue());
    }
    if (Long.compareUnsigned(from + 1, to) < 0) {
      found.addAll(areas.subMap(from, false, to, false).values());
    }
    return found;
  }

  private Optional<Area> at(long address) {
    return Optional.ofNullable(areas.floorEntry(address))
        .map(Map.Entry::getValue)
        .filter(area -> Long.compareUnsigned(address, area.end()) < 0);
  }

  /** Access to the registers mapped at an address; empty if there are none. */
  public Optional<Registers> registers(long address) {
    return at(address)
        .map(area -> area.part(address, area.end()).object)
        .flatMap(object ->
            object instanceof MappedObject.DeviceRegisters registers
                ? Optional.of(registers.access())
                : Optional.empty());
  }

  /**
   * The memory behind a range of addresses, as a driver pins it (pin_user_pages): it stays the same
   * when the caller unmaps the range.
   *
   * @param address of any alignment; the range may begin anywhere in a page
   * @param write whether it will be written (FOLL_WRITE)
   * @return the memory; offset 0 is {@code address}
   * @throws Refused EFAULT if any of it is not mapped for that access, or consists of a device's
   *     registers (mm/gup.c:check_vma_flags)
   */
  public Pin pin(long address, long bytes, boolean write) {
    return pin(address, bytes, write, Optional.empty());
  }

  /**
   * The same for a driver that also takes a device's registers, which have no pages to pin
   * (drivers/vfio/vfio_iommu_type1.c:vaddr_get_pfns).
   *
   * @param files what the caller may have mapped by itself
   * @throws Refused EFAULT if any of it is not mapped for that access, or consists of registers
   *     that are not there at the moment
   */
  public Pin pinWithRegisters(long address, long bytes, boolean write, Descriptors files) {
    return pin(address, bytes, write, Optional.of(files));
  }

  private Pin pin(long address, long bytes, boolean write, Optional<Descriptors> files) {
    refuseIf(address < 0 || bytes < 0 || address > HostUserMemory.TASK_SIZE - bytes, Errno.EFAULT);
    Optional<Area> area = at(address);
    if (area.isPresent() && Long.compareUnsigned(address + bytes, area.get().end()) <= 0) {
      return pin(area.get().part(address, address + bytes), write, files.isPresent());
    }
    return Pin.of(pieces(address, bytes, write, files));
  }

  private List<Pin> pieces(long address, long bytes, boolean write, Optional<Descriptors> files) {
    List<Pin> pieces = new ArrayList<>();
    try {
      for (long from = address; from != address + bytes; ) {
        Optional<Area> area = at(from);
        long to;
        if (area.isPresent()) {
          to = Math.min(area.get().end(), address + bytes);
          pieces.add(pin(area.get().part(from, to), write, files.isPresent()));
        } else {
          Long next = areas.higherKey(from);
          to = next == null ? address + bytes : Math.min(next, address + bytes);
          pieces.add(pinForeign(from, to - from, write, files));
        }
        from = to;
      }
      return pieces;
    } catch (Refused e) {
      pieces.forEach(Pin::release);
      throw e;
    }
  }

  private static Pin pin(Area area, boolean write, boolean registers) {
    int wanted = write ? Libc.PROT_WRITE() : Libc.PROT_READ();
    refuseIf((area.protection & wanted) == 0, Errno.EFAULT);
    return switch (area.object) {
      case MappedObject.Pages pages ->
          new Pin(pages.ram().get(), pages.offset(), area.bytes, pages.ram()::put);
      case MappedObject.DeviceRegisters device -> {
        refuseIf(!registers || !device.present().getAsBoolean(), Errno.EFAULT);
        yield new Pin(device.memory(), 0, area.bytes, () -> {});
      }
    };
  }

  private static Pin pinRegisters(UserMemory.FilePlace place, long bytes, Descriptors files) {
    int both = Libc.PROT_READ() | Libc.PROT_WRITE();
    var request = new MapRequest(bytes, both, Libc.MAP_SHARED(), place.offset());
    if (files.get(place.fd()).mmap(request) instanceof MappedObject.DeviceRegisters device) {
      refuseIf(!device.present().getAsBoolean(), Errno.EFAULT);
      return new Pin(device.memory(), 0, bytes, () -> {});
    }
    throw refused(Errno.EFAULT);
  }

  private Pin pinForeign(long address, long bytes, boolean write, Optional<Descriptors> files) {
    Optional<UserMemory.FilePlace> place =
        files.isPresent() ? user.registersAt(address) : Optional.empty();
    if (place.isPresent()) {
      refuseIf(place.get().bytes() < bytes, Errno.EFAULT);
      return pinRegisters(place.get(), bytes, files.orElseThrow());
    }
    user.requireMapped(address, bytes, write);
    ForeignPages pages = new ForeignPages(address, bytes);
    pinnedForeign.add(pages);
    return new Pin(
        pages,
        0,
        bytes,
        () -> {
          pinnedForeign.remove(pages);
          pages.whole.release();
        });
  }

  /**
   * Pinned memory that the model has not mapped. While the process has it mapped, it is accessed in
   * place. Before a call of the process unmaps it, it is copied: after that no mapping leads to it,
   * so the copy is the page.
   */
  private final class ForeignPages implements Memory {
    private final long address;
    private final UserMemory owner = user.ofCaller();
    private List<Pin> pieces;
    private Pin whole;

    ForeignPages(long address, long bytes) {
      this.address = address;
      whole = inPlace(address, bytes);
      pieces = List.of(whole);
    }

    private Pin inPlace(long from, long bytes) {
      return new Pin(new Unmanaged(owner, from), 0, bytes, () -> {});
    }

    /**
     * Called when the process loses a range.
     *
     * @param isThere whether the process still has it at this moment
     */
    void leave(long from, long to, boolean isThere) {
      if (!user.ofCaller().equals(owner)) {
        return;
      }
      List<Pin> left = new ArrayList<>();
      long start = address;
      for (Pin piece : pieces) {
        long end = start + piece.bytes();
        long first = Math.max(start, from);
        long last = Math.min(end, to);
        if (first < last && piece.memory() instanceof Unmanaged) {
          if (start < first) {
            left.add(inPlace(start, first - start));
          }
          left.add(isThere ? copied(first, last - first) : gone(last - first));
          if (last < end) {
            left.add(inPlace(last, end - last));
          }
        } else {
          left.add(piece);
        }
        start = end;
      }
      pieces = left;
      whole = Pin.of(left);
    }

    private Pin copied(long from, long bytes) {
      Ram copy = anonymousMemory.take(bytes);
      try {
        owner.read(from, copy.segment().asSlice(0, bytes));
        return new Pin(copy, 0, bytes, copy::put);
      } catch (Refused e) {
        copy.put();
        return gone(bytes);
      }
    }

    private static Pin gone(long bytes) {
      return new Pin(new FreedMemory(), 0, bytes, () -> {});
    }

    @Override
    public void read(long offset, MemorySegment into) {
      whole.read(offset, into);
    }

    @Override
    public void write(long offset, MemorySegment from) {
      whole.write(offset, from);
    }
  }

  /** Memory that the process freed behind the model's back. */
  private record FreedMemory() implements Memory {
    @Override
    public void read(long offset, MemorySegment into) {
      throw new Unreachable("the process has freed its memory");
    }

    @Override
    public void write(long offset, MemorySegment from) {
      throw new Unreachable("the process has freed its memory");
    }
  }

  /**
   * What a guest reaches at an address of this process, at the time of the access (KVM's memory
   * slots follow the process's page tables; they pin nothing).
   *
   * <p>Where the model no longer has a mapping, nothing is reached: the host may have put memory of
   * the JVM there.
   */
  public Memory asSeenByGuest(long address) {
    boolean isMapping = at(address).isPresent();
    UserMemory owner = user.ofCaller();
    return new Memory() {
      @Override
      public void read(long offset, MemorySegment into) {
        resolve(owner, address + offset, into.byteSize(), Libc.PROT_READ(), isMapping)
            .read(0, into);
      }

      @Override
      public void write(long offset, MemorySegment from) {
        resolve(owner, address + offset, from.byteSize(), Libc.PROT_WRITE(), isMapping)
            .write(0, from);
      }
    };
  }

  private Memory resolve(
      UserMemory owner, long address, long bytes, int access, boolean isMapping) {
    Optional<Area> area = at(address);
    if (area.isEmpty()) {
      if (isMapping) {
        throw new Memory.Unreachable("the process has unmapped it");
      }
      return new Unmanaged(owner, address);
    }
    Area found = area.get();
    if (address + bytes > found.end()) {
      throw new Memory.Unreachable("an access across the end of a mapping");
    }
    if ((found.protection & access) == 0) {
      throw new Memory.Unreachable("the process itself may not access it so");
    }
    return switch (found.part(address, address + bytes).object) {
      case MappedObject.Pages pages -> new Pin(pages.ram(), pages.offset(), bytes, () -> {});
      case MappedObject.DeviceRegisters registers -> registers.memory();
    };
  }

  /**
   * What is mapped, by address, such as {@code mapping 0x7f0000000000-0x7f0000000fff of memfd:x}.
   */
  List<String> held() {
    return areas.values().stream()
        .map(area ->
            "mapping 0x%x-0x%x of %s"
                .formatted(
                    area.start,
                    area.end() - 1,
                    area.file.map(OpenFile::name).orElse("anonymous memory")))
        .toList();
  }

  /** The lines of {@code /proc/self/maps} for what the model has mapped from files. */
  public String text() {
    var text = new StringBuilder();
    for (Area area : areas.values()) {
      text.append(
          "%x-%x %s%s-s 00000000 00:00 0 %s\n"
              .formatted(
                  area.start,
                  area.end(),
                  (area.protection & Libc.PROT_READ()) != 0 ? "r" : "-",
                  (area.protection & Libc.PROT_WRITE()) != 0 ? "w" : "-",
                  area.file.map(OpenFile::name).orElse("")));
    }
    return text.toString();
  }

  /** Memory of the process at an address that the model knows nothing about. */
  private record Unmanaged(UserMemory owner, long address) implements Memory {
    @Override
    public void read(long offset, MemorySegment into) {
      try {
        owner.read(address + offset, into);
      } catch (Refused e) {
        throw new Unreachable("the process has freed its memory");
      }
    }

    @Override
    public void write(long offset, MemorySegment from) {
      try {
        owner.write(address + offset, from);
      } catch (Refused e) {
        throw new Unreachable("the process has freed its memory");
      }
    }
  }
}
