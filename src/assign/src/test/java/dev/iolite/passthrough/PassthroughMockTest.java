package dev.iolite.passthrough;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.mock.Faults;
import dev.iolite.mock.MockKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.ScenarioException;
import dev.iolite.steps.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** The scenario, unchanged, on the model. */
class PassthroughMockTest extends PassthroughSuite {
  PassthroughMockTest() {
    super(MockKernel.plain(), List.of(Faults.When.values()));
  }

  @Test
  void aStopEndsTheWaitForADeviceThatDoesNotAnswer() {
    try (MockKernel model = MockKernel.plain()) {
      AtomicBoolean stop = new AtomicBoolean();
      ForwardingKernel silent =
          new ForwardingKernel(model) {
            @Override
            public int poll(long pollfds, int count, int timeoutMillis) {
              stop.set(timeoutMillis > 0);
              return 0;
            }
          };
      List<Step> steps = new ArrayList<>();
      PciAddress edu = PciAddress.parse("0000:00:02.0");
      assertThatThrownBy(() -> new Passthrough(silent, steps::add, stop::get).run(edu))
          .isInstanceOf(ScenarioException.class)
          .hasMessage("stopped while waiting for the device's interrupt with cause 0x5a");
      assertThat(steps.getLast().succeeded()).isTrue();
      assertThat(new Pci(model).device(edu).driver()).isEmpty();
    }
  }
}
