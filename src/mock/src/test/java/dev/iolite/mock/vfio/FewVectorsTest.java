package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.mock.device.Bar;
import dev.iolite.mock.device.DeviceModel;
import dev.iolite.mock.device.DeviceShape;
import dev.iolite.mock.device.MsiX;
import dev.iolite.mock.pci.Machine;
import dev.iolite.pci.ConfigSpace;
import dev.iolite.pci.PciCapability;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A host without vectors for all of a device's messages: VFIO_DEVICE_SET_IRQS returns how many it
 * has, and enables none.
 */
class FewVectorsTest {
  private static final String ADDRESS = "0000:00:07.0";
  private static final int MSI = 0x05;
  private static final int MSI_ENABLE = 1;
  private static final int MSI_X = 0x11;
  private static final int MSI_X_ENABLE = 0x8000;
  private static final Duration SOON = Duration.ofSeconds(20);

  private final MockKernel kernel =
      MockKernel.builder()
          .machine(
              new Machine()
                  .function(
                      ADDRESS,
                      DeviceModel.memory(
                          DeviceShape.builder(0x1234, 0x7d18)
                              .classCode(0x12_0000)
                              .bar(Bar.memory64(0, 0x4000))
                              .msi(4)
                              .msiX(new MsiX(8, 0, 0x1000, 0, 0x2000))
                              .build())))
          .build();

  private final VfioUser user = new VfioUser(kernel, ADDRESS);
  private final int command = user.device().config().command();

  @AfterEach
  void close() {
    user.close();
    kernel.close();
  }

  private List<EventFd> events(int count) {
    return Stream.generate(() -> user.push(EventFd.create(kernel))).limit(count).toList();
  }

  private void assertRefused(IrqSet irqs, int count, long available) {
    assertThatThrownBy(() -> irqs.enable(events(count)))
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              assertThat(e.call()).isEqualTo("VFIO_DEVICE_SET_IRQS");
              assertThat(e.result()).isEqualTo(available);
              assertThat(e.errno()).isEqualTo(Errno.UNKNOWN);
            })
        .hasMessageContaining(
            "the kernel said %d: vectors are all that the host has".formatted(available))
        .hasMessageContaining("Next: connect no more eventfds than that");
    assertThatThrownBy(() -> irqs.trigger(0)).as("none is enabled").hasMessageContaining("EINVAL");
    assertThat(user.device().config().command()).isEqualTo(command);
    assertThat(enabled()).as("in the function's capabilities").isEmpty();
    irqs.close();
  }

  /** The capabilities of MSI and MSI-X whose enable bit is set. */
  private List<PciCapability> enabled() {
    ConfigSpace config = user.pci().config();
    return config.capabilities().stream()
        .filter(capability ->
            switch (capability.id()) {
              case MSI -> (config.read16(capability.offset() + 2) & MSI_ENABLE) != 0;
              case MSI_X -> (config.read16(capability.offset() + 2) & MSI_X_ENABLE) != 0;
              default -> false;
            })
        .toList();
  }

  private void assertEnabled(IrqSet irqs, int count) {
    List<EventFd> events = events(count);
    irqs.enable(events);
    assertThat(enabled()).hasSize(1);
    kernel.device(ADDRESS).send(count - 1);
    assertThat(events.getLast().await(SOON)).isEqualTo(1);
    irqs.close();
  }

  @Test
  void ofMsiXItHasSome() {
    kernel.device(ADDRESS).pci().limitVectors(3);
    IrqSet irqs = user.device().irqs(PciIrq.MSIX);
    assertRefused(irqs, 8, 3);
    assertRefused(irqs, 4, 3);
    assertEnabled(irqs, 3);
    assertEnabled(user.device().irqs(PciIrq.MSI), 1);
  }

  @Test
  void ofMsiItHasAllOrOne() {
    kernel.device(ADDRESS).pci().limitVectors(3);
    IrqSet irqs = user.device().irqs(PciIrq.MSI);
    assertRefused(irqs, 4, 1);
    assertEnabled(irqs, 3);
    assertEnabled(irqs, 1);
  }

  @Test
  void withoutAnyItIsAnError() {
    kernel.device(ADDRESS).pci().limitVectors(0);
    for (PciIrq kind : List.of(PciIrq.MSI, PciIrq.MSIX)) {
      IrqSet irqs = user.device().irqs(kind);
      assertThatThrownBy(() -> irqs.enable(events(1))).hasMessageContaining("ENOSPC");
    }
    kernel.device(ADDRESS).pci().limitVectors(8);
    assertEnabled(user.device().irqs(PciIrq.MSIX), 8);
  }
}
