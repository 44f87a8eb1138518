package dev.iolite.mock.tsm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.SysFs;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.Platform;
import dev.iolite.mock.device.TdispEndpoint;
import dev.iolite.mock.pci.Machine;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What sysfs shows of a TSM, by drivers/pci/tsm.c. */
class TsmSysfsTest {
  private static final String ENDPOINT = "/sys/bus/pci/devices/0000:00:07.0";
  private static final String SECOND = "/sys/bus/pci/devices/0000:00:07.1";
  private static final String EDU = "/sys/bus/pci/devices/0000:00:02.0";

  private static void refuses(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(KernelException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  private static MockKernel twoFunctions() {
    return MockKernel.builder()
        .platform(Platform.TDX)
        .machine(
            new Machine()
                .function("0000:00:07.0", TdispEndpoint.model())
                .function("0000:00:07.1", TdispEndpoint.model()))
        .build();
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"TDX", "SEV"})
  void theTsmIsInItsClassAndAFunctionWithTeeIsConnectedToIt(Platform platform) {
    SysFs files = new SysFs(MockKernel.builder().platform(platform).build());

    assertThat(files.list("/sys/class/tsm")).containsExactly("tsm0");
    assertThat(files.exists("/sys/class/tsm/tsm0/uevent")).isTrue();
    assertThat(files.linkName("/sys/class/tsm/tsm0/subsystem")).contains("tsm");
    assertThat(files.list(ENDPOINT + "/tsm"))
        .containsExactlyInAnyOrder("bound", "connect", "disconnect", "dsm");
    assertThat(files.read(ENDPOINT + "/tsm/connect")).isEmpty();
    assertThat(files.read(ENDPOINT + "/authenticated")).isEmpty();
    assertThat(files.read(ENDPOINT + "/tsm/dsm")).isEmpty();

    files.write(ENDPOINT + "/tsm/connect", "tsm0");
    assertThat(files.read(ENDPOINT + "/tsm/connect")).isEqualTo("tsm0");
    assertThat(files.read(ENDPOINT + "/authenticated")).isEqualTo("tsm0");
    assertThat(files.read(ENDPOINT + "/tsm/dsm")).isEqualTo("0000:00:07.0");
    assertThat(files.read(ENDPOINT + "/tsm/bound")).isEmpty();

    files.write(ENDPOINT + "/tsm/disconnect", "tsm0");
    assertThat(files.read(ENDPOINT + "/tsm/connect")).isEmpty();
  }

  @Test
  void aPlainHostHasTheClassAndNothingInIt() {
    SysFs files = new SysFs(MockKernel.plain());

    assertThat(files.list("/sys/class/tsm")).isEmpty();
    assertThat(files.exists(ENDPOINT + "/tsm")).isFalse();
    assertThat(files.exists(ENDPOINT + "/authenticated")).isFalse();
  }

  @Test
  void aConventionalFunctionHasNothingOfIt() {
    SysFs files = new SysFs(MockKernel.tdx());

    assertThat(files.exists(EDU + "/tsm")).isFalse();
    assertThat(files.exists(EDU + "/authenticated")).isFalse();
  }

  @Test
  void theNamesWrittenAreCheckedInTheKernelsOrder() {
    SysFs files = new SysFs(MockKernel.tdx());

    refuses(Errno.EINVAL, () -> files.write(ENDPOINT + "/tsm/connect", "sev0"));
    refuses(Errno.ENXIO, () -> files.write(ENDPOINT + "/tsm/connect", "tsm1"));
    refuses(Errno.ENXIO, () -> files.write(ENDPOINT + "/tsm/disconnect", "nonsense"));
    files.write(ENDPOINT + "/tsm/connect", "tsm0");
    refuses(Errno.EBUSY, () -> files.write(ENDPOINT + "/tsm/connect", "tsm1"));
    refuses(Errno.EINVAL, () -> files.write(ENDPOINT + "/tsm/disconnect", "tsm1"));
    assertThat(files.read(ENDPOINT + "/tsm/connect")).isEqualTo("tsm0");
  }

  @Test
  void anotherFunctionShowsItsManagerOnlyWhileThatIsConnected() {
    SysFs files = new SysFs(twoFunctions());
    assertThat(files.exists(SECOND + "/tsm")).isFalse();

    files.write(ENDPOINT + "/tsm/connect", "tsm0");
    assertThat(files.list(SECOND + "/tsm")).containsExactlyInAnyOrder("bound", "dsm");
    assertThat(files.read(SECOND + "/tsm/dsm")).isEqualTo("0000:00:07.0");
    assertThat(files.read(SECOND + "/authenticated")).isEqualTo("tsm0");

    files.write(ENDPOINT + "/tsm/disconnect", "tsm0");
    assertThat(files.exists(SECOND + "/tsm")).isFalse();
    assertThat(files.exists(SECOND + "/authenticated")).isFalse();
  }

  @Test
  void aFunctionFoundAfterTheConnectionIsServedTooAndRemovalOfTheManagerEndsIt() {
    SysFs files = new SysFs(twoFunctions());
    files.write(SECOND + "/remove", "1");
    files.write(ENDPOINT + "/tsm/connect", "tsm0");
    files.write("/sys/bus/pci/rescan", "1");
    assertThat(files.read(SECOND + "/tsm/dsm")).isEqualTo("0000:00:07.0");

    files.write(ENDPOINT + "/remove", "1");
    assertThat(files.exists(SECOND + "/tsm")).isFalse();
    files.write("/sys/bus/pci/rescan", "1");
    assertThat(files.read(ENDPOINT + "/tsm/connect")).isEmpty();
  }

  @Test
  void aFailedConnectLeavesNothingConnected() {
    MockKernel kernel = MockKernel.sev();
    SysFs files = new SysFs(kernel);
    kernel.tsm().failNext(TsmErrors.Operation.CONNECT, Errno.EIO, false);

    refuses(Errno.EIO, () -> files.write(ENDPOINT + "/tsm/connect", "tsm0"));
    assertThat(files.read(ENDPOINT + "/authenticated")).isEmpty();
    files.write(ENDPOINT + "/tsm/connect", "tsm0");
    assertThat(kernel.tsm().state("0000:00:07.0")).isEqualTo(Optional.empty());
  }
}
