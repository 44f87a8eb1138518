package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_ATTACH_IOMMUFD_PT;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_BIND_IOMMUFD;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_DETACH_IOMMUFD_PT;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_FEATURE;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_GET_REGION_INFO;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Registers;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_attach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_bind_iommufd;
import dev.iolite.uapi.vfio.vfio_device_detach_iommufd_pt;
import dev.iolite.uapi.vfio.vfio_device_feature;
import dev.iolite.uapi.vfio.vfio_device_feature_dma_buf;
import dev.iolite.uapi.vfio.vfio_region_dma_range;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Devices that vfio-pci has while the cases of a class run. */
abstract class VfioContract extends IommufdContract {
  static final int COMMAND = 0x04;
  static final int BAR0 = Vfio.VFIO_PCI_BAR0_REGION_INDEX();
  static final int CONFIG = Vfio.VFIO_PCI_CONFIG_REGION_INDEX();
  static final int MEMORY = 0x2;
  static final int MASTER = 0x4;
  static final long EDU_BYTES = 1 << 20;
  static final int EDU_ID = 0x0100_00ed;

  /** The address of edu's own buffer. */
  static final long BUFFER = 0x40000;

  static final long TO_MEMORY = 2;
  private static final long SOURCE = 0x80;
  private static final long DESTINATION = 0x88;
  private static final long COUNT = 0x90;
  private static final long COMMAND_REGISTER = 0x98;
  private static final String PCI = "/sys/bus/pci/";

  private final String address;
  private Optional<String> driverBefore = Optional.empty();

  /**
   * Cases for a device.
   *
   * @param address the PCI address of what vfio-pci is given
   */
  VfioContract(Backend backend, String address) {
    super(backend);
    this.address = address;
  }

  @BeforeAll
  final void giveToVfio() {
    driverBefore = sysfs.linkName(file("driver"));
    driverBefore.ifPresent(_ -> sysfs.write(file("driver/unbind"), address));
    sysfs.write(file("driver_override"), "vfio-pci");
    sysfs.write(PCI + "drivers_probe", address);
    assertThat(sysfs.linkName(file("driver"))).contains("vfio-pci");
  }

  @AfterAll
  final void giveBack() {
    sysfs.write(file("driver/unbind"), address);
    sysfs.write(file("driver_override"), "\n");
    driverBefore.ifPresent(driver -> sysfs.write(PCI + "drivers/" + driver + "/bind", address));
    assertThat(sysfs.linkName(file("driver"))).isEqualTo(driverBefore);
  }

  /** A file of the device's directory in sysfs. */
  final String file(String name) {
    return PCI + "devices/" + address + "/" + name;
  }

  /** Opens the device, which is not bound to an iommufd then. */
  final int cdev() {
    return open("/dev/vfio/devices/" + sysfs.list(file("vfio-dev")).getFirst());
  }

  /** The argument of VFIO_DEVICE_BIND_IOMMUFD. */
  final MemorySegment bindOf(int iommufd) {
    MemorySegment bind = sized(vfio_device_bind_iommufd.layout());
    vfio_device_bind_iommufd.iommufd(bind, iommufd);
    return bind;
  }

  /** Binds a device to the case's iommufd, and says under which id. */
  final int bind(int device) {
    MemorySegment bind = bindOf(iommufd);
    succeeds(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, bind));
    return vfio_device_bind_iommufd.out_devid(bind);
  }

  /** The device, bound to the case's iommufd. */
  final int boundDevice() {
    int device = cdev();
    bind(device);
    return device;
  }

  /** The same, with memory decode and bus mastering on. */
  final int enabledDevice() {
    int device = boundDevice();
    setCommand(device, MEMORY | MASTER);
    return device;
  }

  /** The argument of VFIO_DEVICE_ATTACH_IOMMUFD_PT. */
  final MemorySegment attachOf(int id) {
    MemorySegment attach = sized(vfio_device_attach_iommufd_pt.layout());
    vfio_device_attach_iommufd_pt.pt_id(attach, id);
    return attach;
  }

  /** Attaches to an IOAS or a HWPT; the result of the call. */
  final int attach(int device, int id) {
    return ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, attachOf(id));
  }

  /** Attaches, and says which HWPT it is. */
  final int attached(int device, int id) {
    MemorySegment attach = attachOf(id);
    succeeds(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, attach));
    return vfio_device_attach_iommufd_pt.pt_id(attach);
  }

  final int detach(int device) {
    MemorySegment detach = sized(vfio_device_detach_iommufd_pt.layout());
    return ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, detach);
  }

  /** The argument of VFIO_DEVICE_GET_REGION_INFO. */
  final MemorySegment regionOf(int index) {
    MemorySegment region = sized(vfio_region_info.layout());
    vfio_region_info.index(region, index);
    return region;
  }

  /** What VFIO_DEVICE_GET_REGION_INFO answers. */
  final MemorySegment region(int device, int index) {
    MemorySegment region = regionOf(index);
    succeeds(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, region));
    return region;
  }

  /** Where a region starts in the device's file. */
  static long offset(int region) {
    return (long) region << 40;
  }

  final long read(int device, int region, long at, int bytes) {
    MemorySegment value = zeros(8);
    assertThat(kernel.pread(device, value.address(), bytes, offset(region) + at)).isEqualTo(bytes);
    return value.get(ValueLayout.JAVA_LONG, 0);
  }

  final void write(int device, int region, long at, int bytes, long data) {
    MemorySegment value = zeros(8);
    value.set(ValueLayout.JAVA_LONG, 0, data);
    assertThat(kernel.pwrite(device, value.address(), bytes, offset(region) + at)).isEqualTo(bytes);
  }

  /** The registers at an address that mmap gave; a model's are reached through it. */
  final Registers registers(long address) {
    return kernel.registers(address).orElseGet(() -> Registers.of(at(address, EDU_BYTES)));
  }

  final int command(int device) {
    return (int) read(device, CONFIG, COMMAND, 2);
  }

  final void setCommand(int device, int command) {
    write(device, CONFIG, COMMAND, 2, command);
  }

  /** Runs a transfer of edu to its end; it takes a tenth of a second for one. */
  final void transfer(int device, long from, long to, int bytes, long direction) {
    write(device, BAR0, SOURCE, 8, from);
    write(device, BAR0, DESTINATION, 8, to);
    write(device, BAR0, COUNT, 8, bytes);
    write(device, BAR0, COMMAND_REGISTER, 8, 1 | direction);
    long deadline = System.nanoTime() + 20_000_000_000L;
    while ((read(device, BAR0, COMMAND_REGISTER, 8) & 1) != 0) {
      assertThat(System.nanoTime()).as("the transfer ends").isLessThan(deadline);
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Has edu read 8 bytes from an IOVA, and write what it read to another. */
  final void copy(int device, long from, long to) {
    transfer(device, from, BUFFER, 8, 0);
    transfer(device, BUFFER, to, 8, TO_MEMORY);
  }

  static long value(long address) {
    return at(address, 8).get(ValueLayout.JAVA_LONG, 0);
  }

  static void setValue(long address, long value) {
    at(address, 8).set(ValueLayout.JAVA_LONG, 0, value);
  }

  /** The argument of VFIO_DEVICE_FEATURE, with zeros behind it. */
  final MemorySegment featureOf(int flags, int dataBytes) {
    MemorySegment feature = sized(8 + dataBytes);
    vfio_device_feature.flags(feature, flags);
    return feature;
  }

  final int feature(int device, int flags, int dataBytes) {
    return ioctl(device, VFIO_DEVICE_FEATURE, featureOf(flags, dataBytes));
  }

  /** A range of a region. */
  record Piece(long offset, long length) {}

  /** The argument of VFIO_DEVICE_FEATURE that makes a dma-buf. */
  final MemorySegment dmaBufOf(int region, Piece... pieces) {
    long head = vfio_device_feature_dma_buf.sizeof();
    long each = vfio_region_dma_range.sizeof();
    int get = Vfio.VFIO_DEVICE_FEATURE_GET() | Vfio.VFIO_DEVICE_FEATURE_DMA_BUF();
    MemorySegment feature = featureOf(get, (int) (head + each * pieces.length));
    MemorySegment data = feature.asSlice(8);
    vfio_device_feature_dma_buf.region_index(data, region);
    vfio_device_feature_dma_buf.open_flags(data, Libc.O_RDWR() | Libc.O_CLOEXEC());
    vfio_device_feature_dma_buf.nr_ranges(data, pieces.length);
    for (int i = 0; i < pieces.length; i++) {
      MemorySegment range = data.asSlice(head + i * each, each);
      vfio_region_dma_range.offset(range, pieces[i].offset);
      vfio_region_dma_range.length(range, pieces[i].length);
    }
    return feature;
  }

  /** Makes a dma-buf; the result of the call. */
  final int exportDmaBuf(int device, int region, Piece... pieces) {
    return ioctl(device, VFIO_DEVICE_FEATURE, dmaBufOf(region, pieces));
  }

  /** A dma-buf of BAR 0. */
  final int dmaBuf(int device, Piece... pieces) {
    return keep(exportDmaBuf(device, BAR0, pieces));
  }

  final List<String> groupMembers() {
    return sysfs.list(file("iommu_group/devices"));
  }
}
