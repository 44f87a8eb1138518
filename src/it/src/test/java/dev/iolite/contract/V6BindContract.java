package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmv6.TsmV6;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** The calls of the profile v6, and what the host reaches of a locked interface there. */
abstract class V6BindContract extends TsmBindContract {
  private static final int READ_WRITE = Libc.PROT_READ() | Libc.PROT_WRITE();
  private static final int MOST_REQUEST_BYTES = 64 << 10;
  private static final int WORD = 0x1234_5678;

  V6BindContract(Backend backend) {
    super(backend, Backend.IVSHMEM, TsmV6.IOMMU_VDEVICE_TSM_OP(), TsmV6.IOMMU_VDEVICE_TSM_REQ());
  }

  @Test
  void theCallsOfTheOtherKernelAreNotThere() {
    // iommufd/main.c:iommufd_fops_ioctl
    MemorySegment any = sized(iommu_vdevice_tsm_req.layout());
    for (int call :
        new int[] {TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), TsmSeed2025.IOMMU_VDEVICE_TSM_REQ()}) {
      fails(Errno.ENOTTY, kernel.ioctl(iommufd, call, any.address()));
    }
  }

  @Test
  void withoutATsmNothingIsBoundAndNothingAsked() {
    // tsm.c:pci_tsm_bind, pci_tsm_guest_req
    disconnect();
    fails(Errno.EINVAL, op(BIND));
    fails(Errno.ENXIO, state(RUN));
  }

  @Test
  void aBindIsBusyWhileADmaBufIsOpenOrMapped() {
    // vfio_pci_tdi.c:vfio_pci_tdi_prepare_lock
    int buf = keep(export(0, ALL));
    succeeds(mapFile(ioas, USUAL, buf, 0, MEMORY_BYTES, IOVA));
    fails(Errno.EBUSY, op(BIND));
    close(buf);
    fails(Errno.EBUSY, op(BIND));
    assertThat(unmapped(ioas, IOVA, MEMORY_BYTES)).isEqualTo(MEMORY_BYTES);
    succeeds(op(BIND));
  }

  @Test
  void aLockedInterfaceHasDmaBufsOfSharedPages() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_cut
    succeeds(op(BIND));
    fails(Errno.EBUSY, export(0, ALL));
    fails(Errno.EBUSY, export(0, SHARED_PAGE, new Piece(3 * PAGE, PAGE)));
    fails(Errno.EBUSY, export(0, new Piece(0, PAGE), new Piece(-PAGE, 2 * PAGE)));
    fails(Errno.EOVERFLOW, export(0, new Piece(-PAGE, 2 * PAGE), new Piece(0, PAGE)));
    int shared = keep(export(0, SHARED_PAGE));
    succeeds(mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
    assertThat(unmapped(ioas, IOVA, PAGE)).isEqualTo(PAGE);
    succeeds(state(UNLOCKED));
    succeeds(mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
    assertThat(unmapped(ioas, IOVA, PAGE)).isEqualTo(PAGE);
    fails(Errno.EBUSY, state(LOCKED));
    close(shared);
    succeeds(state(LOCKED));
  }

  @Test
  void theHostReachesSharedPagesOfALockedInterface() {
    // vfio_pci_core.c:vfio_pci_core_mmap; vfio_pci_rdwr.c:vfio_pci_core_ioread32
    write(device, MEMORY_BAR, 2 * PAGE, 4, WORD);
    succeeds(op(BIND));
    assertThat(read(device, MEMORY_BAR, 2 * PAGE, 4)).isEqualTo(WORD);
    MemorySegment into = zeros(4);
    long bar = offset(MEMORY_BAR);
    fails(Errno.EIO, kernel.pread(device, into.address(), 4, bar));
    int sharing = Libc.MAP_SHARED();
    fails(Errno.EBUSY, mmap(device, PAGE, READ_WRITE, sharing, bar));
    fails(Errno.EBUSY, mmap(device, 2 * PAGE, READ_WRITE, sharing, bar + 2 * PAGE));
    fails(Errno.EBUSY, mmap(device, 2 * PAGE, READ_WRITE, sharing, bar + MEMORY_BYTES - PAGE));
    fails(Errno.EINVAL, mmap(device, PAGE, READ_WRITE, sharing, bar + MEMORY_BYTES));
    long page = mapped(mmap(device, PAGE, READ_WRITE, sharing, bar + 2 * PAGE), PAGE);
    assertThat(registers(page).read(0, 4)).isEqualTo(WORD);
  }

  @Test
  void aMappedBarIsNoReasonNotToBindAndItsSharedPagesStay() {
    // vfio_pci_tdi.c:vfio_pci_tdi_prepare_lock; vfio_pci_core.c:vfio_pci_vmf_insert_pfn
    long bar = offset(MEMORY_BAR);
    long all = mapped(mmap(device, 4 * PAGE, READ_WRITE, Libc.MAP_SHARED(), bar), 4 * PAGE);
    registers(all).write(2 * PAGE, 4, WORD);
    succeeds(op(BIND));
    assertThat(registers(all).read(2 * PAGE, 4)).isEqualTo(WORD);
  }

  @Test
  void aRequestIsOfAnOperationThatTheProposalHas() {
    // iommufd/tsm.c:tsm_req_scope; tsm-sim.c:sim_request
    MemorySegment dma = requestOf(Tsm.IOMMU_VDEVICE_TSM_SEV_DISABLE_DMA(), MemorySegment.NULL, 0);
    answers(Errno.ENXIO, 0, dma);
    succeeds(op(BIND));
    answers(Errno.EINVAL, 22, dma);
    answers(Errno.EINVAL, 0, requestOf(0, MemorySegment.NULL, 0));
    answers(Errno.EINVAL, 0, reportOf(4096));
    answers(
        Errno.EINVAL,
        0,
        requestOf(TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS(), zeros(32), 4096));
    MemorySegment other = requestOf(Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE(), zeros(4), 0);
    iommu_vdevice_tsm_req.tvm_arch(other, 4);
    answers(Errno.EINVAL, 0, other);
    iommu_vdevice_tsm_req.tvm_arch(other, Tsm.IOMMU_VDEVICE_TSM_ARCH_SEV());
    assertThat(request(other)).as("a TSM in software takes all").isZero();
    iommu_vdevice_tsm_req.vdevice_id(other, NO_OBJECT);
    answers(Errno.ENOENT, -1, other);
  }

  @Test
  void aRequestIsReadBeforeTheInterfaceIsLookedAt() {
    // iommufd/tsm.c:tsm_req
    MemorySegment run = requestOf(Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE(), zeros(4), 0);
    iommu_vdevice_tsm_req.req_len(run, MOST_REQUEST_BYTES + 1);
    answers(Errno.E2BIG, 0, run);
    iommu_vdevice_tsm_req.req_len(run, 4);
    iommu_vdevice_tsm_req.resp_len(run, Integer.MIN_VALUE);
    answers(Errno.E2BIG, 0, run);
    iommu_vdevice_tsm_req.resp_len(run, 0);
    iommu_vdevice_tsm_req.req_uptr(run, NOWHERE);
    answers(Errno.EFAULT, 0, run);
    succeeds(op(BIND));
    answers(Errno.EINVAL, 22, requestOf(Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE(), zeros(3), 0));
  }

  @Test
  void theResidueIsOfTheAnswersRoomOrElseOfTheRequest() {
    // tsm-sim.c:sim_request
    succeeds(op(BIND));
    MemorySegment run = zeros(12);
    run.set(ValueLayout.JAVA_INT, 0, RUN);
    int setState = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
    assertThat(request(requestOf(setState, run, 0))).as("not taken of 12 bytes").isEqualTo(8);
    assertThat(request(requestOf(setState, zeros(4), 100))).as("of the room").isEqualTo(100);
  }

  @Test
  void anInterfaceGoesThroughItsStates() {
    // tsm-sim.c:sim_set_state, sim_lock, sim_start
    succeeds(op(BIND));
    fails(Errno.EBUSY, state(LOCKED));
    fails(Errno.EINVAL, state(3));
    succeeds(state(RUN));
    fails(Errno.EIO, state(RUN));
    fails(Errno.EBUSY, state(LOCKED));
    succeeds(state(UNLOCKED));
    fails(Errno.EIO, state(RUN));
    succeeds(state(LOCKED));
    succeeds(state(RUN));
  }

  @Test
  void memoryDecodeOffIsAnErrorThatOnlyAStopOrAnUnbindEnds() {
    // vfio_pci_tdi.c:vfio_pci_tdi_disturb; tsm-sim.c:sim_state
    succeeds(op(BIND));
    setCommand(device, MASTER);
    setCommand(device, MEMORY | MASTER);
    fails(Errno.EIO, validate(GPA, GPA + PAGE, barStart()));
    fails(Errno.EIO, state(RUN));
    fails(Errno.EBUSY, state(LOCKED));
    keep(export(0, ALL));
    assertThat(bound()).isEqualTo("tsm0");
    succeeds(state(UNLOCKED));
  }

  @Test
  void aDestroyedVdeviceIsUnbound() {
    // viommu.c:iommufd_vdevice_abort
    succeeds(op(BIND));
    succeeds(destroy(vdevice));
    assertThat(bound()).isEmpty();
    fails(Errno.ENOENT, op(UNBIND));
  }
}
