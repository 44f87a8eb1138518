package dev.iolite.doctor;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.IommuInfo;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.DeviceMemory;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.uapi.libc.Libc;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.ByteRange;
import dev.iolite.vfio.DmaBuf;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.RegionInfo;
import dev.iolite.vfio.VfioDevice;
import dev.iolite.vfio.VfioInfo;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Inspects a device through VFIO and iommufd, both of which only answer for a device that is bound.
 *
 * <p>A device without a driver is given to vfio-pci for the time of the inspection. One that a host
 * driver has is left alone: taking it away could cost the host a disk.
 */
public final class DeviceInspection implements AutoCloseable {
  private final Kernel kernel;
  private final CloseStack open;
  private final Iommufd iommufd;
  private final BoundVfioDevice device;

  /**
   * Opens a device and binds it to its own iommufd.
   *
   * @param vfToken the VF token, for a device that requires one
   * @throws dev.iolite.kernel.PreconditionException if there is no such device, or a host driver
   *     has it or another device of its IOMMU group
   * @throws dev.iolite.kernel.KernelException what the kernel said
   */
  public DeviceInspection(Kernel kernel, PciAddress address, Optional<UUID> vfToken) {
    this.kernel = kernel;
    try (CloseStack opening = new CloseStack()) {
      PciDevice pci = new Pci(kernel).device(address);
      pci.requireAssignable();
      if (pci.driver().isEmpty()) {
        opening.push(DriverBinding.bind(pci, "vfio-pci"));
      }
      VfioDevice unbound =
          opening.push(VfioDevice.open(kernel, pci.requireVfioCdev(), address.toString()));
      iommufd = opening.push(Iommufd.open(kernel));
      device = opening.push(unbound.bind(iommufd, vfToken));
      open = opening.release();
    }
  }

  /** What VFIO says about it. */
  public VfioInfo vfio() {
    return VfioInfo.of(device);
  }

  /** What iommufd says about the IOMMU in front of it. Attaches it to an empty address space. */
  public IommuInfo iommu() {
    try (Ioas ioas = iommufd.allocIoas();
        var _ = device.attach(ioas.id())) {
      return IommuInfo.of(iommufd, device.deviceId(), ioas);
    }
  }

  /**
   * Shares a BAR as an assignment does, and then undoes that: exports it as a dma-buf, maps the
   * dma-buf for the device's own DMA, and maps the BAR into this process.
   *
   * @return what the kernel said; empty if everything succeeded
   * @throws dev.iolite.kernel.PreconditionException if the device has no BAR that can be shared
   */
  Optional<KernelException> shareBar() {
    RegionInfo bar = device.firstWholeBar();
    try {
      share(bar);
      return Optional.empty();
    } catch (KernelException e) {
      return Optional.of(e);
    }
  }

  private void share(RegionInfo bar) {
    device.config().setMemoryDecode(true);
    try (Ioas ioas = iommufd.allocIoas();
        var _ = device.attach(ioas.id());
        DmaBuf dmaBuf =
            device.exportDmaBuf(
                PciRegion.bar(bar.index()), List.of(new ByteRange(0, bar.bytes())), Libc.O_RDWR());
        IovaMapping _ = ioas.mapFileAnywhere(dmaBuf.fd(), 0, bar.bytes(), IovaAccess.READ_WRITE);
        DeviceMemory _ = device.region(bar).map()) {
      device.config().setMemoryDecode(false);
    }
  }

  /**
   * Attaches the device and maps memory for its DMA, which locks that memory, and then undoes both.
   *
   * @return what the kernel said about the mapping; empty if it was made
   */
  Optional<KernelException> lock(long bytes) {
    try (Ioas ioas = iommufd.allocIoas();
        var _ = device.attach(ioas.id());
        Mapping memory = Mapping.anonymous(kernel, bytes)) {
      return lock(ioas, memory);
    }
  }

  private static Optional<KernelException> lock(Ioas ioas, Mapping memory) {
    try (IovaMapping _ = ioas.mapAnywhere(memory.segment(), IovaAccess.READ_WRITE)) {
      return Optional.empty();
    } catch (KernelException e) {
      return Optional.of(e);
    }
  }

  /** Closes the device and restores the driver that it had before. */
  @Override
  public void close() {
    open.close();
  }
}
