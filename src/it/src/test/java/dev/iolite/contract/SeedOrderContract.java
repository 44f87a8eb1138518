package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_FEATURE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_validate_mmio;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.vfio_device_feature_dma_buf_runs;
import dev.iolite.uapi.vfio.Vfio;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** What is checked before what, and what else random programs have shown of the private half. */
abstract class SeedOrderContract extends SeedContract {
  private static final int SEV_ENABLE_DMA = Tsm.IOMMU_VDEVICE_TSM_SEV_ENABLE_DMA();
  private static final int MOST_REQUEST_BYTES = 64 << 10;
  private static final int ROM = 6;

  SeedOrderContract(Backend backend) {
    super(backend);
  }

  @Test
  void aVirtualIdOfMoreThan32BitsIsRefusedFirst() {
    // iommufd/tsm.c:tsm_bind
    succeeds(destroy(vdevice));
    vdevice = vdevice(1L << 32);
    keep(export(SHARED, ALL));
    fails(Errno.EINVAL, op(BIND));
    succeeds(op(UNBIND));
  }

  @Test
  void aRequestHasACodeOnlyIfTheTsmWasReached() {
    // iommufd/tsm.c:iommufd_vdevice_tsm_req_ioctl; tsm-sim.c:sim_guest_req
    answers(Errno.ENXIO, 0, reportOf(4096));
    MemorySegment dma = requestOf(SEV_ENABLE_DMA, MemorySegment.NULL, 0);
    answers(Errno.ENXIO, 0, dma);
    answers(Errno.EINVAL, 0, requestOf(7, MemorySegment.NULL, 0));
    succeeds(op(BIND));
    answers(Errno.EINVAL, 22, dma);
    MemorySegment nobodys = reportOf(4096);
    iommu_vdevice_tsm_req.vdevice_id(nobodys, NO_OBJECT);
    answers(Errno.ENOENT, -1, nobodys);
  }

  @Test
  void aRequestIsReadBeforeTheInterfaceIsLookedAt() {
    // iommufd/tsm.c:tsm_req
    MemorySegment large = reportOf(4096);
    iommu_vdevice_tsm_req.req_len(large, MOST_REQUEST_BYTES + 1);
    answers(Errno.E2BIG, 0, large);
    MemorySegment roomy = reportOf(4096);
    iommu_vdevice_tsm_req.resp_len(roomy, Integer.MIN_VALUE);
    answers(Errno.E2BIG, 0, roomy);
    MemorySegment nowhere = reportOf(4096);
    iommu_vdevice_tsm_req.req_len(nowhere, 4);
    iommu_vdevice_tsm_req.req_uptr(nowhere, NOWHERE);
    answers(Errno.EFAULT, 0, nowhere);
    iommu_vdevice_tsm_req.op(nowhere, 7);
    answers(Errno.EINVAL, 0, nowhere);
  }

  @Test
  void measurementsAreADigestMadeOfTheIds() {
    // tsm-sim.c:sim_measure
    succeeds(op(BIND));
    int room = 4096;
    int measure = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();
    MemorySegment request = requestOf(measure, zeros(32), room);
    int bytes = 8 + 7 + 32 + 32 + 2;
    assertThat(request(request)).isEqualTo(room - bytes);
    MemorySegment message = at(iommu_vdevice_tsm_req.resp_uptr(request), room);
    assertThat(message.get(ValueLayout.JAVA_INT, 4)).isEqualTo(39 << 8 | 1);
    assertThat(message.get(ValueLayout.JAVA_INT_UNALIGNED, 15)).isEqualTo(0x1110_1af4);
    answers(Errno.ENOSPC, 28, requestOf(measure, zeros(32), bytes - 1));
    answers(Errno.EINVAL, 22, requestOf(measure, zeros(31), room));
  }

  @Test
  void unlockingWhatIsUnlockedRevokesAllTheSame() {
    // tsm-sim.c:sim_stop; vfio_pci_tdi.c:vfio_pci_tdi_leave
    succeeds(op(BIND));
    succeeds(state(UNLOCKED));
    int shared = keep(export(SHARED, ALL));
    succeeds(state(UNLOCKED));
    fails(Errno.ENODEV, mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
    succeeds(state(LOCKED));
  }

  @Test
  void aRangeOfHalfTheAddressesIsRefusedAfterTheState() {
    // tsm-sim.c:sim_validate
    MemorySegment asked = struct(iommu_vdevice_tsm_validate_mmio.layout());
    iommu_vdevice_tsm_validate_mmio.gpa_top(asked, Long.MIN_VALUE);
    MemorySegment request = requestOf(Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO(), asked, 0);
    succeeds(op(BIND));
    fails(Errno.EINVAL, request(request));
    succeeds(state(UNLOCKED));
    fails(Errno.EIO, request(request));
  }

  @Test
  void aRangeThatWrapsIsRefusedBeforeOneBeyondTheBar() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_cut before vfio_pci_core_fill_phys_vec
    Piece beyond = new Piece(MEMORY_BYTES, PAGE);
    Piece wraps = new Piece(-PAGE, 2 * PAGE);
    fails(Errno.EINVAL, export(0, beyond));
    fails(Errno.EOVERFLOW, export(0, beyond, wraps));
    fails(Errno.EOVERFLOW, export(SHARED, wraps, beyond));
  }

  @Test
  void whatCanNotBeMappedIsInvalidEvenOfALockedInterface() {
    // vfio_pci_core.c:vfio_pci_core_mmap
    succeeds(op(BIND));
    int protection = Libc.PROT_READ();
    int sharing = Libc.MAP_SHARED();
    fails(Errno.EINVAL, mmap(device, PAGE, protection, sharing, offset(ROM)));
    fails(Errno.EINVAL, mmap(device, PAGE, protection, sharing, offset(1)));
    fails(Errno.EBUSY, mmap(device, PAGE, protection, sharing, offset(MEMORY_BAR)));
    long beyond = offset(MEMORY_BAR) + MEMORY_BYTES;
    fails(Errno.EBUSY, mmap(device, PAGE, protection, sharing, beyond));
    // mm/mmap.c:file_mmap_ok
    fails(Errno.EOVERFLOW, mmap(device, PAGE, protection, sharing, -PAGE));
  }

  @Test
  void theHostReachesAnInterfaceInError() {
    // vfio_pci_tdi.c:vfio_pci_tdi_private
    write(device, MEMORY_BAR, 0, 4, 0x1234_5678);
    succeeds(op(BIND));
    MemorySegment into = zeros(4);
    fails(Errno.EIO, kernel.pread(device, into.address(), 4, offset(MEMORY_BAR)));
    setCommand(device, MEMORY);
    assertThat(read(device, MEMORY_BAR, 0, 4)).isEqualTo(0x1234_5678);
    int protection = Libc.PROT_READ() | Libc.PROT_WRITE();
    long bar = offset(MEMORY_BAR);
    mapped(mmap(device, PAGE, protection, Libc.MAP_SHARED(), bar), PAGE);
  }

  @Test
  void aWriteOfNothingConnectsNothing() {
    // fs/sysfs/file.c:sysfs_kf_write
    disconnect();
    int connect = keep(kernel.open(file("tsm/connect"), Libc.O_WRONLY() | Libc.O_CLOEXEC()));
    assertThat(kernel.write(connect, zeros(8).address(), 0)).isZero();
    assertThat(sysfs.read(file("tsm/connect")).strip()).isEmpty();
  }

  @Test
  void registersOfTheSmallBarAreZeroButForTwo() {
    // QEMU, hw/misc/ivshmem-pci.c:ivshmem_io_read
    write(device, 0, 0x98, 4, 3);
    assertThat(read(device, 0, 0x98, 4)).isZero();
    write(device, 0, 0, 4, 5);
    assertThat(read(device, 0, 0, 4)).isEqualTo(5);
    write(device, 0, 0, 4, 0);
  }

  private MemorySegment runsOf(int buf, int room) {
    int get = Vfio.VFIO_DEVICE_FEATURE_GET() | TsmSeed2025.VFIO_DEVICE_FEATURE_DMA_BUF_RUNS();
    long head = vfio_device_feature_dma_buf_runs.sizeof();
    MemorySegment feature = featureOf(get, (int) head + room * 24);
    MemorySegment asked = feature.asSlice(8);
    vfio_device_feature_dma_buf_runs.dmabuf_fd(asked, buf);
    vfio_device_feature_dma_buf_runs.nr_runs(asked, room);
    return feature;
  }

  private int runs(MemorySegment feature) {
    return ioctl(device, VFIO_DEVICE_FEATURE, feature);
  }

  @Test
  void aDeviceTellsTheRunsOfItsDmaBufs() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf_runs
    succeeds(op(BIND));
    int hidden = keep(export(PRIVATE, ALL));
    MemorySegment enough = runsOf(hidden, 2);
    succeeds(runs(enough));
    MemorySegment told = enough.asSlice(8);
    assertThat(vfio_device_feature_dma_buf_runs.nr_runs(told)).isEqualTo(2);
    assertThat(vfio_device_feature_dma_buf_runs.region_index(told)).isEqualTo(MEMORY_BAR);
    assertThat(vfio_device_feature_dma_buf_runs.flags(told)).isEqualTo(PRIVATE);
    long second = vfio_device_feature_dma_buf_runs.sizeof() + 24;
    assertThat(told.get(ValueLayout.JAVA_LONG, second)).isEqualTo(3 * PAGE);
    assertThat(told.get(ValueLayout.JAVA_LONG, second + 8)).isEqualTo(2 * PAGE);
    MemorySegment tooLittle = runsOf(hidden, 1);
    fails(Errno.EMSGSIZE, runs(tooLittle));
    assertThat(vfio_device_feature_dma_buf_runs.nr_runs(tooLittle.asSlice(8))).isEqualTo(2);
    fails(Errno.EBADF, runs(runsOf(999, 2)));
    fails(Errno.EINVAL, runs(runsOf(iommufd, 2)));
    succeeds(op(UNBIND));
    succeeds(runs(runsOf(hidden, 2)));
  }

  @Test
  void aDmaBufOfAClosedDeviceIsNoneOfTheDevicesAnyMore() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_cleanup
    int shared = keep(export(SHARED, ALL));
    close(list);
    close(device);
    device = cdev();
    bind(device);
    fails(Errno.EINVAL, runs(runsOf(shared, 2)));
  }
}
