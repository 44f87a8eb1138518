package dev.iolite.tdi;

import dev.iolite.pci.PciAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.interfaces.RSAPrivateCrtKey;
import java.util.Arrays;

/** A function's switches of tsm-sim, the TSM in software of the kernel seed-2025. */
final class TsmSim implements AutoCloseable {
  /** What PKCS #8 has before the RSAPrivateKey of PKCS #1, with 2048 bits. */
  private static final int PKCS8_HEAD_BYTES = 26;

  private final Path directory;

  TsmSim(PciAddress address) {
    directory = Path.of("/sys/kernel/debug/tsm-sim", address.toString());
  }

  /** The TDISP state of its interface. */
  String state() {
    try {
      return Files.readString(directory.resolve("state")).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sets one of bind_fail, bind_errno, report_fault, delay_ms, eintr, error and link_lost. */
  void set(String name, int value) {
    write(name, Integer.toString(value).getBytes(StandardCharsets.US_ASCII));
  }

  private void write(String name, byte[] content) {
    try {
      Files.write(directory.resolve(name), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The function signs its measurements from now on.
   *
   * @param key RSA, of 2048 bits
   */
  void signBy(RSAPrivateCrtKey key) {
    byte[] pkcs8 = key.getEncoded();
    write("key", Arrays.copyOfRange(pkcs8, PKCS8_HEAD_BYTES, pkcs8.length));
  }

  /** Nothing goes wrong any more, and nothing is signed. */
  @Override
  public void close() {
    write("key", new byte[] {'\n'});
    for (String name : new String[] {"bind_fail", "report_fault", "delay_ms", "eintr"}) {
      set(name, 0);
    }
  }
}
