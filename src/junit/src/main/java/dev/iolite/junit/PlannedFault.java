package dev.iolite.junit;

import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.uapi.catalog.Ioctls;
import dev.iolite.uapi.catalog.SystemCall;
import dev.iolite.uapi.catalog.SystemCalls;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;

/** A fault that a test asks for, until the end of that test. */
final class PlannedFault {
  /** Those that a {@link dev.iolite.mock.FaultyKernel} makes fail: signals always arrive. */
  private static final List<String> SYSTEM_CALLS =
      SystemCalls.all().stream()
          .filter(call -> !call.equals(SystemCalls.GETTID) && !call.equals(SystemCalls.TGKILL))
          .map(SystemCall::name)
          .toList();

  private final Fault fault;
  private final AtomicInteger seen = new AtomicInteger();
  private volatile boolean isOver;

  private PlannedFault(Fault fault) {
    this.fault = fault;
  }

  /**
   * Adds a fault to the plan of a host.
   *
   * @param ioctls those of the host
   * @throws ExtensionConfigurationException if there is no such call
   */
  static PlannedFault add(Fault fault, Ioctls ioctls, Faults plan) {
    Calls calls = calls(fault.call(), ioctls);
    PlannedFault planned = new PlannedFault(fault);
    try {
      plan.fail(
          call -> planned.counts(calls.include(call)), fault.nth(), fault.errno(), fault.when());
    } catch (IllegalArgumentException e) {
      throw new ExtensionConfigurationException(
          "@Fault of %s: %s".formatted(fault.call(), e.getMessage()), e);
    }
    return planned;
  }

  private static Calls calls(String name, Ioctls ioctls) {
    return SYSTEM_CALLS.contains(name)
        ? Calls.named(name)
        : Calls.ofIoctl(name, ioctls)
            .orElseThrow(() ->
                new ExtensionConfigurationException(
                    "there is no call '%s' that can fail; there are the ioctls, such as VFIO_DEVICE_GET_INFO, and %s"
                        .formatted(name, String.join(", ", SYSTEM_CALLS))));
  }

  private boolean counts(boolean isIncluded) {
    if (!isIncluded || isOver) {
      return false;
    }
    seen.incrementAndGet();
    return true;
  }

  /**
   * Ends it.
   *
   * @return what is to be said if it has not happened
   */
  Optional<String> end() {
    isOver = true;
    return seen.get() >= fault.nth()
        ? Optional.empty()
        : Optional.of(
            "call %d of %s was to fail with %s, but the test made %d of them"
                .formatted(fault.nth(), fault.call(), fault.errno(), seen.get()));
  }
}
