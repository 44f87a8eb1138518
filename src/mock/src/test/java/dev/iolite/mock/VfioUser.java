package dev.iolite.mock;

import dev.iolite.iommufd.Ioas;
import dev.iolite.iommufd.Iommufd;
import dev.iolite.iommufd.IovaAccess;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.Mapping;
import dev.iolite.pci.DriverBinding;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.VfioDevice;
import java.lang.foreign.MemorySegment;

/** A program that has a device of a model through VFIO, attached to an address space of its own. */
public final class VfioUser implements AutoCloseable {
  private final CloseStack opened = new CloseStack();
  private final Kernel kernel;
  private final PciDevice pci;
  private final Iommufd iommufd;
  private final BoundVfioDevice device;
  private final Ioas ioas;

  /** Takes a device, and switches its memory decode and bus mastering on. */
  public VfioUser(Kernel kernel, String address) {
    this.kernel = kernel;
    pci = new Pci(kernel).device(PciAddress.parse(address));
    opened.push(DriverBinding.bind(pci, "vfio-pci"));
    iommufd = opened.push(Iommufd.open(kernel));
    VfioDevice unbound =
        opened.push(VfioDevice.open(kernel, pci.requireVfioCdev(), pci.toString()));
    device = opened.push(unbound.bind(iommufd));
    ioas = opened.push(iommufd.allocIoas());
    opened.push(device.attach(ioas.id()));
    device.config().setMemoryDecode(true);
    device.config().setBusMaster(true);
  }

  public PciDevice pci() {
    return pci;
  }

  public Iommufd iommufd() {
    return iommufd;
  }

  public BoundVfioDevice device() {
    return device;
  }

  public Ioas ioas() {
    return ioas;
  }

  /** Memory that the device sees at an IOVA. */
  public MemorySegment memory(long iova, long bytes) {
    Mapping mapping = opened.push(Mapping.anonymous(kernel, bytes));
    opened.push(ioas.map(iova, mapping.segment(), IovaAccess.READ_WRITE));
    return mapping.segment();
  }

  /** As {@link #memory}, until the window is closed. */
  public Window window(long iova, long bytes) {
    CloseStack both = new CloseStack();
    Mapping mapping = both.push(Mapping.anonymous(kernel, bytes));
    both.push(ioas.map(iova, mapping.segment(), IovaAccess.READ_WRITE));
    return new Window(mapping.segment(), both);
  }

  /** Memory that the device sees for a while. */
  public record Window(MemorySegment memory, CloseStack held) implements AutoCloseable {
    @Override
    public void close() {
      held.close();
    }
  }

  /** Closes something before the device. */
  public <T extends AutoCloseable> T push(T resource) {
    return opened.push(resource);
  }

  @Override
  public void close() {
    opened.close();
  }
}
