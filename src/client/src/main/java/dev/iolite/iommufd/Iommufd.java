package dev.iolite.iommufd;

import dev.iolite.kernel.DeviceId;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.HeldMemory;
import dev.iolite.kernel.IoasId;
import dev.iolite.kernel.Kernel;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.catalog.IommufdIoctls;
import dev.iolite.uapi.iommufd.iommu_hw_info;
import dev.iolite.uapi.iommufd.iommu_ioas_alloc;
import dev.iolite.uapi.iommufd.iommu_ioas_change_process;
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
    return allocHwpt(device, ioas, flags, Optional.empty());
  }

  /**
   * Like {@link #allocHwpt(DeviceId, Ioas, Set)}, with a queue for the page faults of the devices
   * that are attached to it.
   *
   * @throws dev.iolite.kernel.KernelException as there, and ENOENT: no such queue
   */
  public Optional<Hwpt> allocHwpt(
      DeviceId device, Ioas ioas, Set<HwptFlag> flags, Optional<FaultQueue> faults) {
    return new HwptAllocCall(device, ioas.id().value(), flags, faults)
        .make(fd)
        .map(id -> new Hwpt(fd, id));
  }

  /**
   * Makes a page table that the guest fills, nested on one that translates the guest's memory, by
   * IOMMU_HWPT_ALLOC. See drivers/iommu/iommufd/hw_pagetable.c:iommufd_hwpt_nested_alloc.
   *
   * @param device the device that it is for
   * @param parent made with {@link HwptFlag#NEST_PARENT}
   * @param flags {@link HwptFlag#PASID}, or none
   * @param data what the IOMMU's driver is told of it
   * @param faults where the page faults of its devices go
   * @return the page table; empty if the IOMMU does not nest, or not so (EOPNOTSUPP)
   * @throws dev.iolite.kernel.KernelException EINVAL: the parent is none, or the data are not
   *     right; ENOENT: no such device or queue. ENOMEM
   */
  public Optional<NestedHwpt> allocNested(
      DeviceId device,
      Hwpt parent,
      Set<HwptFlag> flags,
      PageTableData data,
      Optional<FaultQueue> faults) {
    return new HwptAllocCall(device, parent.id().value(), flags, faults)
        .make(fd, data)
        .map(id -> new NestedHwpt(fd, id));
  }

  /**
   * Makes a queue for page faults, by IOMMU_FAULT_QUEUE_ALLOC. See
   * drivers/iommu/iommufd/eventq.c:iommufd_fault_alloc.
   *
   * @throws dev.iolite.kernel.KernelException EMFILE: this process has too many descriptors. ENOMEM
   */
  public FaultQueue allocFaultQueue() {
    return FaultQueue.alloc(fd);
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
    return allocViommu(device, parent, type, MemorySegment.NULL);
  }

  /**
   * Like {@link #allocViommu(DeviceId, Hwpt, ViommuType)}, with the driver's own data.
   *
   * @param data the struct of the type, such as struct iommu_viommu_tegra241_cmdqv; the driver may
   *     write its answer into it
   * @throws dev.iolite.kernel.KernelException as there, and what the driver says of its data
   */
  public Optional<Viommu> allocViommu(
      DeviceId device, Hwpt parent, ViommuType type, MemorySegment data) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment alloc = iommu_viommu_alloc.allocate(arena);
      iommu_viommu_alloc.size(alloc, (int) iommu_viommu_alloc.sizeof());
      iommu_viommu_alloc.type(alloc, type.number());
      iommu_viommu_alloc.dev_id(alloc, device.value());
      iommu_viommu_alloc.hwpt_id(alloc, parent.id().value());
      iommu_viommu_alloc.data_len(alloc, Math.toIntExact(data.byteSize()));
      iommu_viommu_alloc.data_uptr(alloc, data.address());
      long result =
          HeldMemory.during(
              data, () -> fd.ioctl(IommufdIoctls.IOMMU_VIOMMU_ALLOC, alloc, Errno.EOPNOTSUPP));
      if (result < 0) {
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
    return hwInfo(device, 0, 0);
  }

  /**
   * Like {@link #hwInfo(DeviceId)}, in one of the forms that a driver has.
   *
   * @param type an IOMMU_HW_INFO_TYPE_ constant
   * @throws dev.iolite.kernel.KernelException as there, and EOPNOTSUPP: the driver does not have it
   */
  public HwInfo hwInfo(DeviceId device, int type) {
    return hwInfo(device, dev.iolite.uapi.iommufd.Iommufd.IOMMU_HW_INFO_FLAG_INPUT_TYPE(), type);
  }

  private HwInfo hwInfo(DeviceId device, int flags, int type) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = iommu_hw_info.allocate(arena);
      iommu_hw_info.size(info, (int) iommu_hw_info.sizeof());
      iommu_hw_info.flags(info, flags);
      iommu_hw_info.dev_id(info, device.value());
      iommu_hw_info.in_data_type(info, type);
      fd.ioctl(IommufdIoctls.IOMMU_GET_HW_INFO, info);
      MemorySegment data = arena.allocate(iommu_hw_info.data_len(info), Long.BYTES);
      iommu_hw_info.data_uptr(info, data.address());
      iommu_hw_info.in_data_type(info, type);
      fd.ioctl(IommufdIoctls.IOMMU_GET_HW_INFO, info);
      return HwInfo.of(info, data);
    }
  }

  /** The IOAS that this iommufd uses as a VFIO container's address space. */
  public VfioIoas vfioIoas() {
    return new VfioIoas(fd);
  }

  /**
   * Charges this process with all pinned memory, and lets its own memory be reached where another
   * process mapped the same file, by IOMMU_IOAS_CHANGE_PROCESS: the end of a live update.
   * Everything must have been mapped by {@link Ioas#mapFile}. After an error, nothing has changed.
   *
   * @throws dev.iolite.kernel.KernelException EINVAL: something is mapped that is no file; EBUSY:
   *     an address space is being changed; ENOMEM: this process may not lock so much. See
   *     drivers/iommu/iommufd/ioas.c:iommufd_ioas_change_process
   */
  public void changeProcess() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment change = iommu_ioas_change_process.allocate(arena);
      iommu_ioas_change_process.size(change, (int) iommu_ioas_change_process.sizeof());
      fd.ioctl(IommufdIoctls.IOMMU_IOAS_CHANGE_PROCESS, change);
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
