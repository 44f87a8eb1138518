package dev.iolite.mock.pci;

import dev.iolite.mock.device.MsiX;
import dev.iolite.pci.PciRegs;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A function's interrupts, from the device to the kernel's handlers: the line, MSI and MSI-X, with
 * everything that can hold them back on the way.
 */
final class Interrupts {
  private static final int MSI_QUEUE_SHIFT = 4;
  private static final int MSI_QUEUE_MASK = 7;

  private final FunctionConfig config;
  private final int msi;
  private final int msiX;
  private final Optional<MsixTable> table;
  private final BooleanSupplier hostReachesTable;
  private final Map<Integer, Runnable> handlers = new HashMap<>();

  /** MSI messages that arrived before anybody had requested them (IRQS_PENDING). */
  private final BitSet early = new BitSet();

  private Optional<Runnable> lineHandler = Optional.empty();
  private boolean line;

  /**
   * Makes interrupts that are all off.
   *
   * @param hostReachesTable whether the kernel's writes reach the MSI-X table; they don't if it is
   *     locked
   */
  Interrupts(ConfigLayout layout, Optional<MsiX> msixShape, BooleanSupplier hostReachesTable) {
    config = layout.space();
    msi = layout.msi();
    msiX = layout.msiX();
    table = msixShape.map(shape -> new MsixTable(shape, this::deliverPending));
    this.hostReachesTable = hostReachesTable;
  }

  Optional<MsixTable> table() {
    return table;
  }

  /** Does the device's side of a reset. */
  void reset() {
    line = false;
    table.ifPresent(MsixTable::reset);
  }

  /**
   * Called when configuration space was written: interrupts that were held back may be sent now.
   */
  void configChanged() {
    deliverLine();
    table.ifPresent(entries -> {
      for (int vector = 0; isMsixOn() && vector < entries.vectors(); vector++) {
        deliverPending(vector);
      }
    });
  }

  private boolean isMaster() {
    return (config.read(PciRegs.COMMAND, 2) & PciRegs.COMMAND_MASTER) != 0;
  }

  boolean isMsiOn() {
    return msi != 0 && (config.read(msi + PciRegs.MSI_FLAGS, 2) & PciRegs.MSI_ENABLE) != 0;
  }

  boolean isMsixOn() {
    return msiX != 0 && (config.read(msiX + PciRegs.MSIX_FLAGS, 2) & PciRegs.MSIX_ENABLE) != 0;
  }

  void setLine(boolean asserted) {
    line = asserted;
    int status = config.read(PciRegs.STATUS, 2);
    config.set(
        PciRegs.STATUS,
        2,
        asserted ? status | PciRegs.STATUS_INTERRUPT : status & ~PciRegs.STATUS_INTERRUPT);
    deliverLine();
  }

  /** The line is level triggered: the handler is called whenever the line may be asserted. */
  private void deliverLine() {
    boolean off = (config.read(PciRegs.COMMAND, 2) & PciRegs.COMMAND_INTX_DISABLE) != 0;
    if (line && !off) {
      lineHandler.ifPresent(Runnable::run);
    }
  }

  void send(int vector) {
    if (isMsiOn()) {
      int log = (config.read(msi + PciRegs.MSI_FLAGS, 2) >> MSI_QUEUE_SHIFT) & MSI_QUEUE_MASK;
      if (isMaster() && vector >= 0 && vector < 1 << log) {
        early.set(vector, !handlers.containsKey(vector));
        deliver(vector);
      }
    } else if (isMsixOn()) {
      MsixTable entries = table.orElseThrow();
      if (vector >= 0 && vector < entries.vectors()) {
        entries.setPending(vector, true);
        deliverPending(vector);
      }
    }
  }

  private void deliverPending(int vector) {
    MsixTable entries = table.orElseThrow();
    boolean allMasked = (config.read(msiX + PciRegs.MSIX_FLAGS, 2) & PciRegs.MSIX_MASK_ALL) != 0;
    if (!isMsixOn() || allMasked || !entries.isPending(vector) || entries.isMasked(vector)) {
      return;
    }
    entries.setPending(vector, false);
    if (isMaster() && entries.isProgrammed(vector)) {
      deliver(vector);
    }
  }

  private void deliver(int vector) {
    Runnable handler = handlers.get(vector);
    if (handler != null) {
      handler.run();
    }
  }

  /**
   * request_irq for a message; for MSI-X the vector is unmasked. Messages that arrived earlier are
   * sent again, as one (kernel/irq/resend.c:check_irq_resend).
   */
  void connect(int vector, Runnable handler) {
    handlers.put(vector, handler);
    if (early.get(vector)) {
      early.clear(vector);
      handler.run();
    }
    tableOfKernel()
        .ifPresent(entries -> {
          entries.program(vector);
          entries.setMasked(vector, false);
        });
  }

  /** The table, if the kernel's writes to it have an effect. */
  private Optional<MsixTable> tableOfKernel() {
    return table.filter(_ -> isMsixOn() && hostReachesTable.getAsBoolean());
  }

  /** free_irq for a message. */
  void disconnect(int vector) {
    handlers.remove(vector);
    tableOfKernel().ifPresent(entries -> entries.setMasked(vector, true));
  }

  /** pci_free_irq_vectors: messages that arrived early are lost. */
  void forgetMessages() {
    early.clear();
  }

  /**
   * Writes the MSI-X table again after a reset (drivers/pci/msi/msi.c:__pci_restore_msix_state).
   */
  void reprogram() {
    if (isMsixOn()) {
      Map.copyOf(handlers).forEach(this::connect);
    }
  }

  /** request_irq for the line. */
  void connectLine(Runnable handler) {
    lineHandler = Optional.of(handler);
    deliverLine();
  }

  /** free_irq for the line. */
  void disconnectLine() {
    lineHandler = Optional.empty();
  }
}
