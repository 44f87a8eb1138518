package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HwptId;
import dev.iolite.kernel.IoasId;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_hwpt_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_viommu_alloc;
import dev.iolite.uapi.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;

/**
 * An open {@code /dev/iommu}: I/O address spaces, page tables, and the devices bound to it.
 *
 * <p>Closing it destroys all of its objects as soon as no bound device holds it open.
 *
 * <p>Safe for use by several threads.
 */
public final class Iommufd implements AutoCloseable {
  /** The path of the device node. */
  public static final String PATH = "/dev/iommu";

  private final Fd fd;

  private Iommufd(Fd fd) {
    this.fd = fd;
  }

  /**
   * Opens {@code /dev/iommu}.
   *
   * @throws dev.iolite.kernel.KernelException ENOENT: the kernel was built without CONFIG_IOMMUFD,
   *     or its module is not loaded. EACCES: this user may not open it
   */
  public static Iommufd open(Kernel kernel) {
    return new Iommufd(Fd.open(kernel, FdKind.IOMMUFD, PATH, Libc.O_RDWR()));
  }

  /** The descriptor, to pass to the kernel. */
  public Fd fd() {
    return fd;
  }

  /**
   * Makes an empty I/O address space, by IOMMU_IOAS_ALLOC. See
   * drivers/iommu/iommufd/ioas.c:iommufd_ioas_alloc_ioctl.
   *
   * @throws dev.iolite.kernel.KernelException ENOMEM: the kernel is out of memory
   */
  public Ioas allocIoas() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_ioas_alloc.allocate(arena);
      iommu_ioas_alloc.size(alloc, (int) iommu_ioas_alloc.sizeof());
      fd.ioctl(IommufdIoctls.IOMMU_IOAS_ALLOC, alloc);
      return new Ioas(fd, new IoasId(iommu_ioas_alloc.out_ioas_id(alloc)));
    }
  }

  /**
   * Makes a hardware page table for the mappings of an IOAS, by IOMMU_HWPT_ALLOC. Memory mapped in
   * the IOAS is pinned from now on. See drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_alloc.
   *
   * @param device the device that it is for; others behind the same IOMMU can use it too
   * @param ioas the IOAS whose mappings it has
   * @param flags its properties
   * @return the page table; empty if the IOMMU or its driver lacks a property (EOPNOTSUPP)
   * @throws dev.iolite.kernel.KernelException ENOENT: no such device. EINVAL: no such IOAS, or its
   *     mappings do not fit the IOMMU. ENOMEM: the memlock limit is reached. EFAULT: memory mapped
   *     in the IOAS is gone
   */
  public Optional<Hwpt> allocHwpt(DeviceId device, Ioas ioas, Set<HwptFlag> flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_hwpt_alloc.allocate(arena);
      iommu_hwpt_alloc.size(alloc, (int) iommu_hwpt_alloc.sizeof());
      iommu_hwpt_alloc.flags(
          alloc, flags.stream().mapToInt(HwptFlag::bit).reduce(0, (a, b) -> a | b));
      iommu_hwpt_alloc.dev_id(alloc, device.value());
      iommu_hwpt_alloc.pt_id(alloc, ioas.id().value());
      if (fd.ioctl(IommufdIoctls.IOMMU_HWPT_ALLOC, alloc, Errno.EOPNOTSUPP) < 0) {
        return Optional.empty();
      }
      return Optional.of(new Hwpt(fd, new HwptId(iommu_hwpt_alloc.out_hwpt_id(alloc))));
    }
  }

  /**
   * Makes a virtual IOMMU, by IOMMU_VIOMMU_ALLOC, without driver-specific data. See
   * drivers/iommu/iommufd/viommu.c:iommufd_viommu_alloc_ioctl.
   *
   * @param device a device behind the physical IOMMU that it is part of
   * @param parent the page table that translates the VM's memory, made with {@link
   *     HwptFlag#NEST_PARENT}; for the TSM's type, which a proposal adds, any page table
   * @return the vIOMMU; empty if the IOMMU's driver does not support this type (EOPNOTSUPP); VT-d's
   *     supports none in 7.3
   * @throws dev.iolite.kernel.KernelException ENOENT: no such device or page table. EINVAL: the
   *     page table is not a parent, or belongs to another IOMMU. ENOMEM
   */
  public Optional<Viommu> allocViommu(DeviceId device, Hwpt parent, ViommuType type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_viommu_alloc.allocate(arena);
      iommu_viommu_alloc.size(alloc, (int) iommu_viommu_alloc.sizeof());
      iommu_viommu_alloc.type(alloc, type.number());
      iommu_viommu_alloc.dev_id(alloc, device.value());
      iommu_viommu_alloc.hwpt_id(alloc, parent.id().value());
      if (fd.ioctl(IommufdIoctls.IOMMU_VIOMMU_ALLOC, alloc, Errno.EOPNOTSUPP) < 0) {
        return Optional.empty();
      }
      var id = new ViommuId(iommu_viommu_alloc.out_viommu_id(alloc));
      return Optional.of(new Viommu(fd, id, type, parent.id()));
    }
  }

  /**
   * What the IOMMU in front of a device can do, by IOMMU_GET_HW_INFO. The driver determines the
   * length of the data, so the call is made twice. See
   * drivers/iommu/iommufd/device.c:iommufd_get_hw_info.
   *
   * @param device a device bound to this iommufd
   * @throws dev.iolite.kernel.KernelException ENOENT: no such device here. EOPNOTSUPP: the device
   *     has no IOMMU (no-IOMMU mode)
   */
  public HwInfo hwInfo(DeviceId device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = iommu_hw_info.allocate(arena);
      iommu_hw_info.size(info, (int) iommu_hw_info.sizeof());
      iommu_hw_info.dev_id(info, device.value());
      fd.ioctl(IommufdIoctls.IOMMU_GET_HW_INFO, info);
      MemorySegment data = arena.allocate(iommu_hw_info.data_len(info), Long.BYTES);
      iommu_hw_info.data_uptr(info, data.address());
      iommu_hw_info.in_data_type(info, 0);
      fd.ioctl(IommufdIoctls.IOMMU_GET_HW_INFO, info);
      return HwInfo.of(info, data);
    }
  }

  /**
   * Who is charged for pinned memory, by IOMMU_OPTION. See
   * drivers/iommu/iommufd/ioas.c:iommufd_option_rlimit_mode.
   */
  public MemlockAccounting memlockAccounting() {
    return IommufdOption.get(fd, dev.iolite.uapi.iommufd.Iommufd.IOMMU_OPTION_RLIMIT_MODE(), 0) == 0
        ? MemlockAccounting.USER
        : MemlockAccounting.PROCESS;
  }

  /**
   * Sets who is charged for pinned memory, by IOMMU_OPTION. See
   * drivers/iommu/iommufd/ioas.c:iommufd_option_rlimit_mode.
   *
   * @throws dev.iolite.kernel.KernelException EPERM: this needs CAP_SYS_RESOURCE. EBUSY: the
   *     iommufd already has objects
   */
  public void setMemlockAccounting(MemlockAccounting accounting) {
    IommufdOption.set(
        fd,
        dev.iolite.uapi.iommufd.Iommufd.IOMMU_OPTION_RLIMIT_MODE(),
        0,
        accounting == MemlockAccounting.PROCESS ? 1 : 0);
  }

  @Override
  public void close() {
    fd.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
