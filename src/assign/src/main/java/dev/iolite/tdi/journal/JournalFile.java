package dev.iolite.tdi.journal;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.kernel.PrivateFile;
import dev.iolite.kernel.Remedy;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Step;
import dev.iolite.tdi.State;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A journal on disk, with records in the format of {@link JournalRecords}. Records of what outlives
 * the process are on the disk before it is done. The rest, which only tells a person how far the
 * process got, reaches the disk at some later time. Once a write has failed, nothing more is
 * written.
 */
final class JournalFile implements Journal {
  /** Beyond this size, the records after the last durable one are forgotten. */
  static final int MOST_BYTES = 1 << 20;

  private final PrivateFile file;
  private long records;
  private long bytes;

  /** The number of records that are known to be on the disk. */
  private long durableRecords;

  private long durableBytes;
  private boolean failed;

  private JournalFile(PrivateFile file) {
    this.file = file;
  }

  static JournalFile open(PrivateDirectory directory, PciAddress address, String host) {
    try (CloseStack opening = new CloseStack()) {
      PrivateFile file = opening.push(directory.lock(Journal.name(address), true).orElseThrow());
      if (!file.isLocked()) {
        throw taken(file, address);
      }
      if (file.read(JournalRecords.MOST_BYTES).length > 0) {
        throw left(file, address);
      }
      opening.onClose(file::delete);
      JournalFile journal = new JournalFile(file);
      journal.write(
          true,
          Map.of(
              "event",
              "begin",
              "host",
              host,
              "device",
              address.toString(),
              "process",
              Long.toString(ProcessHandle.current().pid())));
      directory.sync();
      opening.release();
      return journal;
    }
  }

  private static PreconditionException taken(PrivateFile file, PciAddress address) {
    return new PreconditionException(
        "begin the journal " + file,
        "another process writes to it",
        new Advice(
            "another process has " + address + " assigned",
            "look at that assignment",
            Remedy.SHOW_ASSIGNMENT,
            List.of(address.toString())));
  }

  private static PreconditionException left(PrivateFile file, PciAddress address) {
    return new PreconditionException(
        "begin the journal " + file,
        "a process has left one behind",
        new Advice(
            "that process was killed while it had " + address + " assigned",
            "release what it has left behind",
            Remedy.RECOVER,
            List.of(address.toString())));
  }

  private void write(boolean mustLast, Map<String, String> entry) {
    if (failed && !mustLast) {
      return;
    }
    try {
      if (!mustLast && bytes > MOST_BYTES) {
        forget();
      }
      byte[] line = JournalRecords.line(records + 1, durableRecords, entry);
      file.write(line, bytes);
      records++;
      bytes += line.length;
      if (mustLast) {
        file.sync();
        durableRecords = records;
        durableBytes = bytes;
      }
    } catch (PreconditionException e) {
      failed = true;
      throw e;
    }
  }

  /** Truncates the file. The truncation is on the disk before anything is written in its place. */
  private void forget() {
    file.cut(durableBytes);
    file.sync();
    records = durableRecords;
    bytes = durableBytes;
  }

  @Override
  public void driver(Map<String, String> before) {
    Map<String, String> entry = new LinkedHashMap<>(Map.of("event", "driver"));
    entry.putAll(before);
    write(true, entry);
  }

  @Override
  public void connecting(String tsm) {
    write(true, Map.of("event", "connecting", "tsm", tsm));
  }

  @Override
  public void step(Step step) {
    write(
        false,
        Map.of(
            "event",
            "step",
            "name",
            step.name(),
            "kind",
            step.kind().name(),
            "undo",
            Boolean.toString(step.undo()),
            "ok",
            Boolean.toString(step.succeeded())));
  }

  @Override
  public void state(State state) {
    write(false, Map.of("event", "state", "state", state.toString()));
  }

  @Override
  public void finished() {
    file.delete();
  }

  @Override
  public void close() {
    file.close();
  }
}
