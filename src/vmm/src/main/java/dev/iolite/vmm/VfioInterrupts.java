package dev.iolite.vmm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.EventFd;
import dev.iolite.kernel.Kernel;
import dev.iolite.kvm.VmInterrupts;
import dev.iolite.pci.ConfigSpace;
import dev.iolite.pci.PciCapability;
import dev.iolite.pci.PciRegs;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.IrqSet;
import dev.iolite.vfio.PciIrq;
import dev.iolite.vfio.Region;
import java.util.ArrayList;
import java.util.List;
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
  private final int line;
  private final boolean hasLine;
  private final OptionalInt msi;
  private final OptionalInt msix;
  private final MsixTable table;

  /** The control words of MSI and MSI-X as the guest wrote them. */
  private int msiControl;

  private int msixControl;
  private final List<Vector> vectors = new ArrayList<>();
  private Mode mode = Mode.NONE;
  private CloseStack open = new CloseStack();

  /**
   * Begins without interrupts.
   *
   * @param space the device's configuration space as it is now
   * @param line the GSI of its line
   */
  VfioInterrupts(
      Kernel kernel,
      BoundVfioDevice device,
      ConfigSpace space,
      VmInterrupts vm,
      InterruptRoutes routes,
      int line) {
    this.kernel = kernel;
    this.device = device;
    this.vm = vm;
    this.routes = routes;
    this.line = line;
    config = device.config().region();
    hasLine = device.irqInfo(PciIrq.INTX).filter(info -> info.count() != 0).isPresent();
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
        case LINE -> enableLine();
        case MSI -> enable(PciIrq.MSI, msiCount());
        case MSIX -> enable(PciIrq.MSIX, lastUnmasked() + 1);
      }
    }
    if (mode == Mode.MSI) {
      followMsi();
    }
  }

  private Mode wanted() {
    if ((msixControl & PciRegs.MSIX_ENABLE) != 0) {
      return (msixControl & PciRegs.MSIX_MASK_ALL) == 0 ? Mode.MSIX : Mode.NONE;
    }
    if ((msiControl & PciRegs.MSI_ENABLE) != 0) {
      return Mode.MSI;
    }
    boolean isOn = (config.read16(PciRegs.COMMAND) & PciRegs.COMMAND_INTX_DISABLE) == 0;
    return hasLine && isOn ? Mode.LINE : Mode.NONE;
  }

  /**
   * The line is level-triggered. VFIO masks it when it comes; when the guest ends the interrupt,
   * KVM signals the second eventfd, by which VFIO unmasks it.
   */
  private void enableLine() {
    EventFd source = open.push(EventFd.create(kernel));
    EventFd resample = open.push(EventFd.create(kernel));
    IrqSet irqs = open.push(device.irqs(PciIrq.INTX));
    irqs.enable(List.of(source));
    open.push(vm.irqfd(source, line, resample));
    irqs.connectUnmask(0, resample);
    open.onClose(() -> irqs.disconnectUnmask(0));
  }

  private int msiCount() {
    return 1 << (msiControl >> MSI_COUNT_SHIFT & MSI_COUNT_MASK);
  }

  private int lastUnmasked() {
    int last = 0;
    for (int i = 0; i < table.count(); i++) {
      last = table.isMasked(i) ? last : i;
    }
    return last;
  }

  /** Enables vectors; of those of MSI-X, the ones that are not masked reach the guest. */
  private void enable(PciIrq kind, int count) {
    for (int i = 0; i < count; i++) {
      vectors.add(open.push(new Vector(kernel, vm, routes)));
    }
    IrqSet irqs = open.push(device.irqs(kind));
    irqs.enable(vectors.stream().map(Vector::event).toList());
    if (kind == PciIrq.MSIX) {
      for (int i = 0; i < count; i++) {
        followEntry(i);
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

  /** Does what an entry of the MSI-X table says now. */
  void followEntry(int vector) {
    if (mode != Mode.MSIX) {
      return;
    }
    if (vector < vectors.size()) {
      if (table.isMasked(vector)) {
        vectors.get(vector).mask();
      } else {
        vectors.get(vector).unmask(table.address(vector), table.data(vector));
      }
    } else if (!table.isMasked(vector)) {
      // VFIO allows more vectors while some are enabled only since Linux 6.5, and not everywhere.
      disable();
      mode = Mode.MSIX;
      enable(PciIrq.MSIX, vector + 1);
    }
  }

  private void disable() {
    mode = Mode.NONE;
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
