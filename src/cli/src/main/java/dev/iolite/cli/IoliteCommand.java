package dev.iolite.cli;

import dev.iolite.cli.report.HostFacts;
import dev.iolite.kernel.CallerMemory;
import dev.iolite.kernel.Kernel;
import dev.iolite.pci.PciAddress;
import dev.iolite.rehearsal.Rehearsal;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.trace.TracingKernel;
import dev.iolite.trace.TracingKernel.Scope;
import dev.iolite.uapi.catalog.Ioctl;
import dev.iolite.uapi.catalog.Ioctls;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Spec;

/** What all commands share: the options that {@link Main} declares for them. */
public abstract class IoliteCommand {
  @Spec private CommandSpec spec;
  private volatile Supplier<Ioctls> ioctls = Ioctls::ofHeaders;

  /** Those options of all commands that mean nothing to this one. */
  List<String> unusedOptions() {
    return List.of();
  }

  /** Its own options whose names are those of unused ones. */
  List<OptionSpec> optionsInstead() {
    return List.of();
  }

  /** The forms in which it prints its results. */
  Set<CommonOptions.Format> formats() {
    return CommonOptions.Format.USUAL;
  }

  /** How this command line was parsed. */
  protected final CommandSpec spec() {
    return spec;
  }

  /** The kernel to work on. */
  final Kernel kernel() {
    return traced(main().chosen().kernel(), CallerMemory.own());
  }

  /**
   * A kernel whose calls are printed if the user wants a trace.
   *
   * @param memory the memory of the process that makes the calls
   */
  final Kernel traced(Kernel kernel, CallerMemory memory) {
    Output err = Main.errors(spec.commandLine());
    return main().options().trace()
        ? new TracingKernel(
            kernel, memory, Scope.ALL, () -> ioctls.get(), call -> err.line(call.toString()))
        : kernel;
  }

  /** Sets where a trace finds, from now on, the calls that the kernel has beyond the headers. */
  final void know(Supplier<List<Ioctl>> more) {
    ioctls = () -> Ioctls.ofHeaders().with(more.get());
  }

  /** The kernel's name, as {@code --kernel} takes it. */
  final String kernelName() {
    return main().options().kernel().map(KernelChoice::name).orElse(Journal.THIS_HOST);
  }

  /** The model behind the kernel, if the kernel is a model in this process. */
  final Optional<Rehearsal> rehearsal() {
    return main().chosen().rehearsal();
  }

  /** What a report says of the host and of these devices. */
  final HostFacts hostFacts(List<PciAddress> devices) {
    boolean isModel = !kernelName().equals(Journal.THIS_HOST);
    return HostFacts.of(main().chosen().kernel(), kernelName(), isModel, devices);
  }

  /** Where to print, in the requested format. */
  protected final Output output() {
    return new Output(spec.commandLine(), main().options().format());
  }

  /** Whether the user wants the command to end and to undo what it did. */
  protected final BooleanSupplier stopRequested() {
    return main()::isStopping;
  }

  /** Does work that a signal does not cut short, because it has to undo what it did. */
  final <T> T uncut(Supplier<T> work) {
    return main().shielded(work);
  }

  /** Where the command reads from. */
  final Input input() {
    return main().standardInput();
  }

  /**
   * Shows on standard error what is being done. It does so only if standard output is a terminal,
   * too: the reader of a pipe may print to the same terminal. A trace has its own lines.
   */
  final Optional<Progress> progress() {
    return output().terminal().isTerminal() && !main().options().trace()
        ? Optional.of(Main.errors(spec.commandLine()).progress())
        : Optional.empty();
  }

  /** Prints a message to standard error, in the style of errors. */
  protected final void error(String message) {
    Main.errors(spec.commandLine()).error(message);
  }

  private Main main() {
    return Main.of(spec.commandLine());
  }
}
