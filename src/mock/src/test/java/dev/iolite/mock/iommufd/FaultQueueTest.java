package dev.iolite.mock.iommufd;

import static dev.iolite.mock.iommufd.Machine.hwptOf;
import static dev.iolite.mock.iommufd.Machine.sized;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.mock.core.IommuDevice.PageRequest;
import dev.iolite.mock.core.IommuDeviceGroup;
import dev.iolite.mock.core.IommufdContext.BoundDevice;
import dev.iolite.mock.core.OpenFile;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_fault_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_hwpt_page_response;
import dev.iolite.uapi.iommufd.iommu_hwpt_pgfault;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Page requests on their way to user space and back. */
class FaultQueueTest {
  private static final long REQUEST = iommu_hwpt_pgfault.sizeof();
  private static final long RESPONSE = iommu_hwpt_page_response.sizeof();

  private final Machine machine = new Machine(VtdIommu.scalable());
  private final PretendDevice device =
      new PretendDevice("asks", new IommuDeviceGroup(1, true), 0, true);
  private final BoundDevice bound = machine.bind(device);
  private final int ioas = machine.ioas();
  private final MemorySegment queue = queue();
  private final OpenFile file =
      machine.task().descriptors().get(iommu_fault_alloc.out_fault_fd(queue));
  private final int hwpt = hwpt();
  private final MemorySegment buffer = Arena.ofAuto().allocate(4 * REQUEST, 8);
  private final List<Boolean> answers = new ArrayList<>();

  private MemorySegment queue() {
    MemorySegment alloc = sized(iommu_fault_alloc.layout());
    machine.succeeds(IommufdIoctls.IOMMU_FAULT_QUEUE_ALLOC, alloc);
    return alloc;
  }

  private int hwpt() {
    MemorySegment alloc = hwptOf(Iommufd.IOMMU_HWPT_FAULT_ID_VALID(), bound.id(), ioas);
    iommu_hwpt_alloc.fault_id(alloc, iommu_fault_alloc.out_fault_id(queue));
    machine.succeeds(IommufdIoctls.IOMMU_HWPT_ALLOC, alloc);
    return iommu_hwpt_alloc.out_hwpt_id(alloc);
  }

  private void ask(long... addresses) {
    List<PageRequest> requests = new ArrayList<>();
    for (long address : addresses) {
      requests.add(new PageRequest(0, 0, 5, Iommufd.IOMMU_PGFAULT_PERM_READ(), address));
    }
    machine.call(() -> {
      device.dma().requestPages(requests, answers::add);
      return 0;
    });
  }

  private long read(long bytes) {
    return machine.call(() -> file.read(buffer.address(), bytes));
  }

  private MemorySegment answerOf(int cookie, int code) {
    MemorySegment response = Arena.ofAuto().allocate(RESPONSE, 8);
    iommu_hwpt_page_response.cookie(response, cookie);
    iommu_hwpt_page_response.code(response, code);
    return response;
  }

  private void attach() {
    machine.call(() -> bound.attach(hwpt));
  }

  @Test
  void requestsAreReadAndAnsweredByTheirCookie() {
    attach();
    assertThat(file.poll()).isEqualTo(Libc.POLLOUT());
    assertThat(read(REQUEST)).isZero();
    ask(0x1000, 0x2000);
    ask(0x3000);
    assertThat(file.poll()).isEqualTo(Libc.POLLOUT() | Libc.POLLIN());
    assertThat(machine.refusal(() -> file.read(buffer.address(), REQUEST)))
        .as("a group of two")
        .contains(Errno.EINVAL);
    assertThat(machine.refusal(() -> file.read(buffer.address(), 1))).contains(Errno.ESPIPE);
    assertThat(machine.refusal(() -> file.read(0x1000, 2 * REQUEST))).contains(Errno.EFAULT);
    assertThat(read(4 * REQUEST)).isEqualTo(3 * REQUEST);
    assertThat(iommu_hwpt_pgfault.dev_id(buffer)).isEqualTo(bound.id());
    assertThat(iommu_hwpt_pgfault.addr(buffer.asSlice(REQUEST))).isEqualTo(0x2000);
    assertThat(iommu_hwpt_pgfault.cookie(buffer)).isEqualTo(1);
    assertThat(iommu_hwpt_pgfault.cookie(buffer.asSlice(2 * REQUEST))).isEqualTo(2);

    MemorySegment second = answerOf(2, Iommufd.IOMMUFD_PAGE_RESP_SUCCESS());
    assertThat(machine.<Long>call(() -> file.write(second.address(), RESPONSE)))
        .isEqualTo(RESPONSE);
    assertThat(machine.refusal(() -> file.write(second.address(), RESPONSE)))
        .contains(Errno.EINVAL);
    MemorySegment unknown = answerOf(1, 4711);
    assertThat(machine.refusal(() -> file.write(unknown.address(), RESPONSE)))
        .contains(Errno.EINVAL);
    assertThat(answers).containsExactly(true);
  }

  @Test
  void whatIsLeftIsRefusedWhenTheDeviceIsDetached() {
    attach();
    ask(0x1000);
    assertThat(read(REQUEST)).isEqualTo(REQUEST);
    ask(0x2000);
    machine.call(() -> {
      bound.detach();
      return 0;
    });
    assertThat(answers).containsExactly(false, false);
    assertThat(read(REQUEST)).isZero();
  }

  @Test
  void aDeviceThatAsksForNothingIsNotAttached() {
    BoundDevice silent = machine.bind(PretendDevice.alone());
    assertThat(machine.refusal(() -> silent.attach(hwpt))).contains(Errno.ENODEV);
  }

  @Test
  void theQueueStaysWhileItsFileOrAPageTableNeedsIt() {
    int id = iommu_fault_alloc.out_fault_id(queue);
    machine.failsToDestroy(Errno.EBUSY, id);
    machine.call(() -> {
      machine.task().descriptors().close(iommu_fault_alloc.out_fault_fd(queue));
      return 0;
    });
    machine.failsToDestroy(Errno.EBUSY, id);
    machine.destroy(hwpt);
    machine.destroy(id);
  }

  @Test
  void withoutAQueueEveryRequestIsRefused() {
    machine.call(() -> bound.attach(ioas));
    ask(0x1000);
    assertThat(answers).containsExactly(false);
  }
}
