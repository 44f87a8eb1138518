package dev.iolite.vfio;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Fd;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_device_info;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_region_info;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A VFIO device that can be used, however it was opened: by its own file and bound to an iommufd,
 * or through its group.
 *
 * <p>Close what was made from it (mappings, interrupts) first: a mapping keeps the kernel's side of
 * the device open. Not safe for use by several threads, except for what {@link #region} returns.
 */
public abstract sealed class OpenVfioDevice implements AutoCloseable
    permits BoundVfioDevice, GroupVfioDevice {
  private final Fd fd;
  private final String name;
  private Optional<ConfigRegion> config = Optional.empty();

  OpenVfioDevice(Fd fd, String name) {
    this.fd = fd;
    this.name = name;
  }

  /** The device's descriptor. */
  public final Fd fd() {
    return fd;
  }

  /** What the device is called in messages. */
  public final String name() {
    return name;
  }

  /** Its features: what VFIO_DEVICE_FEATURE can probe, get and set. */
  public final DeviceFeatures features() {
    return new DeviceFeatures(fd);
  }

  /** Whether it may be suspended. */
  public final LowPower lowPower() {
    return new LowPower(features());
  }

  /** The log of the pages that it writes. */
  public final DmaLogging dmaLogging() {
    return new DmaLogging(features());
  }

  /**
   * Its migration, by VFIO_DEVICE_FEATURE with GET of MIGRATION.
   *
   * @return empty if its driver cannot migrate it (ENOTTY)
   * @throws KernelException any other errno
   */
  public final Optional<Migration> migration() {
    return Migration.of(features(), name);
  }

  /** What a graphics device shows. */
  public final GfxPlanes gfxPlanes() {
    return new GfxPlanes(fd);
  }

  /**
   * What the device is, by VFIO_DEVICE_GET_INFO. See
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_info.
   *
   * @throws KernelException what the kernel said
   * @throws MalformedReplyException if the capability chain breaks the rules
   */
  public final DeviceInfo info() {
    try (Arena arena = Arena.ofConfined()) {
      var command = VfioIoctls.VFIO_DEVICE_GET_INFO;
      long fixed = vfio_device_info.sizeof();
      MemorySegment info = InfoCall.make(arena, fd, command, fixed, _ -> {}).info();
      int flags = vfio_device_info.flags(info);
      boolean chain = (flags & Vfio.VFIO_DEVICE_FLAGS_CAPS()) != 0;
      return new DeviceInfo(
          flags,
          vfio_device_info.num_regions(info),
          vfio_device_info.num_irqs(info),
          CapabilityChain.decode(
              command.name(),
              info,
              fixed,
              chain ? vfio_device_info.cap_offset(info) : 0,
              Capabilities::ofDevice));
    }
  }

  /**
   * What a region is, by VFIO_DEVICE_GET_REGION_INFO. See
   * drivers/vfio/vfio_main.c:vfio_get_region_info and
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_region_info.
   *
   * @return empty if the device has no such index (EINVAL); a BAR that it lacks is returned with
   *     size 0
   * @throws KernelException any other errno
   * @throws MalformedReplyException if the capability chain breaks the rules
   */
  public final Optional<RegionInfo> regionInfo(PciRegion region) {
    return regionInfo(region.index());
  }

  /**
   * Like {@link #regionInfo(PciRegion)}, for any index. A driver may have regions beyond those that
   * {@link DeviceInfo#regions} counts, such as the one that {@link GfxPlane#source} names.
   */
  public final Optional<RegionInfo> regionInfo(int index) {
    try (Arena arena = Arena.ofConfined()) {
      var command = VfioIoctls.VFIO_DEVICE_GET_REGION_INFO;
      long fixed = vfio_region_info.sizeof();
      InfoCall.Reply reply =
          InfoCall.make(
              arena,
              fd,
              command,
              fixed,
              segment -> vfio_region_info.index(segment, index),
              Errno.EINVAL);
      if (reply.result() < 0) {
        return Optional.empty();
      }
      MemorySegment info = reply.info();
      int flags = vfio_region_info.flags(info);
      boolean chain = (flags & Vfio.VFIO_REGION_INFO_FLAG_CAPS()) != 0;
      return Optional.of(
          new RegionInfo(
              index,
              flags,
              vfio_region_info.size(info),
              vfio_region_info.offset(info),
              CapabilityChain.decode(
                  command.name(),
                  info,
                  fixed,
                  chain ? vfio_region_info.cap_offset(info) : 0,
                  Capabilities::ofRegion)));
    }
  }

  /** All regions that the device has an index for, in the order of their indexes. */
  public final List<RegionInfo> regionInfos() {
    List<RegionInfo> infos = new ArrayList<>();
    int count = info().regions();
    for (int i = 0; i < count; i++) {
      regionInfo(i).ifPresent(infos::add);
    }
    return infos;
  }

  /** The BARs that can be mapped as a whole, in the order of their indexes. */
  public final List<RegionInfo> wholeBars() {
    return regionInfos().stream()
        .filter(region -> region.index() <= PciRegion.BAR5.index())
        .filter(region -> region.mappableAreas().equals(List.of(new ByteRange(0, region.bytes()))))
        .toList();
  }

  /**
   * The first BAR that can be mapped as a whole: its memory can be given to a guest and to another
   * device.
   *
   * @throws PreconditionException if there is none
   */
  public final RegionInfo firstWholeBar() {
    return wholeBars().stream()
        .findFirst()
        .orElseThrow(() ->
            new PreconditionException(
                "looked for a BAR of " + name + " to give to the guest",
                "none can be mapped as a whole",
                new Advice(
                    "the device has only I/O ports, BARs smaller than a page, or ones with holes",
                    "choose another device",
                    Remedy.SHOW_DEVICE,
                    List.of(name))));
  }

  /**
   * A region, to be read, written or mapped.
   *
   * @throws PreconditionException if the device does not have it
   */
  public final Region region(PciRegion region) {
    RegionInfo info =
        regionInfo(region)
            .filter(found -> found.bytes() != 0)
            .orElseThrow(() ->
                new PreconditionException(
                    "use " + region + " of " + name,
                    "the device does not have it",
                    new Advice(
                        "the device has other regions",
                        "use one that it has",
                        Remedy.SHOW_DEVICE,
                        List.of(name))));
    return region(info);
  }

  /** Like {@link #region(PciRegion)}, for one of {@link #regionInfos}, whatever its index. */
  public final Region region(RegionInfo info) {
    return new Region(fd, info, name);
  }

  /**
   * The configuration space of a PCI device, as VFIO shows it: some bits belong to the kernel. The
   * kernel is asked only once where it is in the device's file.
   *
   * @throws PreconditionException if it is not a PCI device
   */
  public final ConfigRegion config() {
    ConfigRegion found = config.orElseGet(() -> new ConfigRegion(region(PciRegion.CONFIG)));
    config = Optional.of(found);
    return found;
  }

  /**
   * What a kind of interrupt is, by VFIO_DEVICE_GET_IRQ_INFO. See
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_irq_info.
   *
   * @return empty if the device has no such index (EINVAL); a kind that it lacks is returned with
   *     count 0
   * @throws KernelException any other errno
   */
  public final Optional<IrqInfo> irqInfo(PciIrq irq) {
    return irqInfo(irq.index());
  }

  private Optional<IrqInfo> irqInfo(int index) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = vfio_irq_info.allocate(arena);
      vfio_irq_info.argsz(info, (int) info.byteSize());
      vfio_irq_info.index(info, index);
      return fd.ioctl(VfioIoctls.VFIO_DEVICE_GET_IRQ_INFO, info, Errno.EINVAL) < 0
          ? Optional.empty()
          : Optional.of(new IrqInfo(index, vfio_irq_info.flags(info), vfio_irq_info.count(info)));
    }
  }

  /** All kinds of interrupts that the device has an index for, in the order of their indexes. */
  public final List<IrqInfo> irqInfos() {
    List<IrqInfo> infos = new ArrayList<>();
    int count = info().irqs();
    for (int i = 0; i < count; i++) {
      irqInfo(i).ifPresent(infos::add);
    }
    return infos;
  }

  /**
   * The interrupts of a kind, not enabled yet.
   *
   * @throws PreconditionException if the device has none of them
   */
  public final IrqSet irqs(PciIrq irq) {
    IrqInfo info =
        irqInfo(irq)
            .filter(found -> found.count() != 0)
            .orElseThrow(() ->
                new PreconditionException(
                    "use " + irq + " of " + name,
                    "the device does not have it",
                    new Advice(
                        "the device has other kinds of interrupts",
                        "use one that it has",
                        Remedy.SHOW_DEVICE,
                        List.of(name))));
    return new IrqSet(fd, info);
  }

  /**
   * Resets the device by VFIO_DEVICE_RESET. Mappings of its BARs and its dma-bufs are revoked while
   * the reset lasts; afterwards, memory decode, bus mastering and the interrupts are as before only
   * as far as the kernel restores configuration space. See
   * drivers/vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_reset.
   *
   * @return false if the device cannot be reset on its own, in which case nothing was done
   * @throws KernelException EAGAIN: another part of the kernel has locked the device; ENOTTY: no
   *     method of reset worked
   */
  public final boolean reset() {
    if (!info().canReset()) {
      return false;
    }
    fd.ioctl(VfioIoctls.VFIO_DEVICE_RESET, 0);
    return true;
  }

  /**
   * Makes a dma-buf over parts of a BAR, by VFIO_DEVICE_FEATURE with GET of DMA_BUF. It starts out
   * revoked if the BAR's memory decode is off, and is revoked by everything that takes the BAR
   * away; it comes back with the BAR until the device is closed. An IOAS accepts only a dma-buf of
   * a single range. See drivers/vfio/pci/vfio_pci_dmabuf.c:vfio_pci_core_feature_dma_buf.
   *
   * @param ranges the parts, in their order in the dma-buf; each starts and ends at a page boundary
   * @param openFlags O_RDWR or O_RDONLY; O_CLOEXEC is added
   * @throws KernelException EINVAL: no range, or one that is empty, unaligned or too long, or a BAR
   *     that is not memory; ENODEV: the region is not a BAR, or another driver has claimed it;
   *     EOPNOTSUPP or ENOTTY: the driver or the kernel does not make dma-bufs
   */
  public final DmaBuf exportDmaBuf(PciRegion bar, List<ByteRange> ranges, int openFlags) {
    return exportDmaBuf(bar, ranges, openFlags, 0);
  }

  /**
   * Like {@link #exportDmaBuf(PciRegion, List, int)}, with flags that a proposal defines.
   *
   * @param flags the flags of struct vfio_device_feature_dma_buf; 7.3 has none and answers EINVAL
   *     to any
   * @throws KernelException as there, and for the reasons that the proposal adds
   */
  public final DmaBuf exportDmaBuf(
      PciRegion bar, List<ByteRange> ranges, int openFlags, int flags) {
    return DmaBuf.export(fd, name, bar, ranges, openFlags, flags);
  }

  @Override
  public abstract void close();

  @Override
  public final String toString() {
    return fd.toString();
  }
}
