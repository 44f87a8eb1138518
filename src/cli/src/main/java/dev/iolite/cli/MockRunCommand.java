package dev.iolite.cli;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.door.Door;
import dev.iolite.uapi.catalog.Ioctls;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code iolite mock run}. */
@Command(
    name = "run",
    description = {
      "Runs a program on a model of a host: any program, unmodified and without privileges.",
      "The program and its children see the model's /dev/iommu, /dev/vfio, /dev/kvm, PCI functions"
          + " and IOMMU; all else is this machine. The exit code is the program's, or 128 and the"
          + " number of the signal that ended it.",
      "Example: iolite mock run mock:plain -- ./my_vmm_test --device 0000:00:03.0"
    })
final class MockRunCommand extends IoliteCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "mock:plain, mock:tdx or mock:sev, optionally with a profile, as for --kernel")
  private KernelChoice choice = KernelChoice.parse("mock:plain");

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "PROGRAM",
      description = "the program and its arguments, after --")
  private List<String> command = List.of();

  @Option(
      names = "--fail",
      paramLabel = "CALL:N=ERRNO[:after]",
      description =
          "make the Nth of these calls fail, such as IOMMU_IOAS_MAP:2=ENOMEM; with :after, once its"
              + " effect has taken place. Can be given more than once")
  private List<InjectedFault> faults = List.of();

  @Override
  public Integer call() throws InterruptedException {
    MockKernel.Builder description =
        choice
            .model()
            .orElseThrow(() ->
                new ParameterException(
                    spec().commandLine(), "a program can only be run on a model"));
    return new Door(description, this::calls).run(command, stopRequested());
  }

  private Kernel calls(Kernel model, CallerMemory memory) {
    Faults plan = Faults.none();
    for (InjectedFault fault : faults) {
      plan.fail(fault.calls(), fault.nth(), fault.errno(), fault.when());
    }
    return traced(new FaultyKernel(model, memory, Ioctls.ofHeaders(), plan), memory);
  }
}
