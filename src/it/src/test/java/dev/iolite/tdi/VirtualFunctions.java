package dev.iolite.tdi;

import dev.iolite.kernel.HostKernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The two virtual functions of the lab's machine {@code sriov}. Their PF keeps its driver. */
public final class VirtualFunctions implements AutoCloseable {
  /** The PF. */
  public static final PciAddress PF = PciAddress.parse("0000:02:00.0");

  /** The first VF. */
  public static final PciAddress FIRST = PciAddress.parse("0000:02:00.1");

  /** The second VF. */
  public static final PciAddress SECOND = PciAddress.parse("0000:02:00.2");

  /** The TSM that connects their PF. */
  public static final String TSM = "tsm0";

  private final Path directory = Path.of("/sys/bus/pci/devices", PF.toString());
  private final HostKernel kernel = new HostKernel();
  private final Tsm tsms = new Tsm(kernel);
  private final PciDevice pf = new Pci(kernel).device(PF);

  /** Makes them, without a connection to the TSM. */
  public VirtualFunctions() throws IOException {
    // QEMU's VFs are offline, and nvme would wait for them.
    put("sriov_drivers_autoprobe", "0");
    put("sriov_numvfs", "2");
  }

  private void put(String file, String text) throws IOException {
    Files.writeString(directory.resolve(file), text);
  }

  /** Whether the TSM is connected to the PF, and so to all of them. */
  public boolean connected() {
    return pf.tsm().orElseThrow().connect().filter(TSM::equals).isPresent();
  }

  /** Connects the TSM to the PF. */
  public void connect() {
    tsms.connect(pf, TSM);
  }

  /** Disconnects it. */
  public void disconnect() {
    tsms.disconnect(pf, TSM);
  }

  @Override
  public void close() throws IOException {
    if (connected()) {
      disconnect();
    }
    put("sriov_numvfs", "0");
  }
}
