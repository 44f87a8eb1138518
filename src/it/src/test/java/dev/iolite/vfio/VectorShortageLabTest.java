package dev.iolite.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.KernelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A host with fewer interrupt vectors than a device can use: the lab's machine {@code noremap}.
 * Only where interrupts are remapped does the kernel give several MSI vectors to one function
 * (MSI_FLAG_MULTI_PCI_MSI in drivers/iommu/intel/irq_remapping.c).
 */
@Tag("noremap")
class VectorShortageLabTest {
  private static final String USB = "0000:00:08.0";
  private static final Duration SOON = Duration.ofSeconds(20);

  /** drivers/vfio/pci/vfio_pci_intrs.c:vfio_msi_enable */
  @Test
  void howManyVectorsAreLeftIsTheAnswerAndNoneIsEnabled() {
    try (LabDevice lab = LabDevice.of(USB);
        CloseStack events = new CloseStack()) {
      IrqSet irqs = lab.push(lab.device().irqs(PciIrq.MSI));
      assertThat(irqs.info().count()).isEqualTo(16);
      List<EventFd> wanted = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        wanted.add(events.push(EventFd.create(LabDevice.KERNEL)));
      }

      assertThatExceptionOfType(KernelException.class)
          .isThrownBy(() -> irqs.enable(wanted))
          .satisfies(e -> assertThat(e.result()).isEqualTo(1))
          .withMessageContaining("VFIO_DEVICE_SET_IRQS")
          .withMessageContaining("Next: ");

      irqs.enable(wanted.subList(0, 1));
      irqs.trigger(0);
      assertThat(wanted.getFirst().await(SOON)).isEqualTo(1);
    }
  }
}
