package dev.iolite.tdi.host;

import dev.iolite.kernel.Kernel;
import dev.iolite.pci.Pci;
import dev.iolite.pci.PciAddress;
import dev.iolite.pci.PciDevice;
import dev.iolite.pci.Tsm;
import dev.iolite.pci.TsmState;
import dev.iolite.steps.Steps;
import dev.iolite.tdi.TdiStep;
import dev.iolite.tdi.journal.Journal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The connection of a TSM to a device. */
public final class TsmConnection {
  private TsmConnection() {}

  /**
   * Connects a TSM.
   *
   * @return what keeps every TSM from connecting to the device; nothing if one is connected
   */
  static List<String> connect(Steps steps, PciDevice pci, Journal journal) {
    Tsm tsms = new Tsm(steps.kernel());
    Optional<String> connected =
        steps.step(
            TdiStep.LOOK_FOR_CONNECTION,
            () -> session(steps.kernel(), pci),
            found -> found.orElse("none is"));
    if (connected.isPresent()) {
      return List.of();
    }
    List<String> lacking = new ArrayList<>();
    String tsm =
        steps.step(
            TdiStep.FIND_TSM,
            () -> {
              lacking.addAll(missing(tsms, pci));
              return lacking.isEmpty() ? tsms.only() : "none that can be connected";
            },
            Function.identity());
    if (!lacking.isEmpty()) {
      return lacking;
    }
    steps.step(
        TdiStep.CONNECT_TSM,
        "by " + tsm,
        () -> {
          journal.connecting(tsm);
          steps.undo(
              TdiStep.CONNECT_TSM,
              "from " + tsm,
              () -> {
                // Somebody else may already have disconnected it; it may also never have been
                // connected.
                if (pci.tsm().flatMap(TsmState::connect).equals(Optional.of(tsm))) {
                  tsms.disconnect(pci, tsm);
                }
              });
          tsms.connect(pci, tsm);
        });
    return List.of();
  }

  /** The TSM that a function is connected to, by itself or by the function that manages it. */
  private static Optional<String> session(Kernel kernel, PciDevice function) {
    Optional<TsmState> state = function.tsm();
    return state
        .flatMap(TsmState::connect)
        .or(() ->
            state
                .flatMap(TsmState::dsm)
                .map(dsm -> new Pci(kernel).device(PciAddress.parse(dsm)))
                .flatMap(PciDevice::tsm)
                .flatMap(TsmState::connect));
  }

  /** What keeps every TSM from connecting to a device; nothing if one can be connected. */
  public static List<String> missing(Tsm tsms, PciDevice device) {
    List<String> missing = new ArrayList<>();
    if (tsms.names().isEmpty()) {
      missing.add("There is no TSM in /sys/class/tsm: no driver of TDX Connect or SEV-TIO works.");
    }
    if (device.tsm().isEmpty()) {
      missing.add(
          device
              .physicalFunction()
              .map(pf -> device + " has no tsm/ in sysfs before a TSM is connected to " + pf + ".")
              .orElse(
                  device
                      + " has no tsm/ in sysfs: it has neither IDE nor TEE-IO, or the kernel no PCI"
                      + " TSM."));
    }
    return missing;
  }
}
