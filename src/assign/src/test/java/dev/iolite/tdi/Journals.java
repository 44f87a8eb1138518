package dev.iolite.tdi;

import dev.iolite.kernel.HostFiles;
import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.journal.Journal;
import dev.iolite.tdi.journal.Recovery;
import java.nio.file.Path;
import java.util.Optional;

/** The journals in a directory, of this host's devices. */
public final class Journals implements AutoCloseable {
  private final PrivateDirectory directory;

  /** Makes the directory if it is not there. */
  public Journals(Path path) {
    this(new HostKernel(), path);
  }

  Journals(HostFiles files, Path path) {
    directory = PrivateDirectory.make(files, path);
  }

  PrivateDirectory directory() {
    return directory;
  }

  /** Begins a device's journal. */
  public Journal begin(PciAddress address) {
    return Journal.open(directory, address, Journal.THIS_HOST);
  }

  /** Where a device's journal is, if it is there. */
  public Path file(PciAddress address) {
    return directory.path().resolve(Journal.name(address));
  }

  /** Releases what a device's journal says. */
  public Optional<Recovery.Found> recover(Kernel kernel, PciAddress address) {
    return new Recovery(kernel, directory, address, Journal.THIS_HOST, AssignmentListener.none())
        .run();
  }

  @Override
  public void close() {
    directory.close();
  }
}
