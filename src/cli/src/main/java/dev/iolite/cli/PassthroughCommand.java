package dev.iolite.cli;

import dev.iolite.cli.CommonOptions.Format;
import dev.iolite.cli.report.PassthroughPage;
import dev.iolite.cli.report.PassthroughRecord;
import dev.iolite.passthrough.Passthrough;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Step;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code iolite passthrough}: assigns a device end to end, drives it, and takes it back. */
@Command(
    name = "passthrough",
    description = {
      "Assigns a device to a guest, proves that it works, and takes everything back.",
      "A QEMU edu device is driven with DMA, an interrupt and a guest; an NVMe controller is reset"
          + " and asked to identify itself; other devices are assigned and taken back. Without a"
          + " BDF: QEMU's first edu device and its first NVMe controller that is not in use."
    })
final class PassthroughCommand extends IoliteCommand implements Callable<Integer> {
  private static final int INDENT = 10;

  @Parameters(arity = "0..1", paramLabel = "BDF", description = "such as 0000:00:03.0 or 00:03.0")
  private Optional<PciAddress> address = Optional.empty();

  @Mixin private final HtmlReport html = new HtmlReport();

  @Mixin private final VfToken vfToken = new VfToken();

  @Override
  Set<Format> formats() {
    return Format.STREAMED;
  }

  @Override
  public Integer call() {
    PassthroughRecord record = new PassthroughRecord();
    return uncut(() ->
        html.of(
            () -> run(record),
            outcome -> PassthroughPage.of(record, outcome, hostFacts(record.addresses())),
            this::error));
  }

  private int run(PassthroughRecord record) {
    Output output = output();
    Optional<Progress> progress = progress();
    Consumer<Step> listener =
        step -> {
          record.step(step);
          if (output.isJsonLines()) {
            output.json(step);
          } else if (output.isJson()) {
            progress.ifPresent(shown -> shown.show(step.device() + ": " + step.name()));
          } else {
            print(output, step);
          }
        };
    try {
      Passthrough passthrough = new Passthrough(kernel(), listener, stopRequested());
      List<PciAddress> devices = address.map(List::of).orElseGet(passthrough::devices);
      for (PciAddress device : devices) {
        record.device(passthrough.run(device, vfToken.given()));
      }
    } finally {
      progress.ifPresent(Progress::clear);
      if (output.isJson() && !output.isJsonLines()) {
        output.json(record.steps());
      }
    }
    if (!output.isJson()) {
      output.line("");
      output.line(output.styled(record.success(), Style.fg_green, Style.bold), "");
    }
    return ExitCode.OK;
  }

  private static void print(Output output, Step step) {
    output.heading(
        INDENT,
        output.mark(step.succeeded()),
        "  %s  ".formatted(step.device()),
        output.styled(step.name(), Style.bold),
        ": " + step.outcome());
    step.calls().forEach(call -> output.wrapped(INDENT, call.toString()));
  }
}
