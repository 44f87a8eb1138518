package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.kernel.MemFd;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An IOAS with the edu device attached: page tables, pinned memory, the device's limits. */
@Tag("lab")
class AttachedIoasLabTest {
  private static final long PAGE = 4096;
  private static final long BAR_BYTES = 1 << 20;
  private static final IovaRange MSI = new IovaRange(0xfee00000L, 0xfeefffffL);

  private final Kernel kernel = new HostKernel();
  private final CloseStack open = new CloseStack();
  private final Iommufd iommufd = open.push(Iommufd.open(kernel));
  private final Mapping ram = open.push(Mapping.anonymous(kernel, 4 * PAGE));
  private final PciDevice edu =
      open.push(
              DriverBinding.bind(
                  new Pci(kernel).device(PciAddress.parse("0000:00:02.0")), "vfio-pci"))
          .device();
  private final BoundVfioDevice device = open.push(bound());
  private final Ioas ioas = iommufd.allocIoas();

  private BoundVfioDevice bound() {
    try (VfioDevice cdev = VfioDevice.open(kernel, edu.requireVfioCdev(), "edu")) {
      return cdev.bind(iommufd);
    }
  }

  @AfterEach
  void close() {
    open.close();
  }

  private MemorySegment pages(int count) {
    return ram.segment().asSlice(0, count * PAGE);
  }

  /** All of BAR 0, in so many ranges. */
  private DmaBuf dmaBuf(int ranges) {
    long bytes = BAR_BYTES / ranges;
    return device.exportDmaBuf(
        PciRegion.BAR0,
        IntStream.range(0, ranges).mapToObj(i -> new ByteRange(i * bytes, bytes)).toList(),
        Libc.O_RDWR());
  }

  private static KernelException assertFails(Errno errno, ThrowingCallable call) {
    var failure = new KernelException[1];
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno);
              failure[0] = e;
            });
    return failure[0];
  }

  @Test
  void readsWhatTheEmulatedIommuIs() {
    HwInfo info = iommufd.hwInfo(device.deviceId());
    assertThat(info.hardware())
        .asInstanceOf(type(IommuHardware.IntelVtd.class))
        .satisfies(vtd -> {
          assertThat(vtd.name()).isEqualTo("Intel VT-d");
          assertThat(vtd.addressBits()).isIn(39, 48);
          assertThat(vtd.levels()).isNotEmpty();
          assertThat(vtd.cachingMode()).as("QEMU was told so").isTrue();
          assertThat(vtd.pages2M()).isTrue();
          assertThat(vtd.scalableMode()).isFalse();
          assertThat(vtd.nesting()).isFalse();
          assertThat(vtd.pasidBits()).isZero();
        });
    assertThat(info.dirtyTracking()).isFalse();
    assertThat(info.pasidBits()).isZero();
  }

  @Test
  void anAttachedDeviceNarrowsTheRanges() {
    device.attach(ioas.id());
    IommuInfo info = IommuInfo.of(iommufd, device.deviceId(), ioas);
    int bits = ((IommuHardware.IntelVtd) info.hardware().hardware()).addressBits();
    assertThat(info.ranges())
        .isEqualTo(
            new IovaRanges(
                List.of(
                    new IovaRange(0, MSI.first() - 1),
                    new IovaRange(MSI.last() + 1, (1L << bits) - 1)),
                PAGE));
    assertThat(info.nesting()).isFalse();
    device.detach();
    assertThat(ioas.ranges().allowed()).containsExactly(IovaRange.ALL);
  }

  @Test
  void mapsOnlyWhereTheDeviceReaches() {
    device.attach(ioas.id());
    IovaRange high = ioas.ranges().allowed().getLast();
    assertThat(assertFails(Errno.EINVAL, () -> ioas.map(MSI.first(), pages(1), IovaAccess.READ)))
        .hasMessageContaining("reserved range")
        .hasMessageContaining("IOMMU_IOAS_IOVA_RANGES");
    assertFails(Errno.EINVAL, () -> ioas.map(MSI.first() - PAGE, pages(2), IovaAccess.READ));
    assertFails(Errno.EINVAL, () -> ioas.map(high.last() + 1, pages(1), IovaAccess.READ));
    assertThat(ioas.map(high.last() + 1 - PAGE, pages(1), IovaAccess.READ).isMapped()).isTrue();
  }

  @Test
  void mapsOnlyWholePages() {
    device.attach(ioas.id());
    assertFails(Errno.EINVAL, () -> ioas.map(0x800, pages(1), IovaAccess.READ));
    assertFails(Errno.EINVAL, () -> ioas.map(0, ram.segment().asSlice(0, 0x800), IovaAccess.READ));
    assertFails(
        Errno.EINVAL, () -> ioas.map(0, ram.segment().asSlice(0x800, PAGE), IovaAccess.READ));
  }

  @Test
  void memoryMustBeThereWhenItIsPinned() {
    long address;
    try (Mapping gone = Mapping.anonymous(kernel, PAGE)) {
      address = gone.address();
    }
    MemorySegment nothing = MemorySegment.ofAddress(address).reinterpret(PAGE);
    IovaMapping noted = ioas.map(0, nothing, IovaAccess.READ);
    assertFails(Errno.EFAULT, () -> device.attach(ioas.id()));
    noted.close();
    device.attach(ioas.id());
    assertFails(Errno.EFAULT, () -> ioas.map(0, nothing, IovaAccess.READ));
  }

  @Test
  void memoryThatIsReadOnlyIsMappedForReadingOnly() {
    try (MemFd memfd = MemFd.create(kernel, "ram", PAGE);
        Mapping readOnly = Mapping.of(memfd.fd(), 0, PAGE, Libc.PROT_READ())) {
      device.attach(ioas.id());
      assertFails(Errno.EFAULT, () -> ioas.map(0, readOnly.segment(), IovaAccess.READ_WRITE));
      ioas.map(0, readOnly.segment(), IovaAccess.READ).close();
    }
  }

  @Test
  void aFileThatIsNoMemoryIsFoundOutWhenItsPagesAreNeeded() {
    try (Fd file = Fd.open(kernel, FdKind.FILE, "/proc/version", Libc.O_RDONLY())) {
      IovaMapping noted = ioas.mapFileAnywhere(file, 0, PAGE, IovaAccess.READ);
      assertFails(Errno.EINVAL, () -> device.attach(ioas.id()));
      noted.close();
      device.attach(ioas.id());
      assertThat(
              assertFails(Errno.EINVAL, () -> ioas.mapFileAnywhere(file, 0, PAGE, IovaAccess.READ)))
          .hasMessageContaining("memfd");
    }
  }

  @Test
  void copiesBetweenAnAttachedIoasAndANewOne() {
    device.attach(ioas.id());
    IovaMapping source = ioas.mapAnywhere(pages(2), IovaAccess.READ_WRITE);
    try (Ioas other = iommufd.allocIoas()) {
      assertThat(other.copy(0x1000, source, IovaAccess.READ).bytes()).isEqualTo(2 * PAGE);
    }
    source.close();
  }

  @Test
  void anIoasWithADeviceIsNotDestroyed() {
    device.attach(ioas.id());
    IovaMapping mapping = ioas.map(0, pages(1), IovaAccess.READ);
    assertThat(assertFails(Errno.EBUSY, ioas::close))
        .hasMessageContaining("IOMMU_DESTROY")
        .hasMessageContaining("attached");
    assertThat(mapping.isMapped()).isTrue();
    device.detach();
    ioas.close();
    assertThat(mapping.isMapped()).isFalse();
  }

  @Test
  void aBoundDeviceIsNotDestroyed() {
    assertFails(
        Errno.EBUSY,
        () -> new IommufdObject(iommufd.fd(), device.deviceId().value(), "device").close());
  }

  @Test
  void makesAPageTableAndAttachesToIt() {
    IovaMapping mapping = ioas.map(0, pages(1), IovaAccess.READ);
    Hwpt hwpt = iommufd.allocHwpt(device.deviceId(), ioas, Set.of()).orElseThrow();
    assertFails(Errno.EBUSY, ioas::close);
    device.attach(hwpt.id());
    assertFails(Errno.EBUSY, hwpt::close);
    mapping.close();
    device.detach();
    hwpt.close();
    hwpt.close();
    ioas.close();
  }

  @Test
  void whatThisIommuLacksIsAnAnswerAndNoError() {
    for (HwptFlag flag : List.of(HwptFlag.NEST_PARENT, HwptFlag.DIRTY_TRACKING)) {
      assertThat(iommufd.allocHwpt(device.deviceId(), ioas, Set.of(flag)))
          .as(flag.name())
          .isEmpty();
    }
    ioas.close();
  }

  @Test
  void vtdMakesPageTablesForPasidsWithoutHavingAny() {
    assertThat(iommufd.hwInfo(device.deviceId()).pasidBits()).isZero();
    iommufd.allocHwpt(device.deviceId(), ioas, Set.of(HwptFlag.PASID)).orElseThrow().close();
    ioas.close();
  }

  @Test
  void aPageTableOfNoIoasIsInvalid() {
    ioas.close();
    assertFails(Errno.EINVAL, () -> iommufd.allocHwpt(device.deviceId(), ioas, Set.of()));
  }

  @Test
  void demandedRangesKeepADeviceAwayThatDoesNotReachThem() {
    ioas.allow(List.of(MSI));
    assertFails(Errno.EADDRINUSE, () -> device.attach(ioas.id()));
    ioas.allow(List.of());
    device.attach(ioas.id());
    assertThat(assertFails(Errno.EADDRINUSE, () -> ioas.allow(List.of(MSI))))
        .hasMessageContaining("can not reach");
  }

  @Test
  void hugePagesAreNotSwitchedOffUnderAMapping() {
    device.attach(ioas.id());
    IovaMapping mapping = ioas.map(0, pages(1), IovaAccess.READ);
    assertFails(Errno.EINVAL, () -> ioas.setHugePages(false));
    mapping.close();
    ioas.setHugePages(false);
    assertThat(ioas.hugePages()).isFalse();
  }

  @Test
  void mapsTheBarForOtherDevicesUntilItsMemoryIsOff() {
    device.config().setMemoryDecode(true);
    device.attach(ioas.id());
    try (DmaBuf bar = dmaBuf(1)) {
      IovaMapping mapping = ioas.mapFile(0x40000000, bar.fd(), 0, BAR_BYTES, IovaAccess.READ_WRITE);
      assertThat(mapping.what()).startsWith("dma-buf ").endsWith(" from 0x0");
      assertFails(
          Errno.EINVAL, () -> ioas.mapFileAnywhere(bar.fd(), PAGE, BAR_BYTES, IovaAccess.READ));

      device.config().setMemoryDecode(false);
      assertThat(mapping.isMapped()).as("revoked, but the IOVA is taken").isTrue();
      assertThat(
              assertFails(
                  Errno.ENODEV, () -> ioas.mapFileAnywhere(bar.fd(), 0, PAGE, IovaAccess.READ)))
          .hasMessageContaining("revoked");
      assertFails(Errno.EEXIST, () -> ioas.map(0x40000000, pages(1), IovaAccess.READ));
      device.config().setMemoryDecode(true);
      mapping.close();
      ioas.mapFile(0x40000000, bar.fd(), 0, BAR_BYTES, IovaAccess.READ_WRITE).close();
    }
  }

  @Test
  void aDmaBufOfSeveralRangesIsRefused() {
    device.config().setMemoryDecode(true);
    try (DmaBuf bar = dmaBuf(2)) {
      assertThat(
              assertFails(
                  Errno.EOPNOTSUPP, () -> ioas.mapFileAnywhere(bar.fd(), 0, PAGE, IovaAccess.READ)))
          .hasMessageContaining("one dma-buf for each range");
    }
  }

  @Test
  void memoryBeyondTheMemlockLimitIsNotMappedForAUserWithoutPrivileges() throws Exception {
    Path cdev = Path.of(edu.requireVfioCdev());
    device.close();
    Path iommu = Path.of(Iommufd.PATH);
    Set<PosixFilePermission> before = Files.getPosixFilePermissions(iommu);
    Set<PosixFilePermission> everybody = PosixFilePermissions.fromString("rw-rw-rw-");
    Files.setPosixFilePermissions(iommu, everybody);
    Files.setPosixFilePermissions(cdev, everybody);
    try {
      String java = ProcessHandle.current().info().command().orElseThrow();
      Process probe =
          new ProcessBuilder(
                  "su",
                  "-c",
                  "ulimit -l 64; exec %s -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED -cp '%s' %s %s"
                      .formatted(
                          java,
                          System.getProperty("java.class.path"),
                          MemlockProbe.class.getName(),
                          cdev),
                  "user")
              .redirectErrorStream(true)
              .start();
      String said = new String(probe.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(said)
          .contains("64 KiB mapped", "IOMMU_IOAS_MAP on iommufd", "ENOMEM", "memlock limit")
          .contains("ulimit -l");
      assertThat(probe.waitFor()).isZero();
    } finally {
      Files.setPosixFilePermissions(iommu, before);
    }
  }
}
