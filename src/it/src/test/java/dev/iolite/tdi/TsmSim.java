package dev.iolite.tdi;

import dev.iolite.pci.PciAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A function's switches of tsm-sim, the TSM in software of the kernel seed-2025. */
final class TsmSim implements AutoCloseable {
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
    try {
      Files.writeString(directory.resolve(name), Integer.toString(value));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Nothing goes wrong any more. */
  @Override
  public void close() {
    for (String name : new String[] {"bind_fail", "report_fault", "delay_ms", "eintr"}) {
      set(name, 0);
    }
  }
}
