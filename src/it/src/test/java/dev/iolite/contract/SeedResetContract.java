package dev.iolite.contract;

import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_RESET;
import static dev.iolite.uapi.catalog.VfioIoctls.VFIO_DEVICE_SET_IRQS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.uapi.vfio.vfio_irq_set;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** An interface whose function can be reset and has MSI-X: that of the NVMe controller. */
abstract class SeedResetContract extends SeedContract {
  private static final int BAR = 0;
  private static final long VERSION = 8;
  private static final int HEAD = 20;

  SeedResetContract(Backend backend) {
    super(backend, Backend.NVME);
  }

  @Test
  void aResetIsAnErrorAndTheHostReachesTheDeviceAgain() {
    // vfio_pci_core.c:vfio_pci_ioctl_reset; vfio_pci_tdi.c:vfio_pci_tdi_disturb
    long version = read(device, BAR, VERSION, 4);
    succeeds(op(BIND));
    MemorySegment into = zeros(4);
    fails(Errno.EIO, kernel.pread(device, into.address(), 4, offset(BAR) + VERSION));
    succeeds(ioctl(device, VFIO_DEVICE_RESET, 0));
    setCommand(device, MEMORY | MASTER);
    assertThat(read(device, BAR, VERSION, 4)).isEqualTo(version);
    fails(Errno.EIO, state(RUN));
  }

  @Test
  void lowPowerIsAnErrorEvenIfItIsRefused() {
    // vfio_pci_core.c:vfio_pci_runtime_pm_entry; vfio_pci_tdi.c:vfio_pci_tdi_try_disturb
    int sleep = Vfio.VFIO_DEVICE_FEATURE_SET() | Vfio.VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY();
    succeeds(op(BIND));
    succeeds(feature(device, sleep, 0));
    fails(Errno.EIO, state(RUN));
    succeeds(op(UNBIND));
    succeeds(op(BIND));
    fails(Errno.EINVAL, feature(device, sleep, 0));
    fails(Errno.EIO, state(RUN));
  }

  @Test
  void msixOfALockedInterfaceIsTheHostsUnlessItWasLocked() {
    // vfio_pci_tdi.c:vfio_pci_tdi_msix_locked
    succeeds(op(BIND));
    MemorySegment set = zeros(HEAD + Integer.BYTES);
    vfio_irq_set.argsz(set, HEAD + Integer.BYTES);
    vfio_irq_set.flags(set, Vfio.VFIO_IRQ_SET_DATA_EVENTFD() | Vfio.VFIO_IRQ_SET_ACTION_TRIGGER());
    vfio_irq_set.index(set, Vfio.VFIO_PCI_MSIX_IRQ_INDEX());
    vfio_irq_set.count(set, 1);
    set.set(ValueLayout.JAVA_INT, HEAD, eventfd());
    succeeds(ioctl(device, VFIO_DEVICE_SET_IRQS, set));
    succeeds(state(RUN));
  }
}
