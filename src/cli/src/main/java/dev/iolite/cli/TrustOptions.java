package dev.iolite.cli;

import dev.iolite.tdi.evidence.HashAlgorithm;
import dev.iolite.tdi.evidence.SigningAlgorithm;
import dev.iolite.tdi.evidence.Trust;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say whose signature over a device's measurements is trusted. */
final class TrustOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--trust",
      paramLabel = "CERT",
      description =
          "verify the signature of the measurements: by the device's certificate or public key, or"
              + " with --chain by its root's certificate, in PEM (default: nothing is verified)")
  private Optional<Path> trusted = Optional.empty();

  @Option(
      names = "--chain",
      paramLabel = "FILE",
      description =
          "the device's certificates, which CERT vouches for: in SPDM's form, or in DER or PEM")
  private Optional<Path> chain = Optional.empty();

  @Option(
      names = "--signing",
      paramLabel = "NAME",
      description =
          "the algorithm of the signature: ${COMPLETION-CANDIDATES} (default: what the messages"
              + " say, else what the key can be used for)")
  private Optional<SigningAlgorithm> signing = Optional.empty();

  @Option(
      names = "--hash",
      paramLabel = "NAME",
      description =
          "the algorithm of the digest that is signed: ${COMPLETION-CANDIDATES} (default: what the"
              + " messages say, else all are tried)")
  private Optional<HashAlgorithm> hash = Optional.empty();

  /**
   * Reads the files.
   *
   * @return empty if nobody is trusted
   */
  Optional<Trust> trust() {
    if (trusted.isEmpty() && (chain.isPresent() || signing.isPresent() || hash.isPresent())) {
      throw new ParameterException(
          spec.commandLine(), "--chain, --signing and --hash go with --trust");
    }
    return trusted.map(this::read);
  }

  private Trust read(Path file) {
    String next = "give one certificate or public key in PEM";
    Trust trust =
        Trust.of(TdiFiles.bytes("the trusted certificate", file, next), file.toString())
            .withAlgorithms(signing, hash);
    return chain
        .map(path ->
            trust.withChain(
                TdiFiles.bytes(
                    "the device's certificates", path, "give the certificates of one device"),
                path.toString()))
        .orElse(trust);
  }
}
