package dev.iolite.cli;

import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.journal.Journal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Where processes that have a device assigned keep journal and socket, as an option. */
public final class RunDirectory {
  private static final String SOCKET = ".sock";
  private static final String JOURNAL = ".journal";

  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      description =
          "where processes that hold a device keep journal and socket (default: iolite/ in"
              + " $$XDG_RUNTIME_DIR or /run)")
  private Optional<Path> given = Optional.empty();

  /** The directory; perhaps it is not there yet. */
  public Path path() {
    return given.orElseGet(RunDirectory::usual);
  }

  private static Path usual() {
    String runtime = System.getenv("XDG_RUNTIME_DIR");
    return Path.of(runtime == null || runtime.isEmpty() ? "/run" : runtime, "iolite");
  }

  /** The socket of the process that holds a device. */
  public Path socket(PciAddress address) {
    return path().resolve(address.toString().replace(':', '-') + SOCKET);
  }

  /**
   * Begins the journal of a device; as {@link Journal#open}, but a failure says what is missing.
   *
   * @param host the kernel's name
   */
  Journal journal(PciAddress address, String host) {
    try {
      return Journal.open(path(), address, host);
    } catch (UncheckedIOException e) {
      throw TdiFiles.failed("begin the journal of " + address + " in " + path(), e);
    }
  }

  /** The devices that there are sockets of, of processes that live or have died. */
  public List<PciAddress> sockets() {
    return devices(SOCKET);
  }

  /** The devices that there are journals of. */
  List<PciAddress> journals() {
    return devices(JOURNAL);
  }

  private List<PciAddress> devices(String ending) {
    if (!Files.isDirectory(path())) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(path())) {
      TreeSet<PciAddress> found = new TreeSet<>();
      files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(ending))
          .map(name -> name.substring(0, name.length() - ending.length()).replace('-', ':'))
          .forEach(name -> address(name).ifPresent(found::add));
      return List.copyOf(found);
    } catch (IOException e) {
      throw TdiFiles.failed("list " + path(), e);
    }
  }

  /** Other files are none of ours. */
  private static Optional<PciAddress> address(String name) {
    try {
      return Optional.of(PciAddress.parse(name));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }
}
