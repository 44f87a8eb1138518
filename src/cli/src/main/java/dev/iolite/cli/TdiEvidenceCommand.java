package dev.iolite.cli;

import dev.iolite.cli.held.HeldMeasurements;
import dev.iolite.tdi.evidence.Evidence;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code iolite tdi evidence FILE}: reads and verifies a device's measurements. */
@Command(
    name = "evidence",
    description = {
      "Shows a device's measurements (SPDM 1.1 to 1.4): a MEASUREMENTS message, or"
          + " GET_MEASUREMENTS and MEASUREMENTS, each also after the messages from GET_VERSION to"
          + " ALGORITHMS and those for certificates. With --trust, verifies the signature.",
      "Exit code 1 if a message breaks a rule of its format, or the signature is missing or not"
          + " that of a trusted device; 4 if something that is needed to verify it is missing."
    })
final class TdiEvidenceCommand extends IoliteCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "FILE",
      description = "the bytes of the messages, in order, in one file or more")
  private List<Path> files = List.of();

  @Option(
      names = "--nonce",
      paramLabel = "HEX",
      description = "the nonce of the request, which the answer must have been made for")
  private Optional<String> nonce = Optional.empty();

  @Mixin private final TrustOptions trust = new TrustOptions();

  @Override
  public Integer call() {
    Optional<byte[]> asked = nonce.map(this::nonce);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    String next = "give the bytes of SPDM messages and nothing else";
    files.forEach(file -> bytes.writeBytes(TdiFiles.bytes("the measurements", file, next)));
    Evidence evidence = Evidence.parse(MemorySegment.ofArray(bytes.toByteArray()));
    Verdict verdict = Verdict.of(trust.trust(), evidence, asked);
    String names = files.stream().map(Path::toString).collect(Collectors.joining(", "));
    Output output = output();
    if (output.isJson()) {
      output.json(
          Json.object(
              "file", names,
              "messages", evidence.messages(),
              "newerVersion", evidence.newerVersion(),
              "measurements", evidence.measurements(),
              "verified", verdict.verified(),
              "verdict", verdict.words()));
    } else {
      EvidenceView.show(output, "evidence", names, evidence, verdict);
    }
    verdict.require();
    return ExitCode.OK;
  }

  private byte[] nonce(String hex) {
    try {
      return HeldMeasurements.nonce(hex);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }
}
