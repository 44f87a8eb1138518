package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_pgfault;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import dev.iolite.uapi.iommufd.iommufd_vevent_header;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Queues of events, of which no device here fills enough or the wrong ones. */
class EventQueuesTest {
  private static final VeventType TYPE = new VeventType("TEST", 9, 16);
  private static final long HEAD = iommufd_vevent_header.sizeof();

  /** What the kernel's queue holds; a group of faults, or an event, is given as a whole. */
  private final Deque<byte[]> queue = new ArrayDeque<>();

  /** How many bytes each read had room for. */
  private final List<Long> rooms = new ArrayList<>();

  private final List<Integer> closed = new ArrayList<>();

  /** eventq.c:iommufd_veventq_fops_read, iommufd_fault_fops_read. */
  private final class Queued extends ForwardingKernel {
    Queued() {
      super(new HostKernel());
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      if (request == IommufdIoctls.IOMMU_VEVENTQ_ALLOC.number()) {
        MemorySegment alloc =
            MemorySegment.ofAddress(argument).reinterpret(iommu_veventq_alloc.sizeof());
        iommu_veventq_alloc.out_veventq_fd(alloc, Integer.MAX_VALUE);
      }
      return 0;
    }

    @Override
    public int close(int fd) {
      closed.add(fd);
      return 0;
    }

    @Override
    public long read(int fd, long address, long bytes) {
      rooms.add(bytes);
      MemorySegment into = MemorySegment.ofAddress(address).reinterpret(bytes);
      long done = 0;
      while (!queue.isEmpty()) {
        MemorySegment next = MemorySegment.ofArray(queue.getFirst());
        if (next.byteSize() > bytes - done) {
          return done == 0 ? Errno.EINVAL.negated() : done;
        }
        into.asSlice(done).copyFrom(next);
        done += next.byteSize();
        queue.removeFirst();
      }
      return done;
    }
  }

  private final Fd iommufd = Fd.borrowed(new Queued(), FdKind.IOMMUFD, Integer.MAX_VALUE, "test");

  private void event(int sequence, long bytes) {
    MemorySegment event = MemorySegment.ofArray(new byte[(int) (HEAD + bytes)]);
    event.set(ValueLayout.JAVA_INT_UNALIGNED, Integer.BYTES, sequence);
    for (long at = HEAD; at < event.byteSize(); at++) {
      event.set(ValueLayout.JAVA_BYTE, at, (byte) sequence);
    }
    queue.add((byte[]) event.heapBase().orElseThrow());
  }

  private void lost(int sequence) {
    event(sequence, 0);
    MemorySegment.ofArray(queue.getLast())
        .set(ValueLayout.JAVA_INT_UNALIGNED, 0, Iommufd.IOMMU_VEVENTQ_FLAG_LOST_EVENTS());
  }

  private VeventQueue events() {
    return VeventQueue.alloc(iommufd, new ViommuId(1), TYPE, 8);
  }

  @Test
  void allEventsAreReadInOrder() {
    try (VeventQueue events = events()) {
      assertThat(events.read()).isEmpty();
      lost(1);
      assertThat(events.read()).extracting(Vevent::lost).containsExactly(true);
      event(2, 16);
      event(3, 16);
      lost(4);
      List<Vevent> read = events.read();
      assertThat(read).extracting(Vevent::sequence).containsExactly(2, 3, 4);
      assertThat(read).extracting(Vevent::lost).containsExactly(false, false, true);
      MemorySegment data = read.get(1).data().orElseThrow();
      assertThat(data.toArray(ValueLayout.JAVA_BYTE)).hasSize(16).containsOnly(3);
      assertThat(events.read()).isEmpty();
    }
  }

  @Test
  void aQueueThatIsClosedHasNoDescriptor() {
    events().close();
    assertThat(closed).containsExactly(Integer.MAX_VALUE);
  }

  @Test
  void eventsThatAreLargerThanTheirTypeAreNotTakenForSeveral() {
    try (VeventQueue events = events()) {
      event(1, 16 + HEAD + 16);
      assertThatThrownBy(events::read)
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }
  }

  @Test
  void eventsThatAreSmallerThanTheirTypeAreNotDropped() {
    try (VeventQueue events = events()) {
      event(1, 12);
      assertThatThrownBy(events::read)
          .isInstanceOf(KernelException.class)
          .hasMessageContaining("the events are smaller than their type says");
    }
  }

  @Test
  void aGroupOfFaultsLargerThanTheRoomIsReadWithMore() {
    long each = iommu_hwpt_pgfault.sizeof();
    try (FaultQueue faults = FaultQueue.alloc(iommufd)) {
      queue.add(new byte[(int) (each * 300)]);
      assertThat(faults.read()).hasSize(300);
      assertThat(rooms).containsExactly(64 * each, 256 * each, 1024 * each);
      queue.add(new byte[(int) (each * 100_000)]);
      assertThatThrownBy(faults::read)
          .isInstanceOfSatisfying(
              KernelException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }
  }
}
