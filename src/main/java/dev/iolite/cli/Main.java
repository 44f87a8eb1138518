package dev.iolite.cli;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.profile.ProfileName;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Mixin;
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
    subcommands = {
      DoctorCommand.class,
      PciCommand.class,
      VfioCommand.class,
      IommuCommand.class,
      KvmCommand.class,
      PassthroughCommand.class,
      MockCommand.class,
      TsmCommand.class,
      TdiCommand.class,
      UapiCommand.class,
      HelpCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:all went well",
      "1:the command ran, and what it checked is not in order",
      "2:the command line could not be understood",
      "3:the kernel refused a call, or answered it against its own rules",
      "4:something that the command needs is not there (device, driver, kernel feature)",
      "70:a fault of iolite",
      "130, 143:Ctrl-C, SIGTERM: what was done so far is undone"
    })
public final class Main extends CommandGroup {
  @Mixin private final CommonOptions options = new CommonOptions();

  /** Longer than any step waits for a device or a guest. */
  private static final int STOP_SECONDS = 60;

  private final Kernel usualKernel;
  private final Input input;
  private Optional<KernelChoice.Chosen> kernel = Optional.empty();
  private final Ansi errorColours;
  private volatile boolean stopping;

  private Main(Kernel kernel, Input input, Ansi errorColours) {
    usualKernel = kernel;
    this.input = input;
    this.errorColours = errorColours;
  }

  /**
   * Runs a command and exits with its code. A signal that ends the process (Ctrl-C) lets the
   * command undo what it did first.
   */
  public static void main(String[] arguments) {
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    Kernel kernel = new HostKernel();
    Ansi outColours = Colours.of(kernel, Colours.OUT, System.getenv());
    Ansi errColours = Colours.of(kernel, Colours.ERR, System.getenv());
    Input in =
        new Input(
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
            Colours.isTerminal(kernel, Colours.IN));
    CommandLine line = commandLine(kernel, in, out, outColours, err, errColours);
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> of(line).stop(ended), "stop"));
    int code = line.execute(arguments);
    out.flush();
    err.flush();
    ended.countDown();
    System.exit(code);
  }

  private void stop(CountDownLatch ended) {
    stopping = true;
    try {
      if (!ended.await(STOP_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("iolite: the command did not end; iolite pci list shows what is bound");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether the process is about to end. */
  boolean isStopping() {
    return stopping;
  }

  /** Where commands are read from by a command that takes more of them. */
  Input standardInput() {
    return input;
  }

  /** The command line, working on this kernel unless told otherwise, with these streams. */
  static CommandLine commandLine(
      Kernel kernel,
      Input input,
      PrintWriter out,
      Ansi outColours,
      PrintWriter err,
      Ansi errColours) {
    return new CommandLine(new Main(kernel, input, errColours))
        .setOut(out)
        .setColorScheme(Help.defaultColorScheme(outColours))
        .setErr(err)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(new UsageErrors())
        .setExecutionExceptionHandler(new Failures())
        .registerConverter(KernelChoice.class, KernelChoice::parse)
        .registerConverter(PciAddress.class, Main::address)
        .registerConverter(ProfileName.class, Main::profile);
  }

  /** The command that this one is below. */
  static Main of(CommandLine command) {
    return command.getCommandSpec().root().commandLine().getCommand();
  }

  /** The options that were given, to this command or to one below it. */
  CommonOptions options() {
    return options;
  }

  /** A message for standard error, in the colour of errors if that is a terminal. */
  Text errorText(String message) {
    return Help.defaultColorScheme(errorColours).errorText(message);
  }

  /** The kernel that the commands work on. */
  KernelChoice.Chosen chosen() {
    if (kernel.isEmpty()) {
      kernel =
          Optional.of(
              options
                  .kernel()
                  .map(KernelChoice::make)
                  .orElseGet(() -> new KernelChoice.Chosen(usualKernel, Optional.empty())));
    }
    return kernel.get();
  }

  private static ProfileName profile(String text) {
    return ProfileName.of(text)
        .orElseThrow(() ->
            new TypeConversionException(
                "there is no profile '%s'; there are %s"
                    .formatted(
                        text,
                        Arrays.stream(ProfileName.values())
                            .map(ProfileName::toString)
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
