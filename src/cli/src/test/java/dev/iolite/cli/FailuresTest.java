package dev.iolite.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.iolite.kernel.CallTarget;
import dev.iolite.kernel.DeviceFaultException;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.ForwardingKernel;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.steps.ScenarioException;
import dev.iolite.uapi.catalog.FdKind;
import dev.iolite.uapi.kvm.Kvm;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Which failure ends in which exit code. */
class FailuresTest {
  /** On the host's KVM; a call of this kind is not made but answered so. */
  private static Cli hello(long call, int answer, String... arguments) {
    assumeTrue(Files.isWritable(Path.of("/dev/kvm")), "needs /dev/kvm");
    Kernel kernel =
        new ForwardingKernel(new HostKernel()) {
          @Override
          public int ioctl(int fd, long request, long argument) {
            return request == call ? answer : super.ioctl(fd, request, argument);
          }
        };
    return Cli.runOn(kernel, arguments);
  }

  @Test
  void theKernelTheMachineAndTheCheckHaveCodesOfTheirOwn() {
    assertThat(
            Failures.code(
                new KernelException("open", CallTarget.of(FdKind.KVM, "/dev/kvm"), "", 2)))
        .isEqualTo(ExitCode.KERNEL);
    assertThat(Failures.code(new PreconditionException("a", "b", "c", "d")))
        .isEqualTo(ExitCode.PRECONDITION);
    assertThat(Failures.code(new ScenarioException("wrong"))).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(Failures.code(new DeviceFaultException("BAR0", new InternalError())))
        .isEqualTo(ExitCode.CHECK_FAILED);
  }

  @Test
  void whatNobodyForesawIsAFaultOfIolite() {
    assertThat(Failures.code(new IllegalStateException("closed"))).isEqualTo(ExitCode.INTERNAL);
    assertThat(Failures.code(new UnsupportedOperationException())).isEqualTo(ExitCode.INTERNAL);
  }

  @Test
  void aGuestThatMissesItsDeadline() {
    Cli cli = hello(Kvm.KVM_RUN(), Errno.EINTR.negated(), "kvm", "hello", "--deadline", "1");
    assertThat(cli.code()).as(cli.err()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(cli.err()).contains("did not stop within 1000 ms").contains("Next: ");
    assertThat(cli.err()).doesNotContain("internal error");
  }

  @Test
  void aGuestThatDoesSomethingElse() {
    Cli cli = hello(Kvm.KVM_RUN(), 0, "kvm", "hello");
    assertThat(cli.code()).as(cli.err()).isEqualTo(ExitCode.CHECK_FAILED);
    assertThat(cli.err()).contains("was to print and halt").doesNotContain("internal error");
  }

  @Test
  void aKvmWithAnotherApi() {
    Cli cli = hello(Kvm.KVM_GET_API_VERSION(), 11, "kvm", "info");
    assertThat(cli.code()).as(cli.err()).isEqualTo(ExitCode.PRECONDITION);
    assertThat(cli.err()).contains("version 11");
  }
}
