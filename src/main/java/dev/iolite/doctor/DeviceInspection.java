package dev.iolite.doctor;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.IommuInfo;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.iommufd.IovaMapping;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Mapping;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.FeatureSupport;
import dev.iolite.vfio.VfioDevice;
import dev.iolite.vfio.VfioFeature;
import dev.iolite.vfio.VfioInfo;
import java.util.Optional;

/**
 * Looks at a device through VFIO and iommufd, which both answer only about a device that is bound.
 *
 * <p>A device without a driver is given to vfio-pci while it is looked at. One that a driver of the
 * host has is left alone: taking it away could cost the host a disk.
 */
public final class DeviceInspection implements AutoCloseable {
  private final Kernel kernel;
  private final CloseStack open;
  private final Iommufd iommufd;
  private final BoundVfioDevice device;

  /**
   * Opens a device and binds it to an iommufd of its own.
   *
   * @throws dev.iolite.kernel.PreconditionException if there is no such device, or a driver of the
   *     host has it or another device of its IOMMU group
   * @throws dev.iolite.kernel.KernelException what the kernel said
   */
  public DeviceInspection(Kernel kernel, PciAddress address) {
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
      device = opening.push(unbound.bind(iommufd.fd()));
      open = opening.release();
    }
  }

  /** What VFIO says of it. */
  public VfioInfo vfio() {
    return VfioInfo.of(device);
  }

  /** What iommufd says of the IOMMU in front of it. Attaches it to an empty address space. */
  public IommuInfo iommu() {
    try (Ioas ioas = iommufd.allocIoas();
        var _ = device.attach(ioas.id())) {
      return IommuInfo.of(iommufd, device.deviceId(), ioas);
    }
  }

  /** What a probe of dma-buf export says. */
  FeatureSupport dmaBuf() {
    return device.probe(VfioFeature.DMA_BUF);
  }

  /**
   * Attaches the device and maps memory for its DMA, which locks it, and takes both back.
   *
   * @return what the kernel said to the mapping; empty if it was made
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

  /** Closes the device and gives it back to what it had before. */
  @Override
  public void close() {
    open.close();
  }
}
