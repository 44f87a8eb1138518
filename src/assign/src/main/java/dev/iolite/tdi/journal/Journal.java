package dev.iolite.tdi.journal;

import dev.iolite.kernel.PreconditionException;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import dev.iolite.steps.Step;
import dev.iolite.tdi.State;
import java.util.Map;
import java.util.Optional;

/**
 * A file that records what an assignment has done and not yet undone, so that another process can
 * release it if this one is killed. Changes that outlive a process (a device's driver, a TSM's
 * connection) are recorded, and the records reach the disk, before the changes are made.
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

  /** The assignment has entered another state. */
  void state(State state);

  /** Forgets everything, because nothing is held any longer. */
  void finished();

  /** Stops writing; what is held is left to {@link Recovery}. */
  @Override
  void close();

  /** A journal that records nothing. */
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

  /** The suffix of journals' file names. */
  String ENDING = ".journal";

  /** The name of a device's journal in its directory. */
  static String name(PciAddress address) {
    return address.toString().replace(':', '-') + ENDING;
  }

  /** The device whose journal has a name; empty if it is not the name of a journal. */
  static Optional<PciAddress> device(String name) {
    try {
      return Optional.of(name)
          .filter(file -> file.endsWith(ENDING))
          .map(file ->
              PciAddress.parse(
                  file.substring(0, file.length() - ENDING.length()).replace('-', ':')))
          .filter(address -> name(address).equals(name));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  /** The name of the kernel that runs this process, in a journal. */
  String THIS_HOST = "host";

  /**
   * Begins a journal.
   *
   * @param directory where journals are; it must stay open as long as the journal
   * @param host the name of the kernel that has the device: {@link Recovery} releases it only with
   *     the same name
   * @throws PreconditionException if another process has this device's journal, or has died and
   *     left one, or the file cannot be written
   */
  static Journal open(PrivateDirectory directory, PciAddress address, String host) {
    return JournalFile.open(directory, address, host);
  }
}
