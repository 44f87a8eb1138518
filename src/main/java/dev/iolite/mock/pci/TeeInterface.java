package dev.iolite.mock.pci;

import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.TeeFunction;
import dev.iolite.mock.device.TdiRange;
import dev.iolite.mock.device.TdiReport;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A function's side of TDISP: what it reports, and what it lets nobody change while locked. */
final class TeeInterface {
  private static final int BARS = 6;

  private final PciFunction function;
  private Optional<TeeFunction.Guard> guard = Optional.empty();
  private int[] locked = new int[0];

  TeeInterface(PciFunction function) {
    this.function = function;
  }

  void setGuard(Optional<TeeFunction.Guard> newGuard) {
    guard = newGuard;
    locked = guard.isPresent() ? lockable() : new int[0];
  }

  /**
   * What a lock keeps: memory decode and bus mastering, the BARs. VFIO tells a TSM in software of
   * the first two only (vfio_pci_config.c:vfio_basic_config_write).
   */
  private int[] lockable() {
    int command =
        function.configRead(PciRegs.COMMAND, 2) & (PciRegs.COMMAND_MEMORY | PciRegs.COMMAND_MASTER);
    if (function.isEmulatedTee()) {
      return new int[] {command};
    }
    int[] values = new int[BARS + 1];
    values[0] = command;
    for (int bar = 0; bar < BARS; bar++) {
      values[1 + bar] = function.configRead(PciRegs.BAR + 4 * bar, 4);
    }
    return values;
  }

  /** Configuration space was written. */
  void configWritten() {
    if (guard.isPresent() && !Arrays.equals(locked, lockable())) {
      guard.get().configurationChanged();
    }
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
        && offset >= range.firstPage() * TdiRange.PAGE
        && offset < range.endBytes();
  }

  boolean isTeeMemory(int bar, long offset) {
    return function.shape().tdi().filter(report -> report.isTee(bar, offset)).isPresent();
  }

  /** Whether all of a range is TEE memory. */
  boolean isTeeMemory(int bar, long offset, long bytes) {
    long at = offset;
    for (TdiRange range : ranges()) {
      if (covers(range, bar, at) && range.isTee()) {
        at = range.endBytes();
      }
    }
    return at >= offset + bytes;
  }

  List<BarRange> teeRanges(int bar) {
    List<BarRange> found = new ArrayList<>();
    for (TdiRange range : ranges()) {
      if (range.bar() == bar && range.isTee()) {
        long start = range.firstPage() * TdiRange.PAGE;
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
    return function.shape().tdi().map(TdiReport::ranges).orElse(List.of());
  }

  /** A DEVICE_INTERFACE_REPORT (PCI Express 7.0, 11.3.11), for the addresses that the BARs have. */
  byte[] report(long mmioOffset) {
    return function
        .shape()
        .tdi()
        .orElse(new TdiReport(0, List.of(), MemorySegment.NULL))
        .bytes(range -> function.assigned(range.bar()).orElse(0L) + mmioOffset);
  }
}
