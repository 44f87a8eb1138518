package dev.iolite.cli;

import dev.iolite.kernel.ByteSize;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.PciAddress;
import dev.iolite.vmm.Outcome;
import dev.iolite.vmm.VirtualMachine;
import dev.iolite.vmm.VmConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code iolite vm}: guests that boot Linux. */
@Command(
    name = "vm",
    description = "Boots Linux on KVM, with PCI devices passed through.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = VmCommand.RunCommand.class)
final class VmCommand extends CommandGroup {
  /** {@code iolite vm run}. */
  @Command(
      name = "run",
      description = {
        "Boots a Linux kernel, with its console on this terminal, until the guest ends.",
        "Devices must be bound to vfio-pci. Ctrl-A x stops the guest; Ctrl-A Ctrl-A sends it a"
            + " Ctrl-A; it gets all other keys, Ctrl-C too. The exit code is 0 if the guest"
            + " switched off, 10 if it rebooted, 11 if its kernel panicked, 12 if a processor shut"
            + " down in a triple fault, and 13 if Ctrl-A x stopped it."
      })
  static final class RunCommand extends IoliteCommand implements Callable<Integer> {
    /** In front of the command, the option of this name is the kernel to work on. */
    private final OptionSpec image =
        OptionSpec.builder("--kernel")
            .paramLabel("BZIMAGE")
            .type(Path.class)
            .required(true)
            .description("the guest's kernel")
            .build();

    @Option(names = "--initrd", paramLabel = "FILE", description = "the guest's initial RAM disk")
    private Optional<Path> initrd = Optional.empty();

    @Option(
        names = "--cmdline",
        paramLabel = "OPTIONS",
        description = "the kernel's command line (default: ${DEFAULT-VALUE})",
        defaultValue = "console=ttyS0")
    private String commandLine;

    @Option(
        names = "--memory",
        paramLabel = "SIZE",
        description = "the guest's RAM, such as 2G (default: ${DEFAULT-VALUE})",
        defaultValue = "512M")
    private String memory;

    @Option(
        names = "--cpus",
        paramLabel = "NUMBER",
        description = "the guest's processors, 1 to 254 (default: ${DEFAULT-VALUE})",
        defaultValue = "1")
    private int cpus;

    @Option(
        names = "--device",
        paramLabel = "BDF",
        description = "a device of the host that the guest gets; may be repeated")
    private List<PciAddress> devices = new ArrayList<>();

    @Option(
        names = "--vm",
        paramLabel = "TYPE",
        description = "the type of VM: default or sw-protected (default: ${DEFAULT-VALUE})",
        defaultValue = "default")
    private VmType type;

    @Override
    List<String> unusedOptions() {
      return List.of("--kernel", "--output");
    }

    @Override
    List<OptionSpec> optionsInstead() {
      return List.of(image);
    }

    @Override
    public Integer call() {
      VmConfig config = config();
      HostKernel terminal = new HostKernel();
      OutputStream console = new StandardStream(terminal, Terminal.OUT);
      try (VirtualMachine machine = VirtualMachine.create(kernel(), config, console)) {
        Outcome outcome = run(machine, terminal);
        return switch (outcome) {
          case POWER_OFF -> ExitCode.OK;
          case RESET -> ExitCode.GUEST_RESET;
          case PANIC -> ExitCode.GUEST_PANIC;
          case TRIPLE_FAULT -> ExitCode.GUEST_TRIPLE_FAULT;
          case STOPPED -> ExitCode.GUEST_STOPPED;
        };
      }
    }

    private VmConfig config() {
      try {
        return new VmConfig(
            image.getValue(), initrd, commandLine, ByteSize.parse(memory), cpus, devices, type);
      } catch (IllegalArgumentException e) {
        throw new ParameterException(spec().commandLine(), String.valueOf(e.getMessage()), e);
      }
    }

    private Outcome run(VirtualMachine machine, HostKernel terminal) {
      try (RawTerminal _ = new RawTerminal(terminal)) {
        Thread.ofPlatform().daemon().name("console").start(() -> type(System.in, machine));
        return uncut(() -> machine.run(stopRequested()));
      }
    }

    /** Passes on what is typed, until there is no more. */
    private static void type(InputStream keys, VirtualMachine machine) {
      ConsoleKeys escapes = new ConsoleKeys(machine);
      byte[] bytes = new byte[ConsoleKeys.AT_ONCE];
      try {
        for (int count = keys.read(bytes); count > 0; count = keys.read(bytes)) {
          escapes.typed(bytes, count);
        }
      } catch (IOException _) {
        // The terminal is gone; the guest runs on.
      }
    }
  }
}
