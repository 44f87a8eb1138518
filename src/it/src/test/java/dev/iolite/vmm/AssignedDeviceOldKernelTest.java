package dev.iolite.vmm;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.uapi.catalog.VfioIoctls;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_info;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.MemorySegment;

/**
 * Devices that a guest gets, on a kernel as before Linux 6.5: while MSI-X is enabled, no vector is
 * added.
 */
class AssignedDeviceOldKernelTest extends AssignedDeviceContract {
  AssignedDeviceOldKernelTest() {
    super(new Old(MockKernel.plain()));
  }

  private static final class Old extends ForwardingKernel {
    Old(Kernel model) {
      super(model);
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      if (request == VfioIoctls.VFIO_DEVICE_SET_IRQS.number()) {
        MemorySegment set = struct(argument, vfio_irq_set.sizeof());
        if (vfio_irq_set.index(set) == Vfio.VFIO_PCI_MSIX_IRQ_INDEX()
            && (vfio_irq_set.flags(set) & Vfio.VFIO_IRQ_SET_DATA_EVENTFD()) != 0
            && vfio_irq_set.start(set) != 0) {
          return Errno.EINVAL.negated();
        }
      }
      int result = super.ioctl(fd, request, argument);
      if (request == VfioIoctls.VFIO_DEVICE_GET_IRQ_INFO.number() && result == 0) {
        MemorySegment info = struct(argument, vfio_irq_info.sizeof());
        if (vfio_irq_info.index(info) == Vfio.VFIO_PCI_MSIX_IRQ_INDEX()) {
          vfio_irq_info.flags(info, vfio_irq_info.flags(info) | Vfio.VFIO_IRQ_INFO_NORESIZE());
        }
      }
      return result;
    }

    private static MemorySegment struct(long address, long bytes) {
      return MemorySegment.ofAddress(address).reinterpret(bytes);
    }
  }
}
