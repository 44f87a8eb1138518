package dev.iolite.mock.core;

import java.util.List;

/** The calls that a kernel's VFIO has beyond those of 7.3, on devices that are given to a VM. */
public interface AssignedDeviceCalls {
  /** Called when a device was opened: its file is bound to an iommufd. */
  void opened(AssignedDevice device);

  /** Called when a device is about to be closed. */
  void closed(AssignedDevice device);

  /**
   * Executes a command that 7.3 does not know.
   *
   * @throws Refused ENOTTY: this kernel does not know it either
   */
  int ioctl(AssignedDevice device, int request, long argument);

  /**
   * The kind of dma-buf that these flags ask for.
   *
   * @throws Refused EINVAL: there are no such flags
   */
  DmaBufKind dmaBufKind(int flags);

  /**
   * Called when a dma-buf of a kind is about to be made.
   *
   * @throws Refused why this kind is impossible now
   */
  void exporting(AssignedDevice device, DmaBufKind kind);

  /**
   * The part of the requested ranges that a dma-buf covers.
   *
   * @throws Refused EINVAL: none
   */
  List<BarRange> cover(AssignedDevice device, DmaBufKind kind, int bar, List<BarRange> asked);

  /**
   * Executes a command on a dma-buf that 7.3 does not know.
   *
   * @param bar the dma-buf's BAR
   * @param ranges the parts of the BAR that it covers, one after the other
   * @throws Refused ENOTTY: this kernel does not know it either
   */
  int dmaBufIoctl(int bar, List<BarRange> ranges, int request, long argument);

  /** Whether the kernel knows VFIO_DEVICE_FEATURE_DMA_BUF_RUNS. */
  boolean tellsRuns();

  /**
   * VFIO_DEVICE_FEATURE_DMA_BUF_RUNS, for a dma-buf of the device.
   *
   * @param address where its struct is
   * @param bar the dma-buf's BAR
   * @param ranges the parts of the BAR that it covers, one after the other
   * @throws Refused EMSGSIZE: there are more runs than fit, and their number is written back;
   *     EFAULT
   */
  void tellRuns(long address, int bar, DmaBufKind kind, List<BarRange> ranges);

  /**
   * Called when a part of a BAR that can be mapped is about to be mapped.
   *
   * @param range the part, which may extend beyond the BAR's end
   * @throws Refused why it must not be
   */
  void mapping(AssignedDevice device, int bar, BarRange range);

  /** Whether a mapping does not reach a part of a BAR now. */
  boolean hidesMappings(AssignedDevice device, int bar, BarRange range);

  /** Whether the host must not read or write a part of a BAR now. */
  boolean isPrivate(AssignedDevice device, int bar, BarRange range);

  /** Called when a device is about to be put into low power, even if it is in it already. */
  void suspending(AssignedDevice device);

  /** Whether a device may come to be locked, with parts of its BARs kept from the host. */
  boolean locksDevices();

  /** Whether a guest that reaches a private dma-buf is kept from the device for now. */
  boolean isMute(AssignedDevice device);

  /** Linux 7.3, which has no such calls. */
  static AssignedDeviceCalls none() {
    return new PlainVfio();
  }
}
