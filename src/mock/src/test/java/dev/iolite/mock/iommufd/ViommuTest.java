package dev.iolite.mock.iommufd;

import static dev.iolite.mock.iommufd.Machine.FIXED;
import static dev.iolite.mock.iommufd.Machine.PAGE;
import static dev.iolite.mock.iommufd.Machine.USUAL;
import static dev.iolite.mock.iommufd.Machine.WRITE;
import static dev.iolite.mock.iommufd.Machine.sized;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommufdContext.BoundDevice;
import dev.iolite.mock.core.Memory;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hw_queue_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_unmap;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_veventq_alloc;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.iommufd.iommufd_vevent_header;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** vIOMMUs of a platform that has a type of them, their devices, events and queues. */
class ViommuTest {
  private static final int TYPE = 2;
  private static final int EVENTS = 1;

  private final List<IommufdViommu> made = new ArrayList<>();
  private final List<String> told = new ArrayList<>();
  private final Machine machine =
      new Machine(
          new IommuWithViommus(
              VtdIommu.scalable(),
              Map.of(
                  TYPE,
                  (viommu, _, _) -> {
                    made.add(viommu);
                    return ops();
                  })));
  private final BoundDevice device = machine.bind(PretendDevice.alone());
  private final int ioas = machine.ioas();
  private final int parent =
      machine.hwpt(Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT(), device.id(), ioas);

  private ViommuOps ops() {
    return new ViommuOps() {
      @Override
      public void destroy() {
        told.add("destroyed");
      }

      @Override
      public void initVdevice(IommufdVdevice vdevice) {
        told.add("joined " + vdevice.virtualId());
      }

      @Override
      public void destroyVdevice(IommufdVdevice vdevice) {
        told.add("left " + vdevice.virtualId());
      }

      @Override
      public boolean hasHwQueues(int type) {
        return type == 1;
      }

      @Override
      public void initHwQueue(HwQueue queue, int index, Memory memory) {
        MemorySegment word = MemorySegment.ofArray(new long[1]);
        memory.read(8, word);
        told.add("queue " + index + " holds " + word.get(ValueLayout.JAVA_LONG, 0));
      }
    };
  }

  private MemorySegment viommuOf(int type, int hwpt) {
    MemorySegment alloc = sized(iommu_viommu_alloc.layout());
    iommu_viommu_alloc.type(alloc, type);
    iommu_viommu_alloc.dev_id(alloc, device.id());
    iommu_viommu_alloc.hwpt_id(alloc, hwpt);
    return alloc;
  }

  private int viommu() {
    MemorySegment alloc = viommuOf(TYPE, parent);
    machine.succeeds(IommufdIoctls.IOMMU_VIOMMU_ALLOC, alloc);
    return iommu_viommu_alloc.out_viommu_id(alloc);
  }

  private static MemorySegment vdeviceOf(int viommu, BoundDevice of, long virtualId) {
    MemorySegment alloc = sized(iommu_vdevice_alloc.layout());
    iommu_vdevice_alloc.viommu_id(alloc, viommu);
    iommu_vdevice_alloc.dev_id(alloc, of.id());
    iommu_vdevice_alloc.virt_id(alloc, virtualId);
    return alloc;
  }

  private int vdevice(int viommu, long virtualId) {
    MemorySegment alloc = vdeviceOf(viommu, device, virtualId);
    machine.succeeds(IommufdIoctls.IOMMU_VDEVICE_ALLOC, alloc);
    return iommu_vdevice_alloc.out_vdevice_id(alloc);
  }

  @Test
  void theTypeIsLookedAtBeforeTheHwptAndThatMustBeANestParent() {
    int plain = machine.hwpt(0, device.id(), ioas);
    machine.fails(Errno.EOPNOTSUPP, IommufdIoctls.IOMMU_VIOMMU_ALLOC, viommuOf(1, 4711));
    machine.fails(Errno.ENOENT, IommufdIoctls.IOMMU_VIOMMU_ALLOC, viommuOf(TYPE, 4711));
    machine.fails(Errno.EINVAL, IommufdIoctls.IOMMU_VIOMMU_ALLOC, viommuOf(TYPE, plain));
  }

  @Test
  void aViommuKeepsItsParentAndIsKeptByItsDevices() {
    int viommu = viommu();
    machine.failsToDestroy(Errno.EBUSY, parent);
    int vdevice = vdevice(viommu, 0x10);
    machine.failsToDestroy(Errno.EBUSY, viommu);
    machine.destroy(vdevice);
    machine.destroy(viommu);
    machine.destroy(parent);
    assertThat(told).containsExactly("joined 16", "left 16", "destroyed");
  }

  @Test
  void aDeviceJoinsOnceAndAnIdIsTakenOnce() {
    int viommu = viommu();
    vdevice(viommu, 0x10);
    BoundDevice other = machine.bind(PretendDevice.alone());
    machine.fails(Errno.EEXIST, IommufdIoctls.IOMMU_VDEVICE_ALLOC, vdeviceOf(viommu, device, 0x20));
    machine.fails(Errno.EEXIST, IommufdIoctls.IOMMU_VDEVICE_ALLOC, vdeviceOf(viommu, other, 0x10));
    assertThat(made.getFirst().device(0x10)).isPresent();
    assertThat(made.getFirst().device(0x20)).isEmpty();
  }

  @Test
  void anUnboundDeviceTakesItsVdeviceWithItAndTheIdIsNotGivenAgain() {
    int viommu = viommu();
    int vdevice = vdevice(viommu, 0x10);
    int gone = device.id();
    machine.call(() -> {
      device.unbind();
      return 0;
    });
    assertThat(told).contains("left 16");
    machine.failsToDestroy(Errno.ENOENT, vdevice);
    machine.failsToDestroy(Errno.ENOENT, gone);
    assertThat(machine.ioas()).isEqualTo(gone);
    assertThat(machine.ioas()).isGreaterThan(vdevice);
    machine.destroy(viommu);
  }

  private OpenFile events(int viommu, int depth) {
    MemorySegment alloc = sized(iommu_veventq_alloc.layout());
    iommu_veventq_alloc.viommu_id(alloc, viommu);
    iommu_veventq_alloc.type(alloc, EVENTS);
    iommu_veventq_alloc.veventq_depth(alloc, depth);
    machine.succeeds(IommufdIoctls.IOMMU_VEVENTQ_ALLOC, alloc);
    machine.fails(Errno.EEXIST, IommufdIoctls.IOMMU_VEVENTQ_ALLOC, alloc);
    machine.failsToDestroy(Errno.EBUSY, iommu_veventq_alloc.out_veventq_id(alloc));
    return machine.task().descriptors().get(iommu_veventq_alloc.out_veventq_fd(alloc));
  }

  private boolean report(int type, byte[] data) {
    return machine.call(() -> made.getFirst().report(type, data));
  }

  @Test
  void eventsAreReadInOrderAndLostOnesAreCounted() {
    OpenFile file = events(viommu(), 2);
    MemorySegment buffer = Arena.ofAuto().allocate(64, 8);
    assertThat(machine.<Long>call(() -> file.read(buffer.address(), 64))).isZero();
    assertThat(file.poll()).isZero();
    for (int i = 0; i < 4; i++) {
      byte[] data = new byte[8];
      data[0] = (byte) (10 + i);
      assertThat(report(EVENTS, data)).isTrue();
    }
    assertThat(report(EVENTS + 1, new byte[8])).isFalse();
    assertThat(file.poll()).isEqualTo(Libc.POLLIN());
    assertThat(machine.refusal(() -> file.read(buffer.address(), 7))).contains(Errno.EINVAL);
    assertThat(machine.refusal(() -> file.read(buffer.address(), 15))).contains(Errno.EINVAL);
    assertThat(machine.<Long>call(() -> file.read(buffer.address(), 31))).isEqualTo(16);
    assertThat(buffer.get(ValueLayout.JAVA_BYTE, 8)).isEqualTo((byte) 10);
    assertThat(machine.<Long>call(() -> file.read(buffer.address(), 64))).isEqualTo(24);
    assertThat(buffer.get(ValueLayout.JAVA_BYTE, 8)).isEqualTo((byte) 11);
    MemorySegment lost = buffer.asSlice(16);
    assertThat(iommufd_vevent_header.flags(lost))
        .isEqualTo(Iommufd.IOMMU_VEVENTQ_FLAG_LOST_EVENTS());
    assertThat(iommufd_vevent_header.sequence(lost)).isEqualTo(3);
    assertThat(machine.<Long>call(() -> file.read(buffer.address(), 64))).isZero();
  }

  private MemorySegment queueOf(int viommu, int type, long iova, long bytes) {
    MemorySegment alloc = sized(iommu_hw_queue_alloc.layout());
    iommu_hw_queue_alloc.viommu_id(alloc, viommu);
    iommu_hw_queue_alloc.type(alloc, type);
    iommu_hw_queue_alloc.nesting_parent_iova(alloc, iova);
    iommu_hw_queue_alloc.length(alloc, bytes);
    return alloc;
  }

  @Test
  void aHardwareQueueLocksItsMemory() {
    long ram = machine.ram(2 * PAGE);
    machine.map(ioas, USUAL, ram, 2 * PAGE, 0x10000);
    machine.task().user().write(ram + 0x108, MemorySegment.ofArray(new long[] {4711}));
    int viommu = viommu();
    machine.fails(
        Errno.EOPNOTSUPP, IommufdIoctls.IOMMU_HW_QUEUE_ALLOC, queueOf(viommu, 2, 0x10000, 8));
    machine.fails(Errno.ENOENT, IommufdIoctls.IOMMU_HW_QUEUE_ALLOC, queueOf(viommu, 1, 0x12000, 8));
    machine.fails(
        Errno.ENOENT, IommufdIoctls.IOMMU_HW_QUEUE_ALLOC, queueOf(viommu, 1, 0x11000, 0x2000));
    MemorySegment alloc = queueOf(viommu, 1, 0x10100, PAGE);
    machine.succeeds(IommufdIoctls.IOMMU_HW_QUEUE_ALLOC, alloc);
    assertThat(told).containsExactly("queue 0 holds 4711");
    MemorySegment unmap = sized(iommu_ioas_unmap.layout());
    iommu_ioas_unmap.ioas_id(unmap, ioas);
    iommu_ioas_unmap.length(unmap, -1);
    machine.fails(Errno.EBUSY, IommufdIoctls.IOMMU_IOAS_UNMAP, unmap);
    machine.destroy(iommu_hw_queue_alloc.out_hw_queue_id(alloc));
    machine.succeeds(IommufdIoctls.IOMMU_IOAS_UNMAP, unmap);
  }

  @Test
  void aHardwareQueueMustBeReadable() {
    machine.map(ioas, FIXED | WRITE, machine.ram(PAGE), PAGE, 0x10000);
    machine.fails(
        Errno.EPERM, IommufdIoctls.IOMMU_HW_QUEUE_ALLOC, queueOf(viommu(), 1, 0x10000, 8));
    machine.unmap(ioas, 0x10000, PAGE);
  }

  @Test
  void everythingGoesWithTheContext() {
    vdevice(viommu(), 0x10);
    machine.call(() -> {
      device.unbind();
      return 0;
    });
    machine.closeIommufd();
    assertThat(told).endsWith("left 16", "destroyed");
  }
}
