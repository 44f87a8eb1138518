package dev.iolite.tdi.evidence;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A device whose cryptography is the command {@code openssl}; it works in a directory. */
final class OpenSsl {
  private static final String PURPOSE = "responder-measurements signing";

  private final Path directory;

  OpenSsl(Path directory) {
    this.directory = directory;
  }

  /** Why it can't be used here; empty if it can. */
  static String missing() {
    try {
      Process version = new ProcessBuilder("openssl", "version").start();
      String text = new String(version.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      return version.waitFor() == 0 && text.startsWith("OpenSSL 3")
          ? ""
          : "the command openssl is not of OpenSSL 3: " + text;
    } catch (IOException e) {
      return "there is no command openssl: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /** Runs it; returns what it printed. */
  byte[] run(String... arguments) {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectError(directory.resolve("errors").toFile())
              .start();
      byte[] out = process.getInputStream().readAllBytes();
      if (process.waitFor() != 0) {
        throw new IllegalStateException(
            command + ": " + Files.readString(directory.resolve("errors")));
      }
      return out;
    } catch (IOException e) {
      throw new IllegalStateException(command.toString(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  Path write(String name, byte[] content) {
    try {
      return Files.write(directory.resolve(name), content);
    } catch (IOException e) {
      throw new IllegalStateException(name, e);
    }
  }

  /** Makes a key, {@code NAME.key}, and its public half, {@code NAME.pem}. */
  void key(String name, SigningAlgorithm algorithm) {
    String[] kind = algorithm.name().split("_", 2);
    List<String> arguments = new ArrayList<>(List.of("genpkey", "-out", name + ".key"));
    switch (kind[0]) {
      case "ECDSA" ->
          arguments.addAll(
              List.of(
                  "-algorithm",
                  "EC",
                  "-pkeyopt",
                  "ec_paramgen_curve:" + kind[1].replace("P", "P-")));
      case "RSASSA", "RSAPSS" ->
          arguments.addAll(List.of("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + kind[1]));
      default -> arguments.addAll(List.of("-algorithm", algorithm.name()));
    }
    run(arguments.toArray(String[]::new));
    run("pkey", "-in", name + ".key", "-pubout", "-out", name + ".pem");
  }

  /**
   * Signs a transcript by the rules of its version.
   *
   * @param key made before
   */
  byte[] sign(String key, int version, SigningAlgorithm algorithm, HashAlgorithm hash, byte[] l1) {
    String digest =
        "-"
            + hash.name()
                .toLowerCase(java.util.Locale.ROOT)
                .replace("sha_", "sha")
                .replace('_', '-');
    write("text", l1);
    if (version > 0x11) {
      byte[] hashed = run("dgst", digest, "-binary", "text");
      byte[] text = new byte[100 + hashed.length];
      String said = "dmtf-spdm-v1.%d.*".formatted(version & 0xf);
      for (int i = 0; i < 4; i++) {
        System.arraycopy(said.getBytes(StandardCharsets.US_ASCII), 0, text, 16 * i, 16);
      }
      // 64 bytes of versions, 6 zeros, 30 letters.
      System.arraycopy(PURPOSE.getBytes(StandardCharsets.US_ASCII), 0, text, 70, 30);
      System.arraycopy(hashed, 0, text, 100, hashed.length);
      write("text", text);
    }
    List<String> signs = new ArrayList<>(List.of("dgst", digest, "-sign", key + ".key"));
    return switch (algorithm.name().split("_", 2)[0]) {
      case "ECDSA" -> {
        signs.add("text");
        yield plain(run(signs.toArray(String[]::new)), algorithm.signatureBytes() / 2);
      }
      case "RSAPSS" -> {
        signs.addAll(List.of("-sigopt", "rsa_padding_mode:pss"));
        signs.addAll(List.of("-sigopt", "rsa_pss_saltlen:digest", "text"));
        yield run(signs.toArray(String[]::new));
      }
      case "RSASSA" -> {
        signs.add("text");
        yield run(signs.toArray(String[]::new));
      }
      default -> run("pkeyutl", "-sign", "-inkey", key + ".key", "-rawin", "-in", "text");
    };
  }

  /** The two numbers of a DER sequence, each with so many bytes. */
  private static byte[] plain(byte[] der, int bytes) {
    byte[] plain = new byte[2 * bytes];
    int at = der[1] < 0 ? 3 : 2;
    for (int i = 0; i < 2; i++) {
      int length = der[at + 1];
      byte[] number =
          new BigInteger(Arrays.copyOfRange(der, at + 2, at + 2 + length)).toByteArray();
      int skipped = Math.max(0, number.length - bytes);
      System.arraycopy(
          number,
          skipped,
          plain,
          (i + 1) * bytes - (number.length - skipped),
          number.length - skipped);
      at += 2 + length;
    }
    return plain;
  }
}
