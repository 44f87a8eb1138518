package dev.iolite.mock.device;

import dev.iolite.kernel.Page;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.ToLongFunction;

/**
 * What a device reports about its interface once it is locked (TDISP DEVICE_INTERFACE_REPORT).
 *
 * @param interfaceInfo bits: 0 no firmware update, 1 DMA without PASID, 2 with PASID, 3 ATS, 4 PRS
 * @param ranges the memory of its BARs, by BAR and page ascending
 * @param deviceSpecific what follows, in the device's own form
 * @param addressWidth how many bits the device's addresses have, which is not in the report but
 *     among the capabilities that the TSM asks for before (TDISP_CAPABILITIES, DEV_ADDR_WIDTH)
 */
public record TdiReport(
    int interfaceInfo, List<TdiRange> ranges, MemorySegment deviceSpecific, int addressWidth) {
  private static final int HEAD_BYTES = 16;
  private static final int RANGE_BYTES = 16;
  private static final int BAR_SHIFT = 16;
  private static final int USUAL_ADDRESS_WIDTH = 52;

  /** The firmware is not updated while the interface is locked or runs. */
  public static final int NO_FIRMWARE_UPDATE = 1;

  /** The interface makes DMA without PASIDs. */
  public static final int DMA_WITHOUT_PASID = 1 << 1;

  /** Copies the list. */
  public TdiReport {
    ranges = List.copyOf(ranges);
    deviceSpecific = deviceSpecific.asReadOnly();
  }

  /** As the record, of a device whose addresses have 52 bits. */
  public TdiReport(int interfaceInfo, List<TdiRange> ranges, MemorySegment deviceSpecific) {
    this(interfaceInfo, ranges, deviceSpecific, USUAL_ADDRESS_WIDTH);
  }

  /** A report of these ranges, for an interface that makes DMA without PASIDs. */
  public static TdiReport of(TdiRange... ranges) {
    return new TdiReport(
        DMA_WITHOUT_PASID | NO_FIRMWARE_UPDATE, List.of(ranges), MemorySegment.NULL);
  }

  /**
   * The report as the device sends it (11.3.8, 11.3.11). After a lock without LOCK_MSIX, which is
   * what all TSMs of today make, the report has an MSI-X control of 0, and of the MSI-X structures
   * only those that are non-TEE memory.
   *
   * @param barAddress the address of a range's BAR, with the reporting offset added
   * @param msixControl the MSI-X message control that was locked; empty if none was locked
   */
  public byte[] bytes(ToLongFunction<TdiRange> barAddress, OptionalInt msixControl) {
    List<TdiRange> told =
        ranges.stream().filter(range -> range.isReported(msixControl.isPresent())).toList();
    ByteBuffer bytes =
        ByteBuffer.allocate(
                HEAD_BYTES
                    + RANGE_BYTES * told.size()
                    + Integer.BYTES
                    + (int) deviceSpecific.byteSize())
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.putShort((short) interfaceInfo).putShort((short) 0);
    bytes.putShort((short) msixControl.orElse(0)).putShort((short) 0);
    bytes.putInt(0).putInt(told.size());
    for (TdiRange range : told) {
      long start = barAddress.applyAsLong(range) + range.firstPage() * Page.BYTES;
      bytes.putLong(Long.divideUnsigned(start, Page.BYTES)).putInt(range.pages());
      bytes.putInt((range.bar() << BAR_SHIFT) | range.attributes());
    }
    bytes.putInt((int) deviceSpecific.byteSize());
    bytes.put(deviceSpecific.asByteBuffer());
    return bytes.array();
  }
}
