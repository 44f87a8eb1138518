package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.DirtyBitmap;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PageTableId;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_destroy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A device that the kernel makes up, behind an IOMMU that it makes up too, if it was built with
 * CONFIG_IOMMUFD_TEST. Numbers and offsets are those of drivers/iommu/iommufd/iommufd_test.h, which
 * is no UAPI header.
 */
final class TestDevice implements AutoCloseable {
  /** Where the made-up IOMMU begins to map. */
  static final long APERTURE = 1 << 24;

  /** Its page. */
  static final long PAGE = 2048;

  /** The type of its page tables' data. */
  static final int HWPT_DATA = 0xdead;

  /** What every entry of its made-up caches holds. */
  static final int CACHED = 0xbaddad;

  private static final long COMMAND = 0x3ba0;
  private static final int BYTES = 72;
  private static final int MOCK_DOMAIN_REPLACE = 10;
  private static final int MOCK_DOMAIN_FLAGS = 12;
  private static final int DIRTY = 13;
  private static final int CHECK_IOTLB = 14;
  private static final int TRIGGER_IOPF = 15;
  private static final int CHECK_CACHE = 16;
  private static final int TRIGGER_VEVENT = 17;
  private static final int NO_PASID = 0;

  private final Iommufd iommufd;
  private final int id;
  private final DeviceId deviceId;

  /** Makes a device, attached to an IOAS. */
  TestDevice(Iommufd iommufd, Ioas ioas) {
    this.iommufd = iommufd;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment command = command(arena, MOCK_DOMAIN_FLAGS, ioas.id().value());
      succeeds(call(command));
      id = command.get(ValueLayout.JAVA_INT, 16);
      deviceId = new DeviceId(command.get(ValueLayout.JAVA_INT, 24));
    }
  }

  private static MemorySegment command(Arena arena, int operation, int id) {
    MemorySegment command = arena.allocate(BYTES, Long.BYTES);
    command.set(ValueLayout.JAVA_INT, 0, BYTES);
    command.set(ValueLayout.JAVA_INT, 4, operation);
    command.set(ValueLayout.JAVA_INT, 8, id);
    return command;
  }

  private int call(MemorySegment command) {
    Kernel kernel = iommufd.fd().kernel();
    return kernel.ioctl(iommufd.fd().number(), COMMAND, command.address());
  }

  private static void succeeds(int result) {
    assertThat(result).as("the kernel's test command").isZero();
  }

  DeviceId deviceId() {
    return deviceId;
  }

  /** Attaches it to another page table. */
  void attach(PageTableId pageTable) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment command = command(arena, MOCK_DOMAIN_REPLACE, id);
      command.set(ValueLayout.JAVA_INT, 16, pageTable.value());
      succeeds(call(command));
    }
  }

  /** Writes a page by DMA, as the IOMMU sees it. */
  void write(Hwpt hwpt, DirtyBitmap pages) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment command = command(arena, DIRTY, hwpt.id().value());
      command.set(ValueLayout.JAVA_LONG, 24, pages.first());
      command.set(ValueLayout.JAVA_LONG, 32, pages.bytes());
      command.set(ValueLayout.JAVA_LONG, 40, pages.pageBytes());
      command.set(ValueLayout.JAVA_LONG, 48, pages.bits().address());
      succeeds(call(command));
      assertThat(command.get(ValueLayout.JAVA_LONG, 56)).isEqualTo(pages.count());
    }
  }

  /** Asks for a page that the page table does not have. */
  void fault(int group, int permissions, long address) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment command = command(arena, TRIGGER_IOPF, 0);
      command.set(ValueLayout.JAVA_INT, 16, deviceId.value());
      command.set(ValueLayout.JAVA_INT, 20, NO_PASID);
      command.set(ValueLayout.JAVA_INT, 24, group);
      command.set(ValueLayout.JAVA_INT, 28, permissions);
      command.set(ValueLayout.JAVA_LONG, 32, address);
      succeeds(call(command));
    }
  }

  /** Has the made-up IOMMU report an event of this device; the result of the command. */
  int event() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment command = command(arena, TRIGGER_VEVENT, 0);
      command.set(ValueLayout.JAVA_INT, 16, deviceId.value());
      return call(command);
    }
  }

  /** Whether an entry of the device's cache holds a value. */
  boolean caches(int entry, int value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment command = command(arena, CHECK_CACHE, deviceId.value());
      command.set(ValueLayout.JAVA_INT, 16, entry);
      command.set(ValueLayout.JAVA_INT, 20, value);
      return call(command) == 0;
    }
  }

  /** Whether an entry of a nested page table's IOTLB holds a value. */
  boolean translates(NestedHwpt hwpt, int entry, int value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment command = command(arena, CHECK_IOTLB, hwpt.id().value());
      command.set(ValueLayout.JAVA_INT, 16, entry);
      command.set(ValueLayout.JAVA_INT, 20, value);
      return call(command) == 0;
    }
  }

  @Override
  public void close() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment destroy = iommu_destroy.allocate(arena);
      iommu_destroy.size(destroy, (int) iommu_destroy.sizeof());
      iommu_destroy.id(destroy, id);
      iommufd.fd().ioctl(IommufdIoctls.IOMMU_DESTROY, destroy);
    }
  }
}
