package dev.iolite.cli;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.journal.Journal;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * The directory where processes that have assigned a device keep journal and socket, as an option.
 * It is on this machine, whichever kernel the devices belong to.
 */
public final class RunDirectory {
  private static final String SOCKET = ".sock";

  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      description =
          "where processes that hold a device keep journal and socket; it is this user's, with mode"
              + " 0700 (default: iolite/ in $$XDG_RUNTIME_DIR or /run)")
  private Optional<Path> given = Optional.empty();

  /** The directory, which may not exist yet. */
  public Path path() {
    return given.orElseGet(RunDirectory::usual);
  }

  private static Path usual() {
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    return Path.of(runtime == null || runtime.isEmpty() ? "/run" : runtime, "iolite");
  }

  /** Opens it, and first creates it if it does not exist. */
  PrivateDirectory make() {
    return PrivateDirectory.make(new HostKernel(), path());
  }

  /** Opens it; empty if it does not exist. */
  public Optional<PrivateDirectory> find() {
    return PrivateDirectory.find(new HostKernel(), path());
  }

  /** The name of the socket of the process that holds a device. */
  public static String socket(PciAddress address) {
    return address.toString().replace(':', '-') + SOCKET;
  }

  /** The device whose socket or journal has this name; empty if the name is neither's. */
  public static Optional<PciAddress> device(String name) {
    return name.endsWith(SOCKET)
        ? Journal.device(name.substring(0, name.length() - SOCKET.length()) + Journal.ENDING)
        : Journal.device(name);
  }
}
