package dev.iolite.cli;

import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.Kernel;
import dev.iolite.mock.Calls;
import dev.iolite.mock.Faults;
import dev.iolite.mock.FaultyKernel;
import dev.iolite.mock.MockKernel;
import dev.iolite.mock.door.Door;
import dev.iolite.trace.TracingKernel;
import dev.iolite.uapi.catalog.Ioctls;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
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
      "A program that does what can't be served, such as an unknown instruction on a BAR, is ended."
          + " What iolite itself has to say has one of its own codes, as without a program.",
      "Example: iolite mock run mock:plain -- ./my_vmm_test --device 0000:00:03.0"
    })
final class MockRunCommand extends IoliteCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      converter = ModelConverter.class,
      description =
          "mock:plain, mock:tdx or mock:sev, optionally with a profile, as for --kernel; or the"
              + " file of a recorded machine")
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
              + " effect has taken place. Can be given more than once. If the program makes fewer"
              + " such calls, iolite says so on standard error")
  private List<InjectedFault> faults = List.of();

  private final CallCounts counted = new CallCounts();

  /** How often the call of each fault was made. */
  private final Map<InjectedFault, Integer> made = new ConcurrentHashMap<>();

  @Option(
      names = "--junit",
      paramLabel = "FILE",
      description = "write how the program ended, and how often each call ended how, as JUnit does")
  private Optional<Path> junit = Optional.empty();

  @Override
  List<String> unusedOptions() {
    return List.of("--kernel", "--output");
  }

  @Override
  public Integer call() throws InterruptedException {
    MockKernel.Builder description =
        choice
            .model()
            .orElseThrow(() ->
                new ParameterException(
                    spec().commandLine(), "a program can only be run on a model"));
    long start = System.nanoTime();
    int status = new Door(description, this::calls).run(command);
    reportMissing();
    if (junit.isPresent()) {
      JunitReport.write(junit.get(), command, status, System.nanoTime() - start, counted);
    }
    return status;
  }

  private Kernel calls(Kernel model, CallerMemory memory) {
    Kernel kernel = traced(faults.isEmpty() ? model : faulty(model, memory), memory);
    return junit.isEmpty()
        ? kernel
        : new TracingKernel(
            kernel, memory, TracingKernel.Scope.ALL, Ioctls::ofHeaders, counted::add);
  }

  private Kernel faulty(Kernel model, CallerMemory memory) {
    Faults plan = Faults.none();
    for (InjectedFault fault : faults) {
      plan.fail(call -> includes(fault, call), fault.nth(), fault.errno(), fault.when());
    }
    return new FaultyKernel(model, memory, Ioctls.ofHeaders(), plan);
  }

  private boolean includes(InjectedFault fault, Calls.Call call) {
    boolean isIncluded = fault.calls().include(call);
    if (isIncluded) {
      made.merge(fault, 1, Integer::sum);
    }
    return isIncluded;
  }

  /** A test that passes because nothing failed shows nothing. */
  private void reportMissing() {
    for (InjectedFault fault : faults) {
      int count = made.getOrDefault(fault, 0);
      if (count < fault.nth()) {
        Main.errors(spec().commandLine())
            .error(
                "iolite: --fail %s had no effect: the program made this call %s"
                    .formatted(fault.text(), count == 1 ? "once" : count + " times"));
      }
    }
  }
}
