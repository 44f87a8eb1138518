package dev.iolite.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Interrupts as the client's classes set them. */
abstract class ClientIrqContract extends ClientContract {
  private static final long RAISE = 0x60;
  private static final long ACKNOWLEDGE = 0x64;

  ClientIrqContract(Backend backend) {
    super(backend, Backend.EDU);
  }

  @Test
  void anEventfdUnmasksTheLine() {
    // vfio_pci_intrs.c:vfio_pci_set_intx_unmask: VFIO_IRQ_SET_DATA_EVENTFD
    BoundVfioDevice device = enabled(client());
    Region bar = device.region(PciRegion.BAR0);
    EventFd event = event();
    EventFd resample = event();
    IrqSet line = push(device.irqs(PciIrq.INTX));
    refuses(Errno.EINVAL, () -> line.connectUnmask(0, resample));
    line.enable(List.of(event));
    line.connectUnmask(0, resample);
    refuses(Errno.EBUSY, () -> line.connectUnmask(0, event()));
    bar.write32(RAISE, 1);
    assertThat(event.await(SOON)).isEqualTo(1);
    bar.write32(ACKNOWLEDGE, 1);
    bar.write32(RAISE, 1);
    assertThat(event.await(NOW)).as("masked").isZero();
    resample.signal(1);
    assertThat(event.await(SOON)).isEqualTo(1);
    bar.write32(ACKNOWLEDGE, 1);
    line.disconnectUnmask(0);
    resample.signal(1);
    bar.write32(RAISE, 1);
    assertThat(event.await(NOW)).as("nobody unmasks it").isZero();
    bar.write32(ACKNOWLEDGE, 1);
  }

  @Test
  void aPciDeviceIsNotMaskedByAnEventfd() {
    // vfio_pci_intrs.c:vfio_pci_set_intx_mask
    IrqSet line = push(enabled(client()).irqs(PciIrq.INTX));
    line.enable(List.of(event()));
    refuses(Errno.ENOTTY, () -> line.connectMask(0, event()));
    refuses(Errno.ENOTTY, () -> line.disconnectMask(0));
  }

  @Test
  void takingAnEventfdAwayEnablesNothing() {
    // vfio_pci_intrs.c:vfio_pci_set_msi_trigger, vfio_pci_set_intx_trigger: fd -1
    BoundVfioDevice device = enabled(client());
    IrqSet messages = push(device.irqs(PciIrq.MSI));
    IrqSet line = push(device.irqs(PciIrq.INTX));
    EventFd event = event();
    messages.disconnect(0);
    line.disconnect(0);
    messages.enable(List.of(event));
    messages.disconnect(0);
    messages.trigger(0);
    assertThat(event.await(NOW)).isZero();
    refuses(Errno.EINVAL, () -> line.enable(List.of(event)));
    messages.close();
    line.enable(List.of(event));
  }

  @Test
  void aRequestWithoutItsEventfdHasNothingToDisable() {
    // vfio_pci_intrs.c:vfio_pci_set_ctx_trigger_single
    IrqSet request = bound(client()).irqs(PciIrq.REQ);
    EventFd event = event();
    request.enable(List.of(event));
    request.disconnect(0);
    refuses(Errno.EINVAL, () -> request.trigger(0));
    request.close();
    request.connect(0, event);
    request.trigger(0);
    assertThat(event.await(SOON)).isEqualTo(1);
    request.close();
    refuses(Errno.EINVAL, () -> request.trigger(0));
  }

  @Test
  void whatIsChosenIsTriggeredMaskedAndUnmasked() {
    // vfio_pci_intrs.c: VFIO_IRQ_SET_DATA_BOOL
    BoundVfioDevice device = enabled(client());
    Region bar = device.region(PciRegion.BAR0);
    EventFd event = event();
    IrqSet line = push(device.irqs(PciIrq.INTX));
    line.enable(List.of(event));
    line.trigger(0, false);
    assertThat(event.await(NOW)).isZero();
    line.trigger(0, true);
    assertThat(event.await(SOON)).isEqualTo(1);
    line.mask(0, true);
    bar.write32(RAISE, 1);
    line.unmask(0, false);
    assertThat(event.await(NOW)).isZero();
    line.unmask(0, true);
    assertThat(event.await(SOON)).isEqualTo(1);
    bar.write32(ACKNOWLEDGE, 1);
    refuses(Errno.EINVAL, () -> line.trigger(0, true, true));
  }
}
