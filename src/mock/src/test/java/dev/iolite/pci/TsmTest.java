package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.tsm.TsmErrors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections of functions to a TSM. */
class TsmTest {
  private static final PciAddress ENDPOINT = PciAddress.parse("0000:00:07.0");
  private static final PciAddress PLAIN = PciAddress.parse("0000:00:02.0");

  private static void refused(Errno errno, String next, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno))
        .hasMessageContaining(ENDPOINT.toString())
        .hasMessageContaining(next);
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void aFunctionIsConnectedAndDisconnected(Platform platform) {
    try (MockKernel kernel = MockKernel.builder().platform(platform).build()) {
      Tsm tsm = new Tsm(kernel);
      PciDevice device = new Pci(kernel).device(ENDPOINT);
      assertThat(tsm.names()).containsExactly("tsm0");
      assertThat(tsm.only()).isEqualTo("tsm0");
      assertThat(device.tsm().orElseThrow().connect()).isEmpty();

      tsm.connect(device, "tsm0");
      assertThat(device.tsm().orElseThrow().connect()).contains("tsm0");
      assertThat(device.tsm().orElseThrow().dsm()).contains(ENDPOINT.toString());
      refused(Errno.EBUSY, "disconnect it first", () -> tsm.connect(device, "tsm0"));
      refused(Errno.EINVAL, "name that one", () -> tsm.disconnect(device, "tsm1"));

      tsm.disconnect(device, "tsm0");
      assertThat(device.tsm().orElseThrow().connect()).isEmpty();
      refused(Errno.ENXIO, "connect it first", () -> tsm.disconnect(device, "tsm0"));
    }
  }

  @Test
  void theKernelsRefusalsAreExplained() {
    try (MockKernel kernel = MockKernel.tdx()) {
      Tsm tsm = new Tsm(kernel);
      PciDevice device = new Pci(kernel).device(ENDPOINT);
      refused(Errno.EINVAL, "name one of /sys/class/tsm", () -> tsm.connect(device, "nonsense"));
      refused(Errno.ENXIO, "dmesg", () -> tsm.connect(device, "tsm1"));
      kernel.tsm().failNext(TsmErrors.Operation.CONNECT, Errno.EIO, false);
      refused(Errno.EIO, "dmesg", () -> tsm.connect(device, "tsm0"));
    }
  }

  @Test
  void aFunctionThatCanNotBeConnected() {
    try (MockKernel kernel = MockKernel.tdx()) {
      PciDevice device = new Pci(kernel).device(PLAIN);
      assertThatThrownBy(() -> new Tsm(kernel).connect(device, "tsm0"))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("the function has no tsm/connect")
          .hasMessageContaining("IDE or TEE-IO");
    }
  }

  @Test
  void aHostWithoutTsm() {
    try (MockKernel kernel = MockKernel.plain()) {
      Tsm tsm = new Tsm(kernel);
      PciDevice device = new Pci(kernel).device(ENDPOINT);
      assertThat(tsm.names()).isEmpty();
      assertThatThrownBy(tsm::only)
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("there is none in /sys/class/tsm");
      assertThatThrownBy(() -> tsm.connect(device, "tsm0"))
          .isInstanceOf(PreconditionException.class)
          .hasMessageContaining("the host has no TSM");
    }
  }
}
