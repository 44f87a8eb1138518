package dev.iolite.mock.tsm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelLog;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.kvm.GuestScripts;
import dev.iolite.mock.pci.Machine;
import dev.iolite.tsm.Profile;
import dev.iolite.tsm.TdiState;
import dev.iolite.uapi.iommufd.Iommufd;
import dev.iolite.uapi.iommufd.iommu_destroy;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_map_file;
import dev.iolite.uapi.iommufd.iommu_vdevice_alloc;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_cpuid2;
import dev.iolite.uapi.kvm.kvm_cpuid_entry2;
import dev.iolite.uapi.kvm.kvm_create_device;
import dev.iolite.uapi.kvm.kvm_device_attr;
import dev.iolite.uapi.kvm.kvm_enable_cap;
import dev.iolite.uapi.kvm.kvm_memory_attributes;
import dev.iolite.uapi.kvm.kvm_tdx_cmd;
import dev.iolite.uapi.kvm.kvm_tdx_init_vm;
import dev.iolite.uapi.kvm.kvm_userspace_memory_region2;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.tsm.Tsm;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** The TDISP endpoint of a model, given to a VM as far as a test wants it, by raw calls. */
final class AssignedEndpoint implements AutoCloseable {
  static final String ADDRESS = "0000:00:07.0";
  static final long VIRTUAL_BDF = 0x10;
  private static final String PATH = "/sys/bus/pci/devices/" + ADDRESS;
  private static final int MEMORY_AND_MASTER = 6;
  private static final long CONFIG = 7L << 40;
  private static final int COMMAND = 4;
  private static final long RUN_BYTES = 4096;

  final MockKernel kernel;
  final SysFs files;
  final int iommufd;
  final int device;
  final int vm;
  int deviceId;
  private int kvmDevice;
  int viommu;
  int vdevice;
  MemorySegment run = MemorySegment.NULL;
  private final Arena arena = Arena.ofShared();
  private final KernelLog log;

  private AssignedEndpoint(MockKernel kernel, boolean withVm) {
    this.kernel = kernel;
    files = new SysFs(kernel);
    log = KernelLog.fromNow(kernel);
    files.write(PATH + "/driver_override", "vfio-pci");
    files.write("/sys/bus/pci/drivers/vfio-pci/bind", ADDRESS);
    iommufd = open("/dev/iommu");
    device = open("/dev/vfio/devices/vfio0");
    vm = newVm();
    if (withVm) {
      give();
    }
    MemorySegment bind = struct(vfio_device_bind_iommufd.sizeof());
    vfio_device_bind_iommufd.argsz(bind, (int) bind.byteSize());
    vfio_device_bind_iommufd.iommufd(bind, iommufd);
    ok(ioctl(device, Vfio.VFIO_DEVICE_BIND_IOMMUFD(), bind));
    deviceId = vfio_device_bind_iommufd.out_devid(bind);
    command(MEMORY_AND_MASTER);
  }

  /** A VM that the platform protects. */
  int newVm() {
    return ok(kernel.ioctl(open("/dev/kvm"), Kvm.KVM_CREATE_VM(), vmType(kernel.platform())));
  }

  private static int vmType(Platform platform) {
    return switch (platform) {
      case PLAIN -> Kvm.KVM_X86_DEFAULT_VM();
      case TDX -> Kvm.KVM_X86_TDX_VM();
      case SEV -> Kvm.KVM_X86_SNP_VM();
    };
  }

  /** Given to a VM, with a vDEVICE, connected to the TSM. */
  static AssignedEndpoint on(Platform platform, Profile profile) {
    return on(platform, profile, GuestScripts.none());
  }

  static AssignedEndpoint on(Platform platform, Profile profile, GuestScripts guests) {
    return make(platform, profile, guests, true);
  }

  /** Given to a VM, with a vDEVICE, but not connected. */
  static AssignedEndpoint unconnected(Platform platform, Profile profile, GuestScripts guests) {
    return make(platform, profile, guests, false);
  }

  /** The connection comes before the vDEVICE, which binds in one of the proposals. */
  private static AssignedEndpoint make(
      Platform platform, Profile profile, GuestScripts guests, boolean connected) {
    AssignedEndpoint made =
        new AssignedEndpoint(
            MockKernel.builder().platform(platform).profile(profile).guests(guests).build(), true);
    if (connected) {
      made.connect();
    }
    made.makeVdevice();
    return made;
  }

  /** As {@link #on}, with another device in the endpoint's place. */
  static AssignedEndpoint ofModel(Platform platform, Profile profile, DeviceModel model) {
    Machine machine = new Machine().function(ADDRESS, model);
    AssignedEndpoint made =
        new AssignedEndpoint(
            MockKernel.builder().platform(platform).profile(profile).machine(machine).build(),
            true);
    made.connect();
    made.makeVdevice();
    return made;
  }

  /** Connected, but without a vDEVICE. */
  static AssignedEndpoint withoutVdevice(Platform platform, Profile profile) {
    AssignedEndpoint made =
        new AssignedEndpoint(
            MockKernel.builder().platform(platform).profile(profile).build(), true);
    made.connect();
    return made;
  }

  /** With a vDEVICE and connected, but given to no VM. */
  static AssignedEndpoint withoutVm(Platform platform, Profile profile) {
    AssignedEndpoint made =
        new AssignedEndpoint(
            MockKernel.builder().platform(platform).profile(profile).build(), false);
    made.connect();
    made.makeVdevice();
    return made;
  }

  void connect() {
    files.write(PATH + "/tsm/connect", "tsm0");
  }

  void disconnect() {
    files.write(PATH + "/tsm/disconnect", "tsm0");
  }

  String bound() {
    return files.read(PATH + "/tsm/bound");
  }

  /** What the kernel's log has said of the device since this was made, or was asked last. */
  List<String> log() {
    return log.about(ADDRESS);
  }

  TdiState state() {
    return kernel.tsm().state(ADDRESS).orElseThrow();
  }

  static int ok(int result) {
    assertThat(result).isNotNegative();
    return result;
  }

  static int no(Errno errno) {
    return errno.negated();
  }

  int open(String path) {
    return ok(kernel.open(path, Libc.O_RDWR()));
  }

  MemorySegment struct(long bytes) {
    return arena.allocate(bytes, Long.BYTES);
  }

  /** A struct of iommufd, whose first member is its size. */
  MemorySegment sized(long bytes) {
    MemorySegment struct = struct(bytes);
    struct.set(ValueLayout.JAVA_INT, 0, (int) bytes);
    return struct;
  }

  int ioctl(int fd, long request, MemorySegment struct) {
    return kernel.ioctl(fd, request, struct.address());
  }

  /** KVM's VFIO device is told of the file. */
  private void give() {
    MemorySegment create = struct(kvm_create_device.sizeof());
    kvm_create_device.type(create, Kvm.KVM_DEV_TYPE_VFIO());
    ok(ioctl(vm, Kvm.KVM_CREATE_DEVICE(), create));
    kvmDevice = kvm_create_device.fd(create);
    tellKvm(Kvm.KVM_DEV_VFIO_FILE_ADD());
  }

  /** KVM lets the file go, and closing it closes the device. */
  void takeBack() {
    tellKvm(Kvm.KVM_DEV_VFIO_FILE_DEL());
  }

  private void tellKvm(int change) {
    MemorySegment fd = struct(Integer.BYTES);
    fd.set(ValueLayout.JAVA_INT, 0, device);
    MemorySegment attr = struct(kvm_device_attr.sizeof());
    kvm_device_attr.group(attr, Kvm.KVM_DEV_VFIO_FILE());
    kvm_device_attr.attr(attr, change);
    kvm_device_attr.addr(attr, fd.address());
    ok(ioctl(kvmDevice, Kvm.KVM_SET_DEVICE_ATTR(), attr));
  }

  /** Writes configuration space as root of the host does, past VFIO. */
  void poke(int offset, int width, int value) {
    MemorySegment bytes = struct(Integer.BYTES);
    bytes.set(ValueLayout.JAVA_INT, 0, value);
    int config = open(PATH + "/config");
    assertThat(kernel.pwrite(config, bytes.address(), width, offset)).isEqualTo(width);
    ok(kernel.close(config));
  }

  /** Writes the command register. */
  void command(int value) {
    MemorySegment bytes = struct(2);
    bytes.set(ValueLayout.JAVA_SHORT, 0, (short) value);
    assertThat(kernel.pwrite(device, bytes.address(), 2, CONFIG + COMMAND)).isEqualTo(2);
  }

  int viommuType() {
    return kernel.platform() == Platform.SEV ? 1 : Tsm.IOMMU_VIOMMU_TYPE_TDX();
  }

  int nestParent() {
    MemorySegment ioas = sized(iommu_ioas_alloc.sizeof());
    ok(ioctl(iommufd, Iommufd.IOMMU_IOAS_ALLOC(), ioas));
    MemorySegment hwpt = sized(iommu_hwpt_alloc.sizeof());
    iommu_hwpt_alloc.flags(hwpt, Iommufd.IOMMU_HWPT_ALLOC_NEST_PARENT());
    iommu_hwpt_alloc.dev_id(hwpt, deviceId);
    iommu_hwpt_alloc.pt_id(hwpt, iommu_ioas_alloc.out_ioas_id(ioas));
    ok(ioctl(iommufd, Iommufd.IOMMU_HWPT_ALLOC(), hwpt));
    return iommu_hwpt_alloc.out_hwpt_id(hwpt);
  }

  /** IOMMU_VIOMMU_ALLOC's answer; the id is in {@link #viommu}. */
  int makeViommu(int type) {
    MemorySegment alloc = sized(iommu_viommu_alloc.sizeof());
    iommu_viommu_alloc.type(alloc, type);
    iommu_viommu_alloc.dev_id(alloc, deviceId);
    iommu_viommu_alloc.hwpt_id(alloc, nestParent());
    int result = ioctl(iommufd, Iommufd.IOMMU_VIOMMU_ALLOC(), alloc);
    viommu = iommu_viommu_alloc.out_viommu_id(alloc);
    return result;
  }

  /** IOMMU_VDEVICE_ALLOC's answer; the id is in {@link #vdevice}. */
  int allocVdevice() {
    MemorySegment alloc = sized(iommu_vdevice_alloc.sizeof());
    iommu_vdevice_alloc.viommu_id(alloc, viommu);
    iommu_vdevice_alloc.dev_id(alloc, deviceId);
    iommu_vdevice_alloc.virt_id(alloc, VIRTUAL_BDF);
    int result = ioctl(iommufd, Iommufd.IOMMU_VDEVICE_ALLOC(), alloc);
    vdevice = iommu_vdevice_alloc.out_vdevice_id(alloc);
    return result;
  }

  private void makeVdevice() {
    ok(makeViommu(viommuType()));
    ok(allocVdevice());
  }

  int destroy(int id) {
    MemorySegment destroy = sized(iommu_destroy.sizeof());
    iommu_destroy.id(destroy, id);
    return ioctl(iommufd, Iommufd.IOMMU_DESTROY(), destroy);
  }

  /** Where BAR0 is on the bus. */
  long bar(int index) {
    String line = files.read(PATH + "/resource").lines().skip(index).findFirst().orElseThrow();
    return Long.decode(line.substring(0, line.indexOf(' ')));
  }

  /** VFIO_DEVICE_FEATURE_DMA_BUF's answer, for parts of a BAR: offsets and lengths in turn. */
  int export(int bar, int flags, long... parts) {
    MemorySegment feature =
        struct(
            vfio_device_feature.sizeof()
                + vfio_device_feature_dma_buf.dma_ranges$offset()
                + 8L * parts.length);
    vfio_device_feature.argsz(feature, (int) feature.byteSize());
    vfio_device_feature.flags(
        feature, Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_DMA_BUF());
    MemorySegment ask = feature.asSlice(vfio_device_feature.sizeof());
    vfio_device_feature_dma_buf.region_index(ask, bar);
    vfio_device_feature_dma_buf.flags(ask, flags);
    vfio_device_feature_dma_buf.nr_ranges(ask, parts.length / 2);
    MemorySegment.copy(
        parts,
        0,
        ask.asSlice(vfio_device_feature_dma_buf.dma_ranges$offset()),
        ValueLayout.JAVA_LONG,
        0,
        parts.length);
    return ioctl(device, Vfio.VFIO_DEVICE_FEATURE(), feature);
  }

  /** The size of a dma-buf. */
  long bytes(int fd) {
    return kernel.lseek(fd, 0, 2);
  }

  /** IOMMU_IOAS_MAP_FILE's answer, for a new IOAS. */
  int mapFile(int fd, long bytes) {
    MemorySegment ioas = sized(iommu_ioas_alloc.sizeof());
    ok(ioctl(iommufd, Iommufd.IOMMU_IOAS_ALLOC(), ioas));
    int id = iommu_ioas_alloc.out_ioas_id(ioas);
    MemorySegment map = sized(iommu_ioas_map_file.sizeof());
    iommu_ioas_map_file.flags(
        map, Iommufd.IOMMU_IOAS_MAP_READABLE() | Iommufd.IOMMU_IOAS_MAP_WRITEABLE());
    iommu_ioas_map_file.ioas_id(map, id);
    iommu_ioas_map_file.fd(map, fd);
    iommu_ioas_map_file.length(map, bytes);
    int result = ioctl(iommufd, Iommufd.IOMMU_IOAS_MAP_FILE(), map);
    if (result < 0) {
      ok(destroy(id));
    }
    return result;
  }

  /** KVM_SET_USER_MEMORY_REGION2's answer for a slot over a file. */
  int slot(int number, long flags, long gpa, long bytes, int file, long offset) {
    return slotOf(vm, number, flags, gpa, bytes, file, offset);
  }

  /** As {@link #slot}, of another VM. */
  int slotOf(int of, int number, long flags, long gpa, long bytes, int file, long offset) {
    MemorySegment slot = struct(kvm_userspace_memory_region2.sizeof());
    kvm_userspace_memory_region2.slot(slot, number);
    kvm_userspace_memory_region2.flags(slot, (int) flags);
    kvm_userspace_memory_region2.guest_phys_addr(slot, gpa);
    kvm_userspace_memory_region2.memory_size(slot, bytes);
    kvm_userspace_memory_region2.guest_memfd(slot, file);
    kvm_userspace_memory_region2.guest_memfd_offset(slot, offset);
    return ioctl(of, Kvm.KVM_SET_USER_MEMORY_REGION2(), slot);
  }

  /**
   * Gives the guest all of the endpoint's TEE memory, far above what tests use: a TDX module
   * demands that before the interface runs.
   *
   * @param kind flags of the dma-bufs
   * @param flags of the slots
   */
  void giveTeeMemory(int kind, long flags) {
    long gpa = 1L << 40;
    long[][] parts = {{0, 0, 0x2000}, {0, 0x3000, 0xd000}, {2, 0, TdispEndpoint.MEMORY_BYTES}};
    for (int i = 0; i < parts.length; i++) {
      int part = ok(export((int) parts[i][0], kind, parts[i][1], parts[i][2]));
      assertThat(slot(100 + i, flags, gpa, parts[i][2], part, 0)).isZero();
      gpa += TdispEndpoint.MEMORY_BYTES;
    }
  }

  /** Makes a range private by its attribute. */
  int makePrivate(long gpa, long bytes) {
    MemorySegment attributes = struct(kvm_memory_attributes.sizeof());
    kvm_memory_attributes.address(attributes, gpa);
    kvm_memory_attributes.size(attributes, bytes);
    kvm_memory_attributes.attributes(attributes, Kvm.KVM_MEMORY_ATTRIBUTE_PRIVATE());
    return ioctl(vm, Kvm.KVM_SET_MEMORY_ATTRIBUTES(), attributes);
  }

  /** Enables a capability of the VM. */
  void enable(int capability, long argument) {
    MemorySegment cap = struct(kvm_enable_cap.sizeof());
    kvm_enable_cap.cap(cap, capability);
    kvm_enable_cap.args(cap, 0, argument);
    ok(ioctl(vm, Kvm.KVM_ENABLE_CAP(), cap));
  }

  /** The vCPU of the trust domain, which is finalized now. */
  int startDomain() {
    MemorySegment init = struct(kvm_tdx_init_vm.sizeof() + 2 * kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(kvm_tdx_init_vm.cpuid(init), 2);
    MemorySegment entries = init.asSlice(kvm_tdx_init_vm.sizeof());
    kvm_cpuid_entry2.function(kvm_cpuid_entry2.asSlice(entries, 0), 0x8000_0008);
    kvm_cpuid_entry2.eax(kvm_cpuid_entry2.asSlice(entries, 0), 48 << 16);
    kvm_cpuid_entry2.function(kvm_cpuid_entry2.asSlice(entries, 1), 1);
    tdxCommand(vm, Kvm.KVM_TDX_INIT_VM(), init.address());
    enable(Kvm.KVM_CAP_SPLIT_IRQCHIP(), 24);
    int vcpu = ok(kernel.ioctl(vm, Kvm.KVM_CREATE_VCPU(), 0));
    MemorySegment x2apic = struct(kvm_cpuid2.sizeof() + kvm_cpuid_entry2.sizeof());
    kvm_cpuid2.nent(x2apic, 1);
    kvm_cpuid_entry2.function(x2apic.asSlice(kvm_cpuid2.sizeof()), 1);
    kvm_cpuid_entry2.ecx(x2apic.asSlice(kvm_cpuid2.sizeof()), 1 << 21);
    ok(ioctl(vcpu, Kvm.KVM_SET_CPUID2(), x2apic));
    tdxCommand(vcpu, Kvm.KVM_TDX_INIT_VCPU(), 0);
    tdxCommand(vm, Kvm.KVM_TDX_FINALIZE_VM(), 0);
    run =
        MemorySegment.ofAddress(
                kernel.mmap(
                    0, RUN_BYTES, Libc.PROT_READ() | Libc.PROT_WRITE(), Libc.MAP_SHARED(), vcpu, 0))
            .reinterpret(RUN_BYTES);
    return vcpu;
  }

  private void tdxCommand(int fd, int id, long data) {
    MemorySegment command = struct(kvm_tdx_cmd.sizeof());
    kvm_tdx_cmd.id(command, id);
    kvm_tdx_cmd.data(command, data);
    ok(ioctl(fd, Kvm.KVM_MEMORY_ENCRYPT_OP(), command));
  }

  /** KVM_RUN's answer; what it left for is in {@link #run}. */
  int enter(int vcpu) {
    return kernel.ioctl(vcpu, Kvm.KVM_RUN(), 0);
  }

  @Override
  public void close() {
    log.close();
    arena.close();
  }
}
