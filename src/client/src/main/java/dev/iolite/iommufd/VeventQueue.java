package dev.iolite.iommufd;

import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.catalog.SystemCalls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import dev.iolite.uapi.iommufd.iommufd_vevent_header;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The events of a vIOMMU, for its guest. Made by {@link Viommu#allocVeventQueue}; close it before
 * the vIOMMU.
 *
 * <p>poll(2) says that it is readable while there are events. Safe for use by several threads.
 */
public final class VeventQueue implements AutoCloseable {
  private static final int EVENTS_AT_ONCE = 64;

  private final Fd fd;
  private final int id;
  private final VeventType type;
  private final IommufdObject object;

  /** Whether an event of the size that the type says was read. */
  private volatile boolean isSizeKnown;

  private VeventQueue(Fd iommufd, Fd fd, int id, VeventType type) {
    this.fd = fd;
    this.id = id;
    this.type = type;
    this.object = new IommufdObject(iommufd, id, "vEVENTQ " + Integer.toUnsignedString(id));
  }

  static VeventQueue alloc(Fd iommufd, ViommuId viommu, VeventType type, int depth) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_veventq_alloc.allocate(arena);
      iommu_veventq_alloc.size(alloc, (int) iommu_veventq_alloc.sizeof());
      iommu_veventq_alloc.viommu_id(alloc, viommu.value());
      iommu_veventq_alloc.type(alloc, type.number());
      iommu_veventq_alloc.veventq_depth(alloc, depth);
      iommufd.ioctl(IommufdIoctls.IOMMU_VEVENTQ_ALLOC, alloc);
      int id = iommu_veventq_alloc.out_veventq_id(alloc);
      Fd fd =
          Fd.owned(
              iommufd.kernel(),
              FdKind.VEVENTQ,
              iommu_veventq_alloc.out_veventq_fd(alloc),
              Integer.toUnsignedString(id) + " of " + viommu);
      return new VeventQueue(iommufd, fd, id, type);
    }
  }

  /** The descriptor that is read. */
  public Fd fd() {
    return fd;
  }

  /** Its id, unsigned. */
  public int id() {
    return id;
  }

  /** The type of its events. */
  public VeventType type() {
    return type;
  }

  /**
   * Takes events from the queue, without waiting. See
   * drivers/iommu/iommufd/eventq.c:iommufd_veventq_fops_read.
   *
   * <p>The kernel does not say how large an event is. The first one is therefore read alone, which
   * shows whether its type is right.
   *
   * @return empty if there is none
   * @throws KernelException what read(2) said; EINVAL: the events are larger than their type says.
   *     A result that is not negative: they are smaller
   */
  public List<Vevent> read() {
    List<Vevent> read = new ArrayList<>();
    if (!isSizeKnown) {
      take(1, read);
      isSizeKnown = !read.isEmpty() && !read.getLast().lost();
    }
    if (isSizeKnown) {
      take(EVENTS_AT_ONCE, read);
    }
    return read;
  }

  private void take(int most, List<Vevent> read) {
    long head = iommufd_vevent_header.sizeof();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment events = arena.allocate(most * (head + type.eventBytes()), Long.BYTES);
      long end = fd.read(events);
      for (long at = 0; at < end; ) {
        if (at + head > end) {
          throw smaller(end);
        }
        MemorySegment header = events.asSlice(at, head);
        int sequence = iommufd_vevent_header.sequence(header);
        at += head;
        if ((iommufd_vevent_header.flags(header) & Iommufd.IOMMU_VEVENTQ_FLAG_LOST_EVENTS()) != 0) {
          read.add(new Vevent(sequence, Optional.empty()));
        } else if (at + type.eventBytes() > end) {
          throw smaller(end);
        } else {
          read.add(new Vevent(sequence, Optional.of(copy(events.asSlice(at, type.eventBytes())))));
          at += type.eventBytes();
        }
      }
    }
  }

  private KernelException smaller(long bytes) {
    return KernelException.of(
        SystemCalls.READ.name(),
        fd.target(),
        "type=" + type + " eventBytes=" + type.eventBytes(),
        bytes,
        ": the events are smaller than their type says");
  }

  /** Words, so that the struct is aligned; and on the heap, so that nothing has to be freed. */
  private static MemorySegment copy(MemorySegment event) {
    long bytes = event.byteSize();
    long[] words = new long[Math.toIntExact(Math.ceilDiv(bytes, Long.BYTES))];
    return MemorySegment.ofArray(words).asSlice(0, bytes).copyFrom(event).asReadOnly();
  }

  /** Closes the descriptor, and destroys the queue by IOMMU_DESTROY. */
  @Override
  public void close() {
    fd.close();
    object.close();
  }

  @Override
  public String toString() {
    return object.toString();
  }
}
