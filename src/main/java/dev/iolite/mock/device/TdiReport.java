package dev.iolite.mock.device;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What a device reports of its interface once that is locked (TDISP DEVICE_INTERFACE_REPORT).
 *
 * @param interfaceInfo bits: 0 no firmware update, 1 DMA without PASID, 2 with PASID, 3 ATS, 4 PRS
 * @param ranges the memory of its BARs, by BAR and page ascending
 * @param deviceSpecific what follows, in the device's own form
 */
public record TdiReport(int interfaceInfo, List<TdiRange> ranges, MemorySegment deviceSpecific) {
  /** Firmware is not updated while the interface is locked or runs. */
  public static final int NO_FIRMWARE_UPDATE = 1;

  /** The interface makes DMA without PASIDs. */
  public static final int DMA_WITHOUT_PASID = 1 << 1;

  /** Copies the list. */
  public TdiReport {
    ranges = List.copyOf(ranges);
    deviceSpecific = deviceSpecific.asReadOnly();
  }

  /** A report of these ranges, for an interface that makes DMA without PASIDs. */
  public static TdiReport of(TdiRange... ranges) {
    return new TdiReport(
        DMA_WITHOUT_PASID | NO_FIRMWARE_UPDATE, List.of(ranges), MemorySegment.NULL);
  }
}
