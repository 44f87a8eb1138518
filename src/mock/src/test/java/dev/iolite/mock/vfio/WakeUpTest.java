package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.VfioUser;
import dev.iolite.uapi.vfio.Vfio;
import dev.iolite.vfio.LowPower;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A device that wakes while the kernel may suspend it. */
class WakeUpTest {
  private static final String ADDRESS = "0000:00:02.0";
  private static final Duration SOON = Duration.ofSeconds(20);

  private final MockKernel kernel = MockKernel.plain();
  private final VfioUser user = new VfioUser(kernel, ADDRESS);
  private final LowPower power = user.device().lowPower();
  private final EventFd event = user.push(EventFd.create(kernel));

  @AfterEach
  void close() {
    user.close();
    kernel.close();
  }

  private boolean wake() {
    return kernel.device(ADDRESS).wake();
  }

  @Test
  void aDeviceThatWakesSignalsAndStaysAwake() {
    assertThat(power.enter(event)).isTrue();
    assertThat(event.await(Duration.ZERO)).isZero();
    assertThat(wake()).isTrue();
    assertThat(event.await(Duration.ZERO)).isEqualTo(1);
    assertThat(wake()).isTrue();
    assertThat(event.await(Duration.ZERO)).as("once").isZero();
    assertThat(power.enter(event)).as("it is awake").isTrue();
  }

  @Test
  void aDeviceMayLackTheFeature() {
    Kernel without =
        new ForwardingKernel(kernel) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            return request == Vfio.VFIO_DEVICE_FEATURE()
                ? Errno.ENOTTY.negated()
                : super.ioctl(fd, request, argument);
          }
        };
    user.close();
    try (VfioUser other = new VfioUser(without, ADDRESS);
        EventFd wakeup = EventFd.create(without)) {
      LowPower none = other.device().lowPower();
      assertThat(none.enter()).isFalse();
      assertThat(none.enter(wakeup)).isFalse();
      assertThat(none.leave()).isFalse();
    }
  }

  @Test
  void withoutAnEventfdItMaySleepOn() {
    assertThat(power.enter()).isTrue();
    assertThat(wake()).isTrue();
    assertThatThrownBy(power::enter).isInstanceOf(KernelException.class);
  }

  @Test
  void aDeviceThatIsKeptAwakeSignalsOnce() {
    assertThat(power.enter(event)).isTrue();
    assertThat(power.leave()).isTrue();
    assertThat(event.await(Duration.ZERO)).as("the call itself wakes it").isEqualTo(1);
    assertThat(wake()).isTrue();
    assertThat(event.await(Duration.ZERO)).isZero();
  }

  /** drivers/base/dd.c:__device_release_driver. */
  @Test
  void anUnbindingWakesIt() throws Exception {
    assertThat(power.enter(event)).isTrue();
    CompletableFuture<Void> unbinding =
        CompletableFuture.runAsync(
            () -> new SysFs(kernel).write("/sys/bus/pci/drivers/vfio-pci/unbind", ADDRESS));
    assertThat(event.await(SOON)).isEqualTo(1);
    user.device().close();
    unbinding.get(SOON.toSeconds(), TimeUnit.SECONDS);
  }

  static Stream<Consumer<VfioUser>> calls() {
    return Stream.of(
        user -> user.device().info(),
        user -> user.device().config().hasMemoryDecode(),
        user -> user.device().detach());
  }

  @ParameterizedTest
  @MethodSource("calls")
  void aCallWakesIt(Consumer<VfioUser> call) {
    assertThat(power.enter(event)).isTrue();
    call.accept(user);
    assertThat(event.await(Duration.ZERO)).isEqualTo(1);
  }
}
