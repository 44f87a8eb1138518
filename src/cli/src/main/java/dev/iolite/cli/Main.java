package dev.iolite.cli;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.VmType;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.ScenarioException;
import dev.iolite.tsm.Profile;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

/** The {@code iolite} command. */
@Command(
    name = "iolite",
    description = "Drives Linux device assignment: VFIO, iommufd and KVM.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:success",
      "1:the command ran, but a check failed",
      "2:the command line is wrong",
      "3:the kernel refused a call, or gave an answer that breaks its own rules",
      "4:something that the command needs is missing: a device, a driver, a kernel feature",
      "10, 11, 12, 13:vm run: the guest rebooted, panicked, ended in a triple fault, was stopped",
      "70:a bug in iolite",
      "74:what the command printed could not be written, as on a full disk",
      "141:nobody reads what the command prints any longer, as in a pipe to head",
      "130, 143:Ctrl-C or SIGTERM; what was done so far has been undone"
    })
public final class Main extends CommandGroup {
  @Mixin private final CommonOptions options = new CommonOptions();

  /** Longer than any step waits for a device or a guest. */
  private static final int UNCUT_SECONDS = 60;

  /** A command that has nothing to undo ends within this time or is cut off. */
  private static final int FIRST_MILLIS = 1500;

  /** The types that can be launched. */
  private static final List<VmType> VM_TYPES =
      List.of(VmType.DEFAULT, VmType.SW_PROTECTED, VmType.TDX, VmType.SNP);

  private final Kernel usualKernel;
  private final Input input;
  private Optional<KernelChoice.Chosen> kernel = Optional.empty();
  private final Supplier<Terminal> outTerminal;
  private final Supplier<Terminal> errTerminal;
  private volatile boolean stopping;
  private volatile boolean isUncut;

  private Main(
      Kernel kernel, Input input, Supplier<Terminal> outTerminal, Supplier<Terminal> errTerminal) {
    usualKernel = kernel;
    this.input = input;
    this.outTerminal = outTerminal;
    this.errTerminal = errTerminal;
  }

  @Override
  Map<String, Class<?>> subcommands() {
    Map<String, Class<?>> commands = new LinkedHashMap<>();
    commands.put("doctor", DoctorCommand.class);
    commands.put("pci", PciCommand.class);
    commands.put("vfio", VfioCommand.class);
    commands.put("iommu", IommuCommand.class);
    commands.put("kvm", KvmCommand.class);
    commands.put("vm", VmCommand.class);
    commands.put("passthrough", PassthroughCommand.class);
    commands.put("record", RecordCommand.class);
    commands.put("mock", MockCommand.class);
    commands.put("tsm", TsmCommand.class);
    commands.put("tdi", TdiCommand.class);
    commands.put("uapi", UapiCommand.class);
    commands.put("help", HelpCommand.class);
    return commands;
  }

  /**
   * Runs a command and exits with its code. When a signal ends the process (Ctrl-C), the command
   * first undoes what it did.
   */
  public static void main(String[] arguments) {
    Charset inCharset = charset("stdin.encoding");
    Charset outCharset = charset("stdout.encoding");
    Charset errCharset = charset("stderr.encoding");
    HostKernel kernel = new HostKernel();
    StandardStream standardOut = new StandardStream(kernel, Terminal.OUT);
    StandardStream standardErr = new StandardStream(kernel, Terminal.ERR);
    PrintWriter out = new PrintWriter(standardOut, true, outCharset);
    PrintWriter err = new PrintWriter(standardErr, true, errCharset);
    int refused = kernel.refuseNewPrivileges();
    if (refused < 0) {
      err.println("iolite: prctl(PR_SET_NO_NEW_PRIVS): " + Errno.of(-refused));
      System.exit(ExitCode.KERNEL);
    }
    Input in =
        new Input(
            new BufferedReader(new InputStreamReader(System.in, inCharset)),
            Terminal.of(kernel, Terminal.IN, System.getenv(), inCharset).isTerminal());
    CommandLine line =
        commandLine(
            kernel,
            in,
            out,
            () -> Terminal.of(kernel, Terminal.OUT, System.getenv(), outCharset),
            err,
            () -> Terminal.of(kernel, Terminal.ERR, System.getenv(), errCharset),
            arguments);
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> of(line).stop(ended, line), "stop"));
    int code = ExitCode.INTERNAL;
    try {
      code = line.execute(arguments);
      out.flush();
      err.flush();
      if (code == ExitCode.OK) {
        code = written(standardOut, standardErr, errors(line));
      }
    } catch (Error e) {
      System.err.println(e); // There may be no memory for anything more.
    } finally {
      ended.countDown();
    }
    System.exit(code);
  }

  /** The exit code of a command that has succeeded: 0 if all of its output has been written. */
  static int written(StandardStream out, StandardStream err, Output errors) {
    if (out.isClosedPipe() || err.isClosedPipe()) {
      return ExitCode.CLOSED_PIPE;
    }
    if (out.failure().or(err::failure).isEmpty()) {
      return ExitCode.OK;
    }
    out.failure()
        .ifPresent(errno ->
            errors.error(
                ("iolite: write to standard output: %s. Usual cause: the disk is full, or the"
                        + " output is closed. Next: what the command did stays done; make room,"
                        + " and run it again if what it printed is needed")
                    .formatted(errno)));
    return ExitCode.OUTPUT;
  }

  /** The locale's charset, unless Java was given another one for this stream. */
  private static Charset charset(String property) {
    String ofLocale = System.getProperty("native.encoding", "");
    return Charset.forName(System.getProperty(property, ofLocale), StandardCharsets.UTF_8);
  }

  private void stop(CountDownLatch ended, CommandLine line) {
    stopping = true;
    try {
      boolean hasEnded = ended.await(FIRST_MILLIS, TimeUnit.MILLISECONDS);
      for (int i = 1; i < UNCUT_SECONDS && !hasEnded && isUncut; i++) {
        hasEnded = ended.await(1, TimeUnit.SECONDS);
      }
      if (!hasEnded && isUncut) {
        errors(line).error("iolite: the command did not end; iolite pci list shows what is bound");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Does work that a signal does not cut short, because it has to undo what it did. A command that
   * does anything else ends at once, whatever it waits for.
   *
   * @throws ScenarioException if the process is about to end
   */
  <T> T shielded(Supplier<T> work) {
    isUncut = true;
    try {
      if (stopping) {
        throw new ScenarioException("stopped before anything was done");
      }
      return work.get();
    } finally {
      isUncut = false;
    }
  }

  /** Whether the process is about to end. */
  boolean isStopping() {
    return stopping;
  }

  /** The input of commands that read further commands. */
  Input standardInput() {
    return input;
  }

  /**
   * The command line, with these streams, working on this kernel by default. What the streams are
   * connected to is determined anew for each result: a window's size may change while a device is
   * held.
   *
   * @param arguments what it will execute, so that it has the commands for that; none: it has all
   */
  static CommandLine commandLine(
      Kernel kernel,
      Input input,
      PrintWriter out,
      Supplier<Terminal> outTerminal,
      PrintWriter err,
      Supplier<Terminal> errTerminal,
      String... arguments) {
    Terminal terminal = outTerminal.get();
    CommandLine line = new CommandLine(new Main(kernel, input, outTerminal, errTerminal));
    Subcommands.addNeeded(line, List.of(arguments));
    CommonOptions.fit(line);
    UsageHelp.fit(line, terminal);
    return line.setOut(out)
        .setColorScheme(terminal.colorScheme())
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionStrategy(Main::run)
        .setParameterExceptionHandler(new UsageErrors())
        .setExecutionExceptionHandler(new Failures())
        .registerConverter(KernelChoice.class, KernelChoice::parse)
        .registerConverter(InjectedFault.class, InjectedFault::parse)
        .registerConverter(PciAddress.class, Main::address)
        .registerConverter(Profile.class, Main::profile)
        .registerConverter(VmType.class, Main::vmType);
  }

  /** Runs a command. An Error ends it too, after the undos on its way have been tried. */
  private static int run(ParseResult parsed) {
    try {
      CommandLine last = parsed.asCommandLineList().getLast();
      if (last.getCommand() instanceof IoliteCommand command) {
        of(last).options.requireFormatOf(command);
      }
      return new RunLast().execute(parsed);
    } catch (Error e) {
      return Failures.handle(e, parsed.commandSpec().commandLine());
    }
  }

  /** The main command, which this one is below. */
  static Main of(CommandLine command) {
    return command.getCommandSpec().root().commandLine().getCommand();
  }

  /** The options that were given to this command or to one below it. */
  CommonOptions options() {
    return options;
  }

  /** What standard output is connected to. */
  Terminal outTerminal() {
    return outTerminal.get();
  }

  /** Where a command prints messages about errors. */
  static Output errors(CommandLine command) {
    return new Output(command.getErr(), of(command).errTerminal.get(), CommonOptions.Format.TABLE);
  }

  /** The kernel that the commands work on. */
  KernelChoice.Chosen chosen() {
    if (kernel.isEmpty()) {
      kernel =
          Optional.of(
              options
                  .kernel()
                  .map(choice -> choice.make(this::isStopping))
                  .orElseGet(() -> new KernelChoice.Chosen(usualKernel, Optional.empty())));
    }
    return kernel.get();
  }

  private static Profile profile(String text) {
    return Profile.of(text)
        .orElseThrow(() ->
            new TypeConversionException(
                "there is no profile '%s'; there are %s"
                    .formatted(
                        text,
                        Arrays.stream(Profile.values())
                            .map(Profile::toString)
                            .collect(Collectors.joining(", ")))));
  }

  /** Parses {@code sw-protected} or, as in the kernel, {@code SW_PROTECTED}. */
  private static VmType vmType(String text) {
    String wanted = text.replace('-', '_');
    return VM_TYPES.stream()
        .filter(type -> type.name().equalsIgnoreCase(wanted))
        .findFirst()
        .orElseThrow(() ->
            new TypeConversionException(
                "there is no type of VM '%s'; there are %s"
                    .formatted(
                        text,
                        VM_TYPES.stream()
                            .map(type -> type.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                            .collect(Collectors.joining(", ")))));
  }

  private static PciAddress address(String text) {
    try {
      return PciAddress.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
