package dev.iolite.cli;

import dev.iolite.kvm.HelloGuest;
import dev.iolite.kvm.KvmInfo;
import dev.iolite.steps.ScenarioException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code iolite kvm}: what KVM can do here. */
@Command(
    name = "kvm",
    description = "Shows what KVM can do, and runs the smallest guest.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {KvmCommand.InfoCommand.class, KvmCommand.HelloCommand.class})
final class KvmCommand extends CommandGroup {
  /** {@code iolite kvm info}. */
  @Command(name = "info", description = "Shows limits, VM types and capabilities.")
  static final class InfoCommand extends IoliteCommand implements Callable<Integer> {
    @Override
    public Integer call() {
      KvmInfo info = KvmInfo.of(kernel());
      Output output = output();
      if (output.isJson()) {
        output.json(info);
        return ExitCode.OK;
      }
      output.properties(
          "API version", "" + info.apiVersion(),
          "vCPUs",
              "%d (recommended %d, highest id %d)"
                  .formatted(info.maxVcpus(), info.recommendedVcpus(), info.maxVcpuId() - 1),
          "memory slots", "" + info.maxMemorySlots(),
          "kvm_run", info.vcpuMmapBytes() + " bytes");
      output.line("");
      output.styledTable(
          List.of("VM TYPE", "CAN BE MADE", "PRIVATE MEMORY", "GUEST_MEMFD"),
          info.types().stream()
              .map(type ->
                  List.of(
                      output.styled(type.type().name()),
                      works(output, type),
                      output.styled(type.privateMemory() ? "yes" : "no"),
                      output.styled(type.guestMemfd() ? flags(type) : "no")))
              .toList());
      output.line("");
      output.table(
          List.of("CAPABILITY", "VALUE"),
          info.capabilities().entrySet().stream()
              .map(capability -> List.of(capability.getKey(), "" + capability.getValue()))
              .toList());
      return ExitCode.OK;
    }

    private static Text works(Output output, KvmInfo.Type type) {
      if (type.works()) {
        return output.styled("yes", Style.fg_green);
      }
      return type.offered() ? output.styled("no", Style.fg_red) : output.styled("not offered");
    }

    private static String flags(KvmInfo.Type type) {
      List<String> words = new ArrayList<>(List.of("yes"));
      type.guestMemfdFlags().stream().sorted().map(Enum::name).forEach(words::add);
      return String.join(" ", words);
    }
  }

  /** {@code iolite kvm hello}. */
  @Command(
      name = "hello",
      description = "Runs a guest in real mode that prints a text through an I/O port.")
  static final class HelloCommand extends IoliteCommand implements Callable<Integer> {
    @Option(
        names = "--deadline",
        paramLabel = "SECONDS",
        description = "how long the guest may run, at least 1 (default: ${DEFAULT-VALUE})",
        defaultValue = "10")
    private int seconds;

    @Parameters(
        arity = "0..1",
        paramLabel = "TEXT",
        description = "what it prints (default: ${DEFAULT-VALUE})",
        defaultValue = "hello from a guest")
    private String text;

    @Override
    public Integer call() {
      check();
      HelloGuest.Result result = hello();
      Output output = output();
      if (output.isJson()) {
        output.json(result);
      } else {
        output.verbatim(result.text());
        output.line(
            output.styled(
                "(the guest printed that in %d exits)".formatted(result.exits()), Style.faint),
            "");
      }
      return ExitCode.OK;
    }

    private void check() {
      if (seconds < 1) {
        throw usage("--deadline must be at least 1 second, but is " + seconds);
      }
      int bytes = text.getBytes(StandardCharsets.UTF_8).length;
      if (bytes > HelloGuest.MOST_BYTES) {
        throw usage(
            "TEXT has %d bytes in UTF-8; at most %d fit".formatted(bytes, HelloGuest.MOST_BYTES));
      }
      if (text.indexOf('\0') >= 0) {
        throw usage("TEXT has a NUL character, which ends it for the guest");
      }
    }

    private ParameterException usage(String message) {
      return new ParameterException(spec().commandLine(), message);
    }

    private HelloGuest.Result hello() {
      try {
        return HelloGuest.run(kernel(), text, Duration.ofSeconds(seconds));
      } catch (IllegalStateException e) {
        // The guest is known, so KVM is the cause of what it did instead.
        ScenarioException failure = new ScenarioException(String.valueOf(e.getMessage()));
        failure.initCause(e);
        throw failure;
      }
    }
  }
}
