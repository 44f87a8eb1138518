package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.iommufd.FaultQueue;
import dev.iolite.iommufd.HwInfo;
import dev.iolite.iommufd.Hwpt;
import dev.iolite.iommufd.HwptFlag;
import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.iommufd.IovaRange;
import dev.iolite.iommufd.PageResponse;
import dev.iolite.iommufd.PageTableData;
import dev.iolite.iommufd.VfioIoas;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.IoasId;
import dev.iolite.kernel.MemFd;
import dev.iolite.vfio.BoundVfioDevice;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Calls of an iommufd through the client's classes, as far as the lab's IOMMU does them. */
abstract class ClientIommufdContract extends ClientContract {
  ClientIommufdContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @Test
  void anIoasStandsInForAContainersAddressSpace() {
    // vfio_compat.c:iommufd_vfio_ioas
    Iommufd client = client();
    VfioIoas standIn = client.vfioIoas();
    assertThat(standIn.get()).isEmpty();
    Ioas ioas = push(client.allocIoas());
    standIn.set(ioas.id());
    assertThat(standIn.get()).contains(ioas.id());
    standIn.clear();
    assertThat(standIn.get()).isEmpty();
    refuses(Errno.ENOENT, () -> standIn.set(new IoasId(ioas.id().value() + 1)));
  }

  @Test
  void onlyFilesChangeTheirProcess() {
    // ioas.c:iommufd_ioas_change_process
    Iommufd client = client();
    Ioas ioas = push(client.allocIoas());
    client.changeProcess();
    try (MemFd file = MemFd.create(kernel, "contract", PAGE)) {
      ioas.mapFile(0, file.fd(), 0, PAGE, IovaAccess.READ);
      client.changeProcess();
      IovaMapping memory = ioas.mapAnywhere(pages(1).segment(), IovaAccess.READ);
      refuses(Errno.EINVAL, client::changeProcess);
      memory.close();
      client.changeProcess();
    }
  }

  @Test
  void allThatIsMappedIsUnmappedAtOnce() {
    // ioas.c:iommufd_ioas_unmap: iopt_unmap_all
    Ioas ioas = push(client().allocIoas());
    ioas.map(0, pages(1).segment(), IovaAccess.READ_WRITE);
    ioas.map(4 * PAGE, pages(2).segment(), IovaAccess.READ);
    assertThat(ioas.unmapAll()).isEqualTo(3 * PAGE);
    assertThat(ioas.unmapAll()).as("nothing is").isZero();
  }

  @Test
  void aDeviceWithAnIommuHasNoPhysicalAddresses() {
    // io_pagetable.c:iopt_get_phys
    Iommufd client = client();
    Ioas ioas = push(client.allocIoas());
    refuses(Errno.ENOENT, () -> ioas.physical(new IovaRange(0, 0)));
    ioas.map(0, pages(1).segment(), IovaAccess.READ_WRITE);
    refuses(Errno.EOPNOTSUPP, () -> ioas.physical(new IovaRange(0, 0)));
  }

  @Test
  void aQueueWithoutFaultsIsEmptyAndTakesNoAnswer() {
    // eventq.c:iommufd_fault_fops_read, iommufd_fault_fops_write
    FaultQueue faults = push(client().allocFaultQueue());
    assertThat(faults.read()).isEmpty();
    refuses(Errno.EINVAL, () -> faults.respond(0, PageResponse.SUCCESS));
  }

  @Test
  void theLabsIommuNeitherTracksNorNests() {
    // hw_pagetable.c:iommufd_hwpt_paging_alloc, iommufd_hwpt_nested_alloc; intel/iommu.c
    Iommufd client = client();
    BoundVfioDevice device = bound(client);
    Ioas ioas = push(client.allocIoas());
    ioas.map(0, pages(1).segment(), IovaAccess.READ_WRITE);
    Hwpt plain = push(client.allocHwpt(device.deviceId(), ioas, Set.of()).orElseThrow());
    refuses(Errno.EOPNOTSUPP, () -> plain.setDirtyTracking(true));
    DirtyBitmap dirty = push(new DirtyBitmap(0, PAGE, PAGE));
    refuses(Errno.EOPNOTSUPP, () -> plain.takeDirty(dirty));
    refuses(Errno.EOPNOTSUPP, () -> plain.peekDirty(dirty));
    assertThat(client.allocHwpt(device.deviceId(), ioas, Set.of(HwptFlag.DIRTY_TRACKING)))
        .isEmpty();
    refuses(
        Errno.EINVAL,
        () ->
            client.allocNested(
                device.deviceId(),
                plain,
                Set.of(),
                new PageTableData.VtdStage1(0, 0, 48),
                Optional.empty()));
  }

  @Test
  void theHardwareIsToldInTheFormThatIsAskedFor() {
    // intel/iommu.c:intel_iommu_hw_info
    Iommufd client = client();
    BoundVfioDevice device = bound(client);
    HwInfo vtd = client.hwInfo(device.deviceId());
    int type = dev.iolite.uapi.iommufd.Iommufd.IOMMU_HW_INFO_TYPE_INTEL_VTD();
    assertThat(client.hwInfo(device.deviceId(), type)).isEqualTo(vtd);
    int other = dev.iolite.uapi.iommufd.Iommufd.IOMMU_HW_INFO_TYPE_AMD();
    refuses(Errno.EOPNOTSUPP, () -> client.hwInfo(device.deviceId(), other));
  }
}
