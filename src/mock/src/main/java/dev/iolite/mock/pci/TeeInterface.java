package dev.iolite.mock.pci;

import dev.iolite.kernel.Page;
import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.device.ExtendedCapability;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdiReport;
import dev.iolite.pci.PciRegs;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** A function's side of TDISP: what it reports, and what nobody can change while it is locked. */
final class TeeInterface {
  private static final int BARS = 6;

  private final PciFunction function;
  private Optional<TeeFunction.Guard> guard = Optional.empty();
  private int switchedOn;
  private List<Integer> locked = List.of();

  TeeInterface(PciFunction function) {
    this.function = function;
  }

  void setGuard(Optional<TeeFunction.Guard> newGuard) {
    guard = newGuard;
    switchedOn = switches();
    locked = lockable();
  }

  private boolean locksMsix() {
    return guard.filter(TeeFunction.Guard::locksMsix).isPresent();
  }

  /** The switches that may be turned on, but not off. */
  private int switches() {
    return function.configRead(PciRegs.COMMAND, 2)
        & (PciRegs.COMMAND_MEMORY | PciRegs.COMMAND_MASTER);
  }

  /**
   * The registers that a lock freezes (11.2.6). Of those that the model's devices have, these are
   * the BARs including the ROM's, the self test, the tags of requests, the controls of SR-IOV, page
   * requests and PASIDs, and the MSI-X control if its table is locked. ATS is only for information.
   * VFIO notifies a TSM in software of {@link #switches} only
   * (vfio_pci_config.c:vfio_basic_config_write).
   */
  private List<Integer> lockable() {
    if (function.isEmulatedTee()) {
      return List.of();
    }
    List<Integer> values = new ArrayList<>();
    for (int bar = 0; bar < BARS; bar++) {
      values.add(function.configRead(PciRegs.BAR + 4 * bar, 4));
    }
    values.add(function.configRead(PciRegs.ROM, 4));
    values.add(function.configRead(PciRegs.BIST, 1));
    int express = function.layout().express();
    if (express != 0) {
      values.add(
          function.configRead(express + PciRegs.EXP_DEVCTL, 2)
              & (PciRegs.EXP_DEVCTL_EXT_TAG | PciRegs.EXP_DEVCTL_PHANTOM));
    }
    keepExtended(values, ExtendedCapability.SRIOV, PciRegs.SRIOV_CTRL, 2);
    keepExtended(values, ExtendedCapability.SRIOV, PciRegs.SRIOV_NUM_VF, 2);
    keepExtended(values, ExtendedCapability.SRIOV, PciRegs.SRIOV_PAGE_SIZE, 4);
    keepExtended(values, ExtendedCapability.PRI, PciRegs.PRI_CTRL, 2);
    keepExtended(values, ExtendedCapability.PRI, PciRegs.PRI_ALLOCATION, 4);
    keepExtended(values, ExtendedCapability.PASID, PciRegs.PASID_CTRL, 2);
    if (locksMsix()) {
      values.add(msixControl());
    }
    return values;
  }

  private void keepExtended(
      List<Integer> values, ExtendedCapability capability, int register, int width) {
    function
        .layout()
        .extendedAt(capability)
        .ifPresent(at -> values.add(function.configRead(at + register, width)));
  }

  private int msixControl() {
    int msiX = function.layout().msiX();
    return msiX == 0 ? 0 : function.configRead(msiX + PciRegs.MSIX_FLAGS, 2);
  }

  /** Called when configuration space was written. */
  void configWritten() {
    if (guard.isEmpty()) {
      return;
    }
    int now = switches();
    if ((switchedOn & ~now) != 0 || !locked.equals(lockable())) {
      guard.get().configurationChanged();
    }
    switchedOn = now;
  }

  void resetting() {
    guard.ifPresent(TeeFunction.Guard::configurationChanged);
  }

  void removed() {
    guard.ifPresent(TeeFunction.Guard::removed);
  }

  boolean admits(int bar, long offset, boolean trusted) {
    return guard.isEmpty() ? !trusted : guard.get().admits(bar, offset, trusted);
  }

  private static boolean covers(TdiRange range, int bar, long offset) {
    return range.bar() == bar
        && offset >= range.firstPage() * Page.BYTES
        && offset < range.endBytes();
  }

  boolean isTeeMemory(int bar, long offset) {
    return isTeeMemory(bar, offset, 1);
  }

  /** Whether all of a range is TEE memory. */
  boolean isTeeMemory(int bar, long offset, long bytes) {
    long at = offset;
    for (TdiRange range : ranges()) {
      if (covers(range, bar, at) && range.isTee(locksMsix())) {
        at = range.endBytes();
      }
    }
    return at >= offset + bytes;
  }

  List<BarRange> teeRanges(int bar) {
    List<BarRange> found = new ArrayList<>();
    for (TdiRange range : ranges()) {
      if (range.bar() == bar && range.isTee(locksMsix())) {
        long start = range.firstPage() * Page.BYTES;
        if (!found.isEmpty() && end(found.getLast()) == start) {
          start = found.removeLast().offset();
        }
        found.add(new BarRange(start, range.endBytes() - start));
      }
    }
    return found;
  }

  private static long end(BarRange range) {
    return range.offset() + range.bytes();
  }

  private List<TdiRange> ranges() {
    return told().ranges();
  }

  /** A DEVICE_INTERFACE_REPORT (PCI Express 7.0, 11.3.11), for the addresses that the BARs have. */
  byte[] report(long mmioOffset) {
    return told()
        .bytes(
            range -> function.assigned(range.bar()).orElse(0L) + mmioOffset,
            locksMsix() ? OptionalInt.of(msixControl()) : OptionalInt.empty());
  }

  /** What the device tells the TSM of itself. */
  TdiReport told() {
    return function.shape().tdi().orElse(new TdiReport(0, List.of(), MemorySegment.NULL));
  }
}
