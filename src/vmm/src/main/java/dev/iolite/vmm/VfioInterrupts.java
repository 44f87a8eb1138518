package dev.iolite.vmm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kernel.KernelException;
import dev.iolite.kvm.VmInterrupts;
import dev.iolite.pci.ConfigSpace;
import dev.iolite.pci.PciCapability;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.IrqInfo;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The interrupts of a device that is passed through. They follow what the guest writes to the
 * device's configuration space: the line, MSI or MSI-X, one of them at a time.
 */
final class VfioInterrupts implements AutoCloseable {
  /** How the device interrupts. */
  private enum Mode {
    NONE,
    LINE,
    MSI,
    MSIX
  }

  private static final int MSI_COUNT_SHIFT = 4;
  private static final int MSI_COUNT_MASK = 7;
  private static final int MSI_ADDRESS = 4;
  private static final int MSI_DATA_32 = 8;
  private static final int MSI_DATA_64 = 12;
  private static final int MSI_WRITABLE = PciRegs.MSI_ENABLE | MSI_COUNT_MASK << MSI_COUNT_SHIFT;
  private static final int MSIX_WRITABLE = PciRegs.MSIX_ENABLE | PciRegs.MSIX_MASK_ALL;
  private static final int MSIX_COUNT_MASK = 0x7ff;

  private final Kernel kernel;
  private final BoundVfioDevice device;
  private final Region config;
  private final VmInterrupts vm;
  private final InterruptRoutes routes;
  private final int gsi;
  private final boolean hasLine;
  private final int mostMsi;
  private final OptionalInt msi;
  private final OptionalInt msix;
  private final MsixTable table;

  /** The control words of MSI and MSI-X as the guest wrote them. */
  private int msiControl;

  private int msixControl;
  private final List<Vector> vectors = new ArrayList<>();
  private Optional<IrqSet> messages = Optional.empty();
  private Optional<InterruptLine> line = Optional.empty();
  private Mode mode = Mode.NONE;
  private CloseStack open = new CloseStack();

  /**
   * Begins without interrupts.
   *
   * @param space the device's configuration space as it is now
   * @param gsi where its line goes
   */
  VfioInterrupts(
      Kernel kernel,
      BoundVfioDevice device,
      ConfigSpace space,
      VmInterrupts vm,
      InterruptRoutes routes,
      int gsi) {
    this.kernel = kernel;
    this.device = device;
    this.vm = vm;
    this.routes = routes;
    this.gsi = gsi;
    config = device.config().region();
    hasLine = device.irqInfo(PciIrq.INTX).filter(info -> info.count() != 0).isPresent();
    mostMsi = device.irqInfo(PciIrq.MSI).map(IrqInfo::count).orElse(0);
    msi = capability(space, PciRegs.CAP_MSI);
    msix = capability(space, PciRegs.CAP_MSIX);
    msiControl = msi.isPresent() ? config.read16(msi.getAsInt() + PciRegs.MSI_FLAGS) : 0;
    msixControl = msix.isPresent() ? config.read16(msix.getAsInt() + PciRegs.MSIX_FLAGS) : 0;
    table = new MsixTable(msix.isPresent() ? (msixControl & MSIX_COUNT_MASK) + 1 : 0);
  }

  static OptionalInt capability(ConfigSpace space, int id) {
    return space.capabilities().stream()
        .filter(found -> !found.extended() && found.id() == id)
        .mapToInt(PciCapability::offset)
        .findFirst();
  }

  /** The MSI-X table; empty if the device has no MSI-X. */
  MsixTable table() {
    return table;
  }

  /** Where the table is: the BAR's number in the low bits, as in the capability; -1 if nowhere. */
  int tableLocation() {
    return msix.isPresent() ? config.read32(msix.getAsInt() + PciRegs.MSIX_TABLE) : -1;
  }

  /**
   * Puts the control words over what VFIO shows: VFIO enables MSI and MSI-X when it is told to, and
   * not when they are written (drivers/vfio/pci/vfio_pci_config.c:vfio_msi_config_write).
   */
  int shown(int offset, int bytes, int value) {
    int shown = value;
    for (int i = 0; i < bytes; i++) {
      int control = isIn(msi, offset + i) ? msiControl : msixControl;
      if (isIn(msi, offset + i) || isIn(msix, offset + i)) {
        int shift = i * Byte.SIZE;
        int low = (control >> ((offset + i & 1) * Byte.SIZE)) & 0xff;
        shown = (shown & ~(0xff << shift)) | low << shift;
      }
    }
    return shown;
  }

  /** Takes what the guest writes to the control words. */
  void written(int offset, int bytes, int value) {
    for (int i = 0; i < bytes; i++) {
      int shift = (offset + i & 1) * Byte.SIZE;
      int high = ((value >> (i * Byte.SIZE)) & 0xff) << shift;
      if (isIn(msi, offset + i)) {
        int bits = MSI_WRITABLE & 0xff << shift;
        msiControl = (msiControl & ~bits) | (high & bits);
      } else if (isIn(msix, offset + i)) {
        int bits = MSIX_WRITABLE & 0xff << shift;
        msixControl = (msixControl & ~bits) | (high & bits);
      }
    }
  }

  private static boolean isIn(OptionalInt capability, int offset) {
    return capability.isPresent() && (offset & ~1) == capability.getAsInt() + PciRegs.MSIX_FLAGS;
  }

  /** Does what configuration space says now. */
  void follow() {
    Mode wanted = wanted();
    if (wanted != mode) {
      disable();
      mode = wanted;
      switch (wanted) {
        case NONE -> {
          // Nothing interrupts.
        }
        case LINE ->
            line =
                Optional.of(
                    open.push(new InterruptLine(kernel, device.irqs(PciIrq.INTX), vm, gsi)));
        case MSI -> enableMsi(msiCount());
        case MSIX -> enable(PciIrq.MSIX, lastUnmasked() + 1);
      }
    }
    int command = config.read16(PciRegs.COMMAND);
    line.ifPresent(pin -> pin.follow((command & PciRegs.COMMAND_INTX_DISABLE) == 0));
    if (mode == Mode.MSI) {
      followMsi();
    } else if (mode == Mode.MSIX) {
      followMsix();
    }
  }

  private Mode wanted() {
    if ((msixControl & PciRegs.MSIX_ENABLE) != 0) {
      return Mode.MSIX;
    }
    if ((msiControl & PciRegs.MSI_ENABLE) != 0) {
      return Mode.MSI;
    }
    return hasLine ? Mode.LINE : Mode.NONE;
  }

  /** How many messages the guest has allowed; some of the numbers that it can write mean none. */
  private int msiCount() {
    return Math.min(1 << (msiControl >> MSI_COUNT_SHIFT & MSI_COUNT_MASK), mostMsi);
  }

  /** The guest can't be told that the host has fewer; VFIO tells the device to use only those. */
  private void enableMsi(int count) {
    try {
      enable(PciIrq.MSI, count);
    } catch (KernelException e) {
      if (e.result() <= 0) {
        throw e;
      }
      disable();
      mode = Mode.MSI;
      enable(PciIrq.MSI, (int) e.result());
    }
  }

  private boolean isMasked(int vector) {
    return (msixControl & PciRegs.MSIX_MASK_ALL) != 0 || table.isMasked(vector);
  }

  private int lastUnmasked() {
    int last = 0;
    for (int i = 0; i < table.count(); i++) {
      last = isMasked(i) ? last : i;
    }
    return last;
  }

  private void enable(PciIrq kind, int count) {
    addVectors(count);
    IrqSet irqs = open.push(device.irqs(kind));
    irqs.enable(events());
    messages = Optional.of(irqs);
  }

  private void addVectors(int count) {
    while (vectors.size() < count) {
      vectors.add(open.push(new Vector(kernel, vm, routes)));
    }
  }

  private List<EventFd> events() {
    return vectors.stream().map(Vector::event).toList();
  }

  /**
   * Enables more vectors of MSI-X. What the others still have to say is kept in their eventfds, but
   * where VFIO can't add vectors, the device has none for a moment.
   */
  private void grow(int count) {
    int before = vectors.size();
    addVectors(count);
    IrqSet irqs = messages.orElseThrow();
    if (irqs.info().isFixedSize()) {
      irqs.close();
      irqs.enable(events());
    } else {
      for (int i = before; i < count; i++) {
        irqs.connect(i, vectors.get(i).event());
      }
    }
  }

  /** The messages of MSI differ in their low bits. */
  private void followMsi() {
    int at = msi.getAsInt();
    boolean is64Bit = (msiControl & PciRegs.MSI_64) != 0;
    long address =
        is64Bit
            ? config.read64(at + MSI_ADDRESS)
            : Integer.toUnsignedLong(config.read32(at + MSI_ADDRESS));
    int data = Short.toUnsignedInt(config.read16(at + (is64Bit ? MSI_DATA_64 : MSI_DATA_32)));
    for (int i = 0; i < vectors.size(); i++) {
      vectors.get(i).unmask(address, data + i);
    }
  }

  private void followMsix() {
    for (int i = 0; i < table.count(); i++) {
      followEntry(i);
    }
  }

  /** Does what an entry of the MSI-X table says now; those that are not masked reach the guest. */
  void followEntry(int vector) {
    if (mode != Mode.MSIX) {
      return;
    }
    if (!isMasked(vector)) {
      if (vector >= vectors.size()) {
        grow(lastUnmasked() + 1);
      }
      vectors.get(vector).unmask(table.address(vector), table.data(vector));
    } else if (vector < vectors.size()) {
      vectors.get(vector).mask();
    }
  }

  private void disable() {
    mode = Mode.NONE;
    messages = Optional.empty();
    line = Optional.empty();
    vectors.clear();
    CloseStack old = open;
    open = new CloseStack();
    old.close();
  }

  @Override
  public void close() {
    disable();
  }
}
