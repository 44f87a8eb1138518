package dev.iolite.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.uapi.catalog.IommufdIoctls;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs a program on the model while one of its calls fails. */
class InjectedFaultTest {
  private static final PciAddress EDU = PciAddress.parse("0000:00:02.0");

  private final MockKernel model = MockKernel.plain();

  @AfterEach
  void closeModel() {
    model.close();
  }

  @Test
  void aMapThatFailsIsReportedAndTheDeviceGivenBack() {
    FaultyKernel kernel =
        new FaultyKernel(
            model,
            Faults.none()
                .fail(Calls.of(IommufdIoctls.IOMMU_IOAS_MAP), 1, Errno.ENOMEM, Faults.When.BEFORE));

    KernelException failure =
        assertThrows(KernelException.class, () -> CopyByDma.copy(kernel, EDU, "lost"));

    assertEquals(Errno.ENOMEM, failure.errno());
    assertEquals(Optional.empty(), new Pci(model).device(EDU).driver());
  }

  @Test
  void aMapWhoseAnswerIsLostIsUndoneToo() {
    FaultyKernel kernel =
        new FaultyKernel(
            model,
            Faults.none()
                .fail(Calls.of(IommufdIoctls.IOMMU_IOAS_MAP), 1, Errno.ENOMEM, Faults.When.AFTER));
    assertThrows(KernelException.class, () -> CopyByDma.copy(kernel, EDU, "lost"));

    assertEquals("carried", CopyByDma.copy(model, EDU, "carried"));
  }
}
