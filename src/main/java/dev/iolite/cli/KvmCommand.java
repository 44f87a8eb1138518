package dev.iolite.cli;

import dev.iolite.kvm.HelloGuest;
import dev.iolite.kvm.KvmInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
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
      output.table(
          List.of("VM TYPE", "CAN BE MADE", "PRIVATE MEMORY", "GUEST_MEMFD"),
          info.types().stream()
              .map(type ->
                  List.of(
                      type.type().name(),
                      type.works()
                          ? "@|green yes|@"
                          : type.offered() ? "@|red no|@" : "not offered",
                      type.privateMemory() ? "yes" : "no",
                      type.guestMemfd() ? flags(type) : "no"))
              .toList());
      output.line("");
      output.table(
          List.of("CAPABILITY", "VALUE"),
          info.capabilities().entrySet().stream()
              .map(capability -> List.of(capability.getKey(), "" + capability.getValue()))
              .toList());
      return ExitCode.OK;
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
        description = "how long the guest may run (default: ${DEFAULT-VALUE})",
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
      HelloGuest.Result result = HelloGuest.run(kernel(), text, Duration.ofSeconds(seconds));
      Output output = output();
      if (output.isJson()) {
        output.json(result);
      } else {
        output.line(result.text());
        output.line("@|faint (the guest printed that in %d exits)|@".formatted(result.exits()));
      }
      return ExitCode.OK;
    }
  }
}
