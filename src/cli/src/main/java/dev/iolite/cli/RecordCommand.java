package dev.iolite.cli;

import dev.iolite.cli.recording.Recorder;
import dev.iolite.mock.recording.Recording;
import dev.iolite.mock.recording.RecordingText;
import dev.iolite.pci.PciAddress;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code iolite record}. */
@Command(
    name = "record",
    description = {
      "Prints what a model needs to be this machine, as YAML: its PCI functions, IOMMUs, IOMMU"
          + " groups and KVM. Nothing is changed. Only a function that vfio-pci has and nobody uses"
          + " is opened, which resets it.",
      "--kernel mock:FILE and iolite mock run FILE use a recording.",
      "Example: iolite record 0000:65:00.0 > gpu.yaml"
    })
final class RecordCommand extends IoliteCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..*",
      paramLabel = "BDF",
      description =
          "functions to record, with the rest of their IOMMU groups and the bridges above them; all"
              + " functions if there is none")
  private List<PciAddress> addresses = List.of();

  @Option(
      names = "--keep-ids",
      description = "keep serial numbers, which contain the MAC address of many network devices")
  private boolean keepsIds;

  @Override
  List<String> unusedOptions() {
    return List.of("--output");
  }

  @Override
  public Integer call() {
    Recording recording =
        new Recorder(kernel(), keepsIds, note -> error("iolite: record " + note)).record(addresses);
    output().verbatim(RecordingText.of(recording).stripTrailing());
    return ExitCode.OK;
  }
}
