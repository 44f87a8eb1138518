package dev.iolite.contract;

import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_HWPT_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VDEVICE_ALLOC;
import static dev.iolite.uapi.catalog.IommufdIoctls.IOMMU_VIOMMU_ALLOC;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_DEVICE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_CREATE_VM;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_DEVICE_ATTR_ON_DEVICE;
import static dev.iolite.uapi.catalog.KvmIoctls.KVM_SET_USER_MEMORY_REGION2;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_FEATURE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_device_attr;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_op;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_req;
import dev.iolite.uapi.tsm.iommu_vdevice_tsm_validate_mmio;
import dev.iolite.uapi.tsmseed2025.TsmSeed2025;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.BeforeEach;

/**
 * An interface that a TSM in software is connected to, of a VM whose memory is private by software:
 * what the lab's kernels seed-2025 and v6 add to Linux. The memory is BAR 2 of an ivshmem, of which
 * page 2 is never private.
 */
abstract class SeedContract extends VfioContract {
  static final int MEMORY_BAR = 2;
  static final long MEMORY_BYTES = 1 << 20;

  /** The page that is shared, and the private runs around it. */
  static final Piece ALL = new Piece(0, MEMORY_BYTES);

  static final Piece SHARED_PAGE = new Piece(2 * PAGE, PAGE);
  static final int SHARED = TsmSeed2025.VFIO_DMA_BUF_SHARED();
  static final int PRIVATE = TsmSeed2025.VFIO_DMA_BUF_PRIVATE();
  static final int DMABUF = (int) TsmSeed2025.KVM_MEM_DMABUF();
  static final int PRIVATE_ONLY = (int) TsmSeed2025.KVM_MEM_PRIVATE_ONLY();
  static final int BIND = Tsm.IOMMU_VDEVICE_TSM_BIND();
  static final int UNBIND = Tsm.IOMMU_VDEVICE_TSM_UNBIND();
  static final int UNLOCKED = 0;
  static final int LOCKED = 1;
  static final int RUN = 2;
  static final long GPA = 0x1000_0000;
  static final long IOVA = 0x4000_0000;
  static final long VIRTUAL_BDF = 0x20;

  private final int opCall;
  private final int requestCall;
  int vm = NO_FD;
  int list = NO_FD;
  int device = NO_FD;
  int deviceId;
  int ioas;
  int hwpt;
  int viommu;
  int vdevice;

  SeedContract(Backend backend) {
    this(backend, Backend.IVSHMEM);
  }

  /** Cases for another device, of which the memory is not told here. */
  SeedContract(Backend backend, String address) {
    this(backend, address, TsmSeed2025.IOMMU_VDEVICE_TSM_OP(), TsmSeed2025.IOMMU_VDEVICE_TSM_REQ());
  }

  /** Cases for a kernel with other numbers of IOMMU_VDEVICE_TSM_OP and IOMMU_VDEVICE_TSM_REQ. */
  SeedContract(Backend backend, String address, int opCall, int requestCall) {
    super(backend, address);
    this.opCall = opCall;
    this.requestCall = requestCall;
  }

  @BeforeEach
  final void giveToVm() {
    vm = keep(ioctl(open("/dev/kvm"), KVM_CREATE_VM, Kvm.KVM_X86_SW_PROTECTED_VM()));
    device = cdev();
    list = list();
    tell();
    deviceId = bind(device);
    setCommand(device, MEMORY | MASTER);
    ioas = ioas();
    hwpt = hwpt(0);
    connect();
    viommu = succeedsAs(viommuOf(Tsm.IOMMU_VIOMMU_TYPE_TDX(), 0));
    vdevice = vdevice(VIRTUAL_BDF);
  }

  private int list() {
    MemorySegment create = struct(kvm_create_device.layout());
    kvm_create_device.type(create, Kvm.KVM_DEV_TYPE_VFIO());
    succeeds(ioctl(vm, KVM_CREATE_DEVICE, create));
    return keep(kvm_create_device.fd(create));
  }

  private void tell() {
    MemorySegment fd = zeros(4);
    fd.set(ValueLayout.JAVA_INT, 0, device);
    MemorySegment attr = struct(kvm_device_attr.layout());
    kvm_device_attr.group(attr, Kvm.KVM_DEV_VFIO_FILE());
    kvm_device_attr.attr(attr, Kvm.KVM_DEV_VFIO_FILE_ADD());
    kvm_device_attr.addr(attr, fd.address());
    succeeds(ioctl(list, KVM_SET_DEVICE_ATTR_ON_DEVICE, attr));
  }

  final MemorySegment hwptOf(int flags) {
    MemorySegment alloc = sized(iommu_hwpt_alloc.layout());
    iommu_hwpt_alloc.flags(alloc, flags);
    iommu_hwpt_alloc.dev_id(alloc, deviceId);
    iommu_hwpt_alloc.pt_id(alloc, ioas);
    return alloc;
  }

  private int hwpt(int flags) {
    MemorySegment alloc = hwptOf(flags);
    succeeds(ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
    return iommu_hwpt_alloc.out_hwpt_id(alloc);
  }

  /** The argument of IOMMU_VIOMMU_ALLOC. */
  final MemorySegment viommuOf(int type, int dataBytes) {
    MemorySegment alloc = sized(iommu_viommu_alloc.layout());
    iommu_viommu_alloc.type(alloc, type);
    iommu_viommu_alloc.dev_id(alloc, deviceId);
    iommu_viommu_alloc.hwpt_id(alloc, hwpt);
    iommu_viommu_alloc.data_len(alloc, dataBytes);
    return alloc;
  }

  private int succeedsAs(MemorySegment viommu) {
    succeeds(ioctl(iommufd, IOMMU_VIOMMU_ALLOC, viommu));
    return iommu_viommu_alloc.out_viommu_id(viommu);
  }

  final int vdevice(long virtualId) {
    MemorySegment alloc = sized(iommu_vdevice_alloc.layout());
    iommu_vdevice_alloc.viommu_id(alloc, viommu);
    iommu_vdevice_alloc.dev_id(alloc, deviceId);
    iommu_vdevice_alloc.virt_id(alloc, virtualId);
    succeeds(ioctl(iommufd, IOMMU_VDEVICE_ALLOC, alloc));
    return iommu_vdevice_alloc.out_vdevice_id(alloc);
  }

  final void connect() {
    sysfs.write(file("tsm/connect"), "tsm0");
    atEnd(() -> {
      if (!connected().isEmpty()) {
        disconnect();
      }
    });
  }

  final void disconnect() {
    sysfs.write(file("tsm/disconnect"), "tsm0");
  }

  private String connected() {
    return sysfs.read(file("tsm/connect")).strip();
  }

  /** The TSM that the interface is bound by; nothing if it is not. */
  final String bound() {
    return sysfs.read(file("tsm/bound")).strip();
  }

  /** IOMMU_VDEVICE_TSM_OP; the result of the call. */
  final int op(int type) {
    MemorySegment op = sized(iommu_vdevice_tsm_op.layout());
    iommu_vdevice_tsm_op.type(op, type);
    iommu_vdevice_tsm_op.vdevice_id(op, vdevice);
    return op(op);
  }

  final int op(MemorySegment argument) {
    return kernel.ioctl(iommufd, opCall, argument.address());
  }

  /** The argument of IOMMU_VDEVICE_TSM_REQ. */
  final MemorySegment requestOf(int operation, MemorySegment asked, int room) {
    MemorySegment request = sized(iommu_vdevice_tsm_req.layout());
    iommu_vdevice_tsm_req.vdevice_id(request, vdevice);
    iommu_vdevice_tsm_req.op(request, operation);
    iommu_vdevice_tsm_req.tvm_arch(request, Tsm.IOMMU_VDEVICE_TSM_ARCH_TDX());
    iommu_vdevice_tsm_req.req_len(request, (int) asked.byteSize());
    iommu_vdevice_tsm_req.req_uptr(request, asked.address());
    iommu_vdevice_tsm_req.resp_len(request, room);
    iommu_vdevice_tsm_req.resp_uptr(request, zeros(Math.max(8, room)).address());
    return request;
  }

  final int request(MemorySegment argument) {
    return kernel.ioctl(iommufd, requestCall, argument.address());
  }

  /** Changes the interface's state; the result of the call. */
  final int state(int to) {
    MemorySegment asked = zeros(4);
    asked.set(ValueLayout.JAVA_INT, 0, to);
    return request(requestOf(Tsm.IOMMU_VDEVICE_TSM_SET_TDI_STATE(), asked, 0));
  }

  /** Has MMIO validated; the result of the call. */
  final int validate(long from, long to, long physical) {
    MemorySegment asked = struct(iommu_vdevice_tsm_validate_mmio.layout());
    iommu_vdevice_tsm_validate_mmio.gpa_base(asked, from);
    iommu_vdevice_tsm_validate_mmio.gpa_top(asked, to);
    iommu_vdevice_tsm_validate_mmio.pa_base(asked, physical);
    return request(requestOf(Tsm.IOMMU_VDEVICE_TSM_VALIDATE_MMIO(), asked, 0));
  }

  final long barStart() {
    String line = sysfs.read(file("resource")).lines().skip(MEMORY_BAR).findFirst().orElseThrow();
    return Long.decode(line.split(" ", -1)[0]);
  }

  /** A request fails as it does only if the TSM was reached and has set a code, or was not. */
  final void answers(Errno errno, int code, MemorySegment request) {
    iommu_vdevice_tsm_req.tsm_code(request, -1);
    fails(errno, request(request));
    assertThat(iommu_vdevice_tsm_req.tsm_code(request)).as("code").isEqualTo(code);
  }

  /** The argument of a request for the report, which is longer than 16 bytes. */
  final MemorySegment reportOf(int room) {
    return requestOf(TsmSeed2025.IOMMU_VDEVICE_TSM_READ_REPORT(), MemorySegment.NULL, room);
  }

  final int report() {
    return request(reportOf(4096));
  }

  /** Makes a dma-buf with these flags; the result of the call. */
  final int export(int flags, Piece... pieces) {
    MemorySegment feature = dmaBufOf(MEMORY_BAR, pieces);
    vfio_device_feature_dma_buf.flags(feature.asSlice(8), flags);
    return ioctl(device, VFIO_DEVICE_FEATURE, feature);
  }

  /** Makes a slot over a dma-buf; the result of the call. */
  final int slot(int number, int flags, long gpa, long bytes, int file, long offset) {
    MemorySegment region = struct(kvm_userspace_memory_region2.layout());
    kvm_userspace_memory_region2.slot(region, number);
    kvm_userspace_memory_region2.flags(region, flags);
    kvm_userspace_memory_region2.guest_phys_addr(region, gpa);
    kvm_userspace_memory_region2.memory_size(region, bytes);
    kvm_userspace_memory_region2.guest_memfd(region, file);
    kvm_userspace_memory_region2.guest_memfd_offset(region, offset);
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region);
  }

  final int deleteSlot(int number) {
    return slot(number, 0, 0, 0, 0, 0);
  }

  /** VT-d of this machine has no nest parents. */
  final void refusesNestParents() {
    MemorySegment alloc = hwptOf(Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT());
    fails(Errno.EOPNOTSUPP, ioctl(iommufd, IOMMU_HWPT_ALLOC, alloc));
  }
}
