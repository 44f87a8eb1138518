package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_IOEVENTFD;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_get_runs;
import dev.iolite.uapi.tsmseed2025.vfio_dma_buf_run;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_ioeventfd;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The bind of an interface, what may be exported of its BAR when, and the requests to the TSM. */
abstract class SeedBindContract extends TsmBindContract {
  private static final int VALUE = 0x600d;

  SeedBindContract(Backend backend) {
    super(backend);
  }

  @Test
  void aBindIsBusyWhileADmaBufIsOpen() {
    // vfio_pci_tdi.c:prepare_lock
    int buf = keep(export(SHARED, ALL));
    fails(Errno.EBUSY, op(BIND));
    close(buf);
    succeeds(op(BIND));
  }

  @Test
  void aBindIsBusyWhileADmaBufWithoutAKindIsOpen() {
    // vfio_pci_tdi.c:prepare_lock; also while memory decode has revoked it for the time being
    int buf = keep(export(0, ALL));
    fails(Errno.EBUSY, op(BIND));
    setCommand(device, 0);
    fails(Errno.EBUSY, op(BIND));
    close(buf);
    succeeds(op(BIND));
  }

  @Test
  void aBindIsBusyWhileASlotOrAMapHasTheDmaBuf() {
    // vfio_pci_tdi.c:prepare_lock: slot and map keep the dma-buf
    int buf = keep(export(SHARED, ALL));
    succeeds(slot(1, DMABUF, GPA, MEMORY_BYTES, buf, 0));
    succeeds(mapFile(ioas, USUAL, buf, 0, MEMORY_BYTES, IOVA));
    close(buf);
    fails(Errno.EBUSY, op(BIND));
    succeeds(deleteSlot(1));
    fails(Errno.EBUSY, op(BIND));
    assertThat(unmapped(ioas, IOVA, MEMORY_BYTES)).isEqualTo(MEMORY_BYTES);
    succeeds(op(BIND));
  }

  @Test
  void anEventfdDoesNotWriteToPrivateMemory() {
    // vfio_pci_rdwr.c:vfio_pci_ioeventfd, vfio_pci_ioeventfd_handler
    write(device, MEMORY_BAR, PAGE, 4, 0);
    write(device, MEMORY_BAR, SHARED_PAGE.offset(), 4, 0);
    int event = eventfd();
    succeeds(ioEvent(PAGE, event));
    succeeds(ioEvent(SHARED_PAGE.offset(), event));
    succeeds(op(BIND));
    signal(event);
    fails(Errno.EBUSY, ioEvent(PAGE + 4, event));
    succeeds(ioEvent(PAGE, NO_FD));
    succeeds(ioEvent(SHARED_PAGE.offset() + 4, event));
    succeeds(op(UNBIND));
    assertThat(read(device, MEMORY_BAR, SHARED_PAGE.offset(), 4)).isEqualTo(VALUE);
    assertThat(read(device, MEMORY_BAR, PAGE, 4)).isZero();
  }

  private int ioEvent(long at, int event) {
    MemorySegment set = sized(vfio_device_ioeventfd.layout());
    vfio_device_ioeventfd.flags(set, Vfio.VFIO_DEVICE_IOEVENTFD_32());
    vfio_device_ioeventfd.offset(set, offset(MEMORY_BAR) + at);
    vfio_device_ioeventfd.data(set, VALUE);
    vfio_device_ioeventfd.fd(set, event);
    return ioctl(device, VFIO_DEVICE_IOEVENTFD, set);
  }

  private void signal(int event) {
    MemorySegment one = zeros(8);
    one.set(ValueLayout.JAVA_LONG, 0, 1);
    assertThat(kernel.write(event, one.address(), 8)).isEqualTo(8);
  }

  @Test
  void withoutATsmNothingIsBoundWhateverIsOpen() {
    // tsm.c:pci_tsm_bind: before the device is asked
    keep(export(SHARED, ALL));
    disconnect();
    fails(Errno.EINVAL, op(BIND));
    fails(Errno.ENXIO, report());
  }

  @Test
  void onlyALockedInterfaceHasPrivateMemory() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_may
    fails(Errno.ENODEV, export(PRIVATE, ALL));
    succeeds(op(BIND));
    keep(export(PRIVATE, ALL));
    succeeds(state(UNLOCKED));
    fails(Errno.ENODEV, export(PRIVATE, ALL));
  }

  @Test
  void theFlagsOfADmaBufAreOneKindOrNone() {
    // vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf
    fails(Errno.EINVAL, export(SHARED | PRIVATE, ALL));
    fails(Errno.EINVAL, export(4, ALL));
  }

  @Test
  void rangesAreCheckedBeforeTheInterfaceIs() {
    // vfio_pci_dmabuf.c: validate_dmabuf_input before vfio_pci_dma_buf_may
    fails(Errno.EINVAL, export(PRIVATE, new Piece(1, PAGE)));
    succeeds(op(BIND));
    fails(Errno.EINVAL, export(0, new Piece(1, PAGE)));
    fails(Errno.EBUSY, export(0, ALL));
  }

  @Test
  void aDmaBufHasTheRunsOfItsKind() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_cut, vfio_pci_dma_buf_ioctl
    succeeds(op(BIND));
    int shared = keep(export(SHARED, ALL));
    int hidden = keep(export(PRIVATE, ALL));
    assertThat(runs(shared)).containsExactly("0x2000 at 0x0, 0x1000 bytes");
    assertThat(runs(hidden))
        .containsExactly("0x0 at 0x0, 0x2000 bytes", "0x3000 at 0x2000, 0xfd000 bytes");
    assertThat(kernel.lseek(hidden, 0, Libc.SEEK_END())).isEqualTo(MEMORY_BYTES - PAGE);
    fails(Errno.EINVAL, export(PRIVATE, SHARED_PAGE));
    fails(Errno.EINVAL, export(SHARED, new Piece(0, 2 * PAGE)));
  }

  @Test
  void theRunsNeedRoomAndTheirNumberComesBack() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_ioctl
    succeeds(op(BIND));
    int hidden = keep(export(PRIVATE, ALL));
    MemorySegment get = runsOf(1);
    fails(Errno.EMSGSIZE, runs(hidden, get));
    assertThat(vfio_dma_buf_get_runs.nr_runs(get)).isEqualTo(2);
    assertThat(vfio_dma_buf_get_runs.region_index(get)).isEqualTo(MEMORY_BAR);
    vfio_dma_buf_get_runs.flags(get, 1);
    fails(Errno.EINVAL, runs(hidden, get));
    fails(Errno.ENOTTY, kernel.ioctl(hidden, TsmSeed2025.VFIO_DMA_BUF_GET_RUNS() + 1, 0));
  }

  private MemorySegment runsOf(int room) {
    MemorySegment get = sized(vfio_dma_buf_get_runs.layout());
    vfio_dma_buf_get_runs.nr_runs(get, room);
    vfio_dma_buf_get_runs.runs_uptr(get, zeros(room * vfio_dma_buf_run.sizeof()).address());
    return get;
  }

  private int runs(int buf, MemorySegment get) {
    return kernel.ioctl(buf, TsmSeed2025.VFIO_DMA_BUF_GET_RUNS(), get.address());
  }

  private List<String> runs(int buf) {
    MemorySegment get = runsOf(4);
    succeeds(runs(buf, get));
    MemorySegment all = at(vfio_dma_buf_get_runs.runs_uptr(get), 4 * vfio_dma_buf_run.sizeof());
    List<String> found = new ArrayList<>();
    for (int i = 0; i < vfio_dma_buf_get_runs.nr_runs(get); i++) {
      MemorySegment run = vfio_dma_buf_run.asSlice(all, i);
      found.add(
          "0x%x at 0x%x, 0x%x bytes"
              .formatted(
                  vfio_dma_buf_run.bar_offset(run),
                  vfio_dma_buf_run.buf_offset(run),
                  vfio_dma_buf_run.length(run)));
    }
    return found;
  }

  @Test
  void anIoasTakesOneSharedRunAndNothingPrivate() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_iommufd_map
    int two = keep(export(SHARED, new Piece(0, PAGE), SHARED_PAGE));
    fails(Errno.EOPNOTSUPP, mapFile(ioas, USUAL, two, 0, PAGE, IOVA));
    close(two);
    succeeds(op(BIND));
    int hidden = keep(export(PRIVATE, new Piece(0, PAGE)));
    fails(Errno.EOPNOTSUPP, mapFile(ioas, USUAL, hidden, 0, PAGE, IOVA));
    int shared = keep(export(SHARED, ALL));
    succeeds(mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
  }

  @Test
  void whatIsRevokedAtTheUnbindNeverComesBack() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_revoke_kinds
    succeeds(op(BIND));
    int shared = keep(export(SHARED, ALL));
    int hidden = keep(export(PRIVATE, ALL));
    succeeds(op(UNBIND));
    fails(Errno.ENODEV, mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
    fails(Errno.ENODEV, mapFile(ioas, USUAL, hidden, 0, PAGE, IOVA));
    setCommand(device, 0);
    setCommand(device, MEMORY | MASTER);
    fails(Errno.ENODEV, mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
    // It is nothing that a lock must wait for.
    succeeds(op(BIND));
  }

  @Test
  void aSharedDmaBufOfAnUnlockedInterfaceComesBackWithMemoryDecode() {
    // vfio_pci_dmabuf.c:vfio_pci_dma_buf_move
    int shared = keep(export(SHARED, ALL));
    setCommand(device, MASTER);
    fails(Errno.ENODEV, mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
    setCommand(device, MEMORY | MASTER);
    succeeds(mapFile(ioas, USUAL, shared, 0, PAGE, IOVA));
  }

  @Test
  void theHostReachesSharedPagesByTheFileOnly() {
    // vfio_pci_rdwr.c:vfio_pci_bar_rw; vfio_pci_core.c:vfio_pci_core_mmap
    write(device, MEMORY_BAR, 2 * PAGE, 4, 0x1234_5678);
    succeeds(op(BIND));
    assertThat(read(device, MEMORY_BAR, 2 * PAGE, 4)).isEqualTo(0x1234_5678);
    MemorySegment into = zeros(8);
    long bar = offset(MEMORY_BAR);
    fails(Errno.EIO, kernel.pread(device, into.address(), 4, bar));
    fails(Errno.EIO, kernel.pread(device, into.address(), 8, bar + 2 * PAGE - 4));
    fails(Errno.EIO, kernel.pwrite(device, into.address(), 4, bar + 3 * PAGE));
    int protection = Libc.PROT_READ() | Libc.PROT_WRITE();
    fails(Errno.EBUSY, mmap(device, PAGE, protection, Libc.MAP_SHARED(), bar + 2 * PAGE));
  }

  @Test
  void aMappedBarIsNoReasonNotToBind() {
    // vfio_pci_tdi.c:prepare_lock: it is just taken away
    int protection = Libc.PROT_READ() | Libc.PROT_WRITE();
    long bar = offset(MEMORY_BAR);
    mapped(mmap(device, PAGE, protection, Libc.MAP_SHARED(), bar), PAGE);
    succeeds(op(BIND));
  }

  @Test
  void aReportIsThatOfALockedInterface() {
    // tsm.c:pci_tsm_guest_req; tsm-sim.c:sim_request
    fails(Errno.ENXIO, report());
    succeeds(op(BIND));
    MemorySegment tooShort = reportOf(16);
    fails(Errno.ENOSPC, request(tooShort));
    assertThat(iommu_vdevice_tsm_req.tsm_code(tooShort)).isEqualTo(28);
    // Three ranges of BAR 2, and a length of what follows: the rest of the room is the result.
    assertThat(report()).isEqualTo(4096 - (16 + 3 * 16 + 4));
    succeeds(state(UNLOCKED));
    fails(Errno.EIO, report());
  }

  @Test
  void theResidueIsOfTheAnswersRoomOrElseOfTheRequest() {
    // tsm.c:pci_tsm_guest_req; tsm-sim.c:sim_request, sim_measure
    succeeds(op(BIND));
    int setState = Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE();
    MemorySegment run = zeros(12);
    run.set(ValueLayout.JAVA_INT, 0, RUN);
    assertThat(request(requestOf(setState, run, 0))).as("not taken of 12 bytes").isEqualTo(8);
    fails(Errno.EIO, state(RUN));
    assertThat(request(requestOf(setState, zeros(4), 100))).as("of the room").isEqualTo(100);
    fails(Errno.EIO, report());
    succeeds(state(LOCKED));
    int measure = TsmSeed2025.IOMMU_VDEVICE_TSM_READ_MEASUREMENTS();
    int unused = request(requestOf(measure, zeros(32), 4096));
    assertThat(unused).isBetween(1, 4095);
    assertThat(request(requestOf(measure, zeros(32), 4096 - unused))).as("a full room").isZero();
    fails(Errno.ENOSPC, request(requestOf(measure, zeros(32), 4095 - unused)));
  }

  @Test
  void aRequestIsOfAnArchitectureAndAnOperation() {
    // iommufd/tsm.c:iommufd_vdevice_tsm_req_ioctl, tsm_scope
    succeeds(op(BIND));
    MemorySegment request = reportOf(4096);
    iommu_vdevice_tsm_req.tvm_arch(request, 0);
    fails(Errno.EINVAL, request(request));
    iommu_vdevice_tsm_req.tvm_arch(request, 4);
    fails(Errno.EINVAL, request(request));
    fails(Errno.EINVAL, request(requestOf(99, MemorySegment.NULL, 0)));
  }

  @Test
  void anInterfaceGoesThroughItsStates() {
    // tsm-sim.c:set_state, lock, start
    succeeds(op(BIND));
    fails(Errno.EBUSY, state(LOCKED));
    fails(Errno.EINVAL, state(7));
    fails(Errno.EINVAL, state(3));
    succeeds(state(RUN));
    fails(Errno.EIO, state(RUN));
    fails(Errno.EBUSY, state(LOCKED));
    succeeds(state(UNLOCKED));
    fails(Errno.EIO, state(RUN));
    int plain = keep(export(0, ALL));
    fails(Errno.EBUSY, state(LOCKED));
    close(plain);
    succeeds(state(LOCKED));
    succeeds(state(RUN));
  }

  @Test
  void decodeAndMasteringMayBeOffAtTheLockAndGoOnLaterButNotOffAgain() {
    // TDISP 11.3.8; vfio_pci_config.c:vfio_basic_config_write
    setCommand(device, 0);
    succeeds(op(BIND));
    setCommand(device, MEMORY);
    setCommand(device, MEMORY | MASTER);
    succeeds(report());
    setCommand(device, MEMORY);
    fails(Errno.EIO, report());
    succeeds(op(UNBIND));
    succeeds(op(BIND));
    setCommand(device, MEMORY);
    succeeds(report());
  }

  @Test
  void memoryDecodeOffIsAnErrorThatOnlyAnUnbindEnds() {
    // vfio_pci_tdi.c:vfio_pci_tdi_upset; tsm-sim.c:state
    succeeds(op(BIND));
    succeeds(state(RUN));
    setCommand(device, MASTER);
    setCommand(device, MEMORY | MASTER);
    fails(Errno.EIO, report());
    fails(Errno.EIO, state(RUN));
    fails(Errno.ENODEV, export(SHARED, ALL));
    fails(Errno.ENODEV, export(PRIVATE, ALL));
    keep(export(0, ALL));
    assertThat(bound()).isEqualTo("tsm0");
    succeeds(op(UNBIND));
    keep(export(SHARED, ALL));
  }

  @Test
  void busMasteringOffIsAnErrorToo() {
    // vfio_pci_config.c:vfio_basic_config_write
    succeeds(op(BIND));
    setCommand(device, MEMORY);
    fails(Errno.EIO, report());
  }

  @Test
  void aDestroyedVdeviceIsUnbound() {
    // viommu.c:iommufd_vdevice_abort
    succeeds(op(BIND));
    succeeds(destroy(vdevice));
    assertThat(bound()).isEmpty();
    fails(Errno.ENOENT, op(UNBIND));
  }

  @Test
  void privateMemoryIsValidatedWhereItIs() {
    // tsm-sim.c:validate_mmio
    long start = barStart();
    fails(Errno.ENXIO, validate(GPA, GPA + PAGE, start));
    succeeds(op(BIND));
    succeeds(validate(GPA, GPA + 2 * PAGE, start));
    fails(Errno.EINVAL, validate(GPA, GPA + 3 * PAGE, start));
    fails(Errno.EINVAL, validate(GPA, GPA + PAGE, start + 2 * PAGE));
    fails(Errno.EINVAL, validate(GPA, GPA, start));
    fails(Errno.EINVAL, validate(GPA + 1, GPA + PAGE, start));
    succeeds(state(UNLOCKED));
    fails(Errno.EIO, validate(GPA, GPA + PAGE, start));
  }
}
