package dev.iolite.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.iolite.junit.Fault;
import dev.iolite.junit.MockHostExtension;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.PciAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests a program on the model; the extension checks that it leaves nothing behind. */
@ExtendWith(MockHostExtension.class)
class CopyByDmaTest {
  private static final PciAddress EDU = PciAddress.parse("0000:00:02.0");

  @Test
  void whatIsCopiedArrives(Kernel kernel) {
    assertEquals("carried", CopyByDma.copy(kernel, EDU, "carried"));
  }

  @Test
  @Fault(call = "IOMMU_IOAS_MAP", errno = Errno.ENOMEM)
  void aMapThatFailsIsReported(Kernel kernel) {
    KernelException failure =
        assertThrows(KernelException.class, () -> CopyByDma.copy(kernel, EDU, "lost"));
    assertEquals(Errno.ENOMEM, failure.errno());
  }

  @Test
  void aDeviceThatWasPulledOutIsReported(Kernel kernel, MockKernel host) {
    host.device(EDU.toString()).pullOut();
    assertThrows(PreconditionException.class, () -> CopyByDma.copy(kernel, EDU, "lost"));
  }
}
