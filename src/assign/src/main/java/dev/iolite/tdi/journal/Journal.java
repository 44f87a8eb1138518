package dev.iolite.tdi.journal;

import dev.iolite.kernel.Advice;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.Remedy;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Step;
import dev.iolite.tdi.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file that records what an assignment has done and not yet undone, so that another process can
 * release it if this one is killed. Changes that outlive a process (a device's driver, a TSM's
 * connection) are recorded, and reach the disk, before they are made.
 *
 * <p>The file is locked while its process lives, and deleted when nothing is held any longer.
 */
public interface Journal extends AutoCloseable {
  /** The driver is about to be changed. */
  void driver(Map<String, String> before);

  /** A TSM is about to be connected to the device. */
  void connecting(String tsm);

  /** A step was made, forward or back. */
  void step(Step step);

  /** The assignment stands elsewhere now. */
  void state(State state);

  /** Nothing is held any longer: forgets everything. */
  void finished();

  /** The process stops writing; what is held is left to {@link Recovery}. */
  @Override
  void close();

  /** Nothing is written down. */
  static Journal none() {
    return new Journal() {
      @Override
      public void driver(Map<String, String> before) {}

      @Override
      public void connecting(String tsm) {}

      @Override
      public void step(Step step) {}

      @Override
      public void state(State state) {}

      @Override
      public void finished() {}

      @Override
      public void close() {}
    };
  }

  /**
   * The file of a device in a directory.
   *
   * @param directory made if it is not there
   */
  static Path file(Path directory, PciAddress address) {
    return directory.resolve(address.toString().replace(':', '-') + ".journal");
  }

  /** The name of the kernel that runs this process, in a journal. */
  String THIS_HOST = "host";

  /**
   * As {@link #open(Path, PciAddress, String)}, of a device of the kernel that runs this process.
   */
  static Journal open(Path directory, PciAddress address) {
    return open(directory, address, THIS_HOST);
  }

  /**
   * Begins a journal.
   *
   * @param host which kernel the device is of: with the same name, {@link Recovery} releases it
   * @throws PreconditionException if another process has this device's, or has died and left one
   * @throws UncheckedIOException if the file can't be written
   */
  static Journal open(Path directory, PciAddress address, String host) {
    try {
      Files.createDirectories(directory);
      return OnDisk.open(file(directory, address), address, host);
    } catch (IOException e) {
      throw new UncheckedIOException("can't write the journal in " + directory, e);
    }
  }

  /** Lines of JSON. */
  final class OnDisk implements Journal {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path file;
    private final FileChannel channel;

    private OnDisk(Path file, FileChannel channel) {
      this.file = file;
      this.channel = channel;
    }

    private static OnDisk open(Path file, PciAddress address, String host) throws IOException {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      FileLock lock = Recovery.tryLock(channel);
      boolean isTaken = lock == null;
      if (isTaken || channel.size() > 0) {
        channel.close();
        throw new PreconditionException(
            "begin the journal " + file,
            isTaken ? "another process writes to it" : "a process has left one behind",
            isTaken
                ? new Advice(
                    "another process has " + address + " assigned",
                    "look at that assignment",
                    Remedy.SHOW_ASSIGNMENT,
                    List.of(address.toString()))
                : new Advice(
                    "that process was killed while it had " + address + " assigned",
                    "release what it has left behind",
                    Remedy.RECOVER,
                    List.of(address.toString())));
      }
      OnDisk journal = new OnDisk(file, channel);
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
      return journal;
    }

    private void write(boolean mustLast, Map<String, String> entry) {
      byte[] line = (JSON.writeValueAsString(entry) + "\n").getBytes(StandardCharsets.UTF_8);
      try {
        ByteBuffer bytes = ByteBuffer.wrap(line);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        if (mustLast) {
          channel.force(false);
        }
      } catch (IOException e) {
        throw new UncheckedIOException("can't write to the journal " + file, e);
      }
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
      try {
        Files.deleteIfExists(file);
        channel.truncate(0);
      } catch (IOException e) {
        throw new UncheckedIOException("can't delete the journal " + file, e);
      }
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException e) {
        throw new UncheckedIOException("can't close the journal " + file, e);
      }
    }
  }
}
