package dev.iolite.tdi.layout;

import dev.iolite.tsm.InterfaceFlag;
import dev.iolite.tsm.TdxRefusal;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a device reports about an interface once it is locked: TDISP DEVICE_INTERFACE_REPORT, PCI
 * Express 7.0, 11.3.11. All of it is little endian:
 *
 * <pre>
 *  0  2     interface info: bit 0 no firmware update, 1 DMA without PASID, 2 with PASID, 3 ATS, 4 PRS
 *  2  2     reserved
 *  4  2     MSI-X message control
 *  6  2     LNR control
 *  8  4     TPH control
 * 12  4     N, the number of ranges
 * 16  16*N  ranges: 8 first page, 4 pages (both of 4 KiB), 4 attributes: bit 0 MSI-X table,
 *           1 MSI-X PBA, 2 non-TEE, 3 updatable, 15:4 reserved, 31:16 range id: the BAR, or from 6
 *           on a range of the device's own, which is in no BAR
 *     4     L, how many bytes of the device's own follow; it and they may be absent
 *     L     those bytes
 * </pre>
 *
 * @param flags the bits of the interface info
 * @param msixControl the MSI-X message control register, 16 bits
 * @param lnrControl the LNR control register, 16 bits
 * @param tphControl the TPH requester control register
 * @param ranges the ranges, by id and address ascending, none overlapping another with its id
 * @param deviceSpecific the device-specific bytes; empty if the report ends after its ranges
 * @param remarks what a user should know about it although it is valid: reserved bits that are set,
 *     which a reader has to ignore (11.3.3), bytes after the end, ranges in no BAR, a locked MSI-X
 *     table
 */
public record InterfaceReport(
    Set<InterfaceFlag> flags,
    int msixControl,
    int lnrControl,
    int tphControl,
    List<ReportedRange> ranges,
    Optional<MemorySegment> deviceSpecific,
    List<String> remarks) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final long RESERVED_AT = 2;
  private static final long MSIX_AT = 4;
  private static final long LNR_AT = 6;
  private static final long TPH_AT = 8;
  private static final long COUNT_AT = 12;
  private static final long HEAD_BYTES = 16;
  private static final long RANGE_BYTES = 16;
  private static final long PAGES_AT = 8;
  private static final long ATTRIBUTES_AT = 12;
  private static final int ID_SHIFT = 16;
  private static final int KNOWN_INFO = 0x1f;
  private static final int RESERVED_ATTRIBUTES = 0xfff0;

  /** An address of 64 bits is in a page whose number has this many bits. */
  private static final int PAGE_NUMBER_BITS = 52;

  /** Copies whatever can change. */
  public InterfaceReport {
    flags = Collections.unmodifiableSet(new TreeSet<>(flags));
    ranges = List.copyOf(ranges);
    deviceSpecific = deviceSpecific.map(MemorySegment::asReadOnly);
    remarks = List.copyOf(remarks);
  }

  /**
   * Reads a report. Whatever might be misunderstood is refused: ranges that are empty, overlap or
   * are out of order, numbers that overflow, and bytes that are missing.
   *
   * @param bytes the report and nothing else
   * @throws MalformedReportException if it breaks a rule; the message says at which byte
   */
  public static InterfaceReport parse(MemorySegment bytes) {
    long size = bytes.byteSize();
    if (size < HEAD_BYTES) {
      throw new MalformedReportException(
          size, "the report ends here", "it has at least %d bytes".formatted(HEAD_BYTES));
    }
    int info = Short.toUnsignedInt(bytes.get(SHORT, 0));
    List<String> remarks = new ArrayList<>();
    noteReserved(remarks, 0, info & ~KNOWN_INFO);
    noteReserved(remarks, RESERVED_AT, Short.toUnsignedInt(bytes.get(SHORT, RESERVED_AT)));
    long count = Integer.toUnsignedLong(bytes.get(INT, COUNT_AT));
    long end = HEAD_BYTES + count * RANGE_BYTES;
    if (end > size) {
      throw new MalformedReportException(
          COUNT_AT,
          "%d ranges, which take %d bytes".formatted(count, end),
          "the report has %d bytes, room for at most %d ranges"
              .formatted(size, (size - HEAD_BYTES) / RANGE_BYTES));
    }
    List<ReportedRange> ranges = ranges(bytes, (int) count, remarks);
    Optional<MemorySegment> own = deviceSpecific(bytes, end, remarks);
    noteRanges(remarks, ranges);
    return new InterfaceReport(
        InterfaceFlag.of(info),
        Short.toUnsignedInt(bytes.get(SHORT, MSIX_AT)),
        Short.toUnsignedInt(bytes.get(SHORT, LNR_AT)),
        bytes.get(INT, TPH_AT),
        ranges,
        own,
        remarks);
  }

  private static void noteReserved(List<String> remarks, long at, int bits) {
    if (bits != 0) {
      remarks.add("byte %d: the reserved bits 0x%04x are set, and ignored".formatted(at, bits));
    }
  }

  private static void noteRanges(List<String> remarks, List<ReportedRange> ranges) {
    if (!ranges.stream().allMatch(ReportedRange::isInBar)) {
      remarks.add("ranges with ids from 6 on are in no BAR; Linux refuses such a report");
    }
    if (ranges.stream()
        .filter(range -> range.kind() == Kind.PRIVATE)
        .anyMatch(range -> range.attributes().contains(RangeAttribute.MSIX_TABLE))) {
      remarks.add(
          "the MSI-X table is locked: while the interface is, vectors that were set up before go"
              + " on, and the host can neither change nor mask any");
    }
  }

  /** The offset in a report of the range with an index, in bytes. */
  static long offsetOfRange(int index) {
    return HEAD_BYTES + index * RANGE_BYTES;
  }

  /**
   * Why a TDX module does not accept the interface although TDISP allows it, as far as the report
   * shows.
   *
   * @return a sentence without its full stop for each reason; nothing if the module accepts it
   */
  public List<String> tdxRefusals() {
    return TdxRefusal.of(flags, msixControl, lnrControl, tphControl).stream()
        .map(refusal ->
            refusal == TdxRefusal.USES_UNWANTED ? "it uses " + unwanted() : refusal.toString())
        .map(reason -> "a TDX module refuses it: " + reason)
        .toList();
  }

  private String unwanted() {
    return TdxRefusal.UNWANTED.stream()
        .filter(flags::contains)
        .map(InterfaceFlag::toString)
        .collect(Collectors.joining(", "));
  }

  private static List<ReportedRange> ranges(MemorySegment bytes, int count, List<String> remarks) {
    List<ReportedRange> ranges = new ArrayList<>(count);
    int id = 0;
    long free = 0;
    for (int i = 0; i < count; i++) {
      ReportedRange range = range(bytes, offsetOfRange(i), remarks);
      if (range.id() < id) {
        throw new MalformedReportException(
            offsetOfRange(i) + ATTRIBUTES_AT,
            "a range with id %d after one with id %d".formatted(range.id(), id),
            "ids ascend");
      }
      if (range.id() == id && range.firstPage() < free) {
        throw new MalformedReportException(
            offsetOfRange(i),
            "a range with id %d from page 0x%x".formatted(id, range.firstPage()),
            "ranges ascend and do not overlap, and the one before it ends at page 0x%x"
                .formatted(free));
      }
      id = range.id();
      free = range.endPage();
      ranges.add(range);
    }
    return ranges;
  }

  private static ReportedRange range(MemorySegment bytes, long at, List<String> remarks) {
    long firstPage = bytes.get(LONG, at);
    long pages = Integer.toUnsignedLong(bytes.get(INT, at + PAGES_AT));
    int attributes = bytes.get(INT, at + ATTRIBUTES_AT);
    if (firstPage >>> PAGE_NUMBER_BITS != 0) {
      throw new MalformedReportException(
          at,
          "first page 0x%x, whose address does not fit 64 bits".formatted(firstPage),
          "page numbers are below 2^" + PAGE_NUMBER_BITS);
    }
    if (pages == 0) {
      throw new MalformedReportException(
          at + PAGES_AT, "a range of 0 pages", "a range has at least one");
    }
    if (firstPage + pages > 1L << PAGE_NUMBER_BITS) {
      throw new MalformedReportException(
          at + PAGES_AT,
          "%d pages from page 0x%x, whose end does not fit 64 bits".formatted(pages, firstPage),
          "ranges end at page 2^%d or before".formatted(PAGE_NUMBER_BITS));
    }
    noteReserved(remarks, at + ATTRIBUTES_AT, attributes & RESERVED_ATTRIBUTES);
    return new ReportedRange(attributes >>> ID_SHIFT, firstPage, pages, attributes(attributes));
  }

  private static Set<RangeAttribute> attributes(int bits) {
    Set<RangeAttribute> attributes = EnumSet.noneOf(RangeAttribute.class);
    for (RangeAttribute attribute : RangeAttribute.values()) {
      if ((bits & attribute.bit()) != 0) {
        attributes.add(attribute);
      }
    }
    return attributes;
  }

  private static Optional<MemorySegment> deviceSpecific(
      MemorySegment bytes, long at, List<String> remarks) {
    long rest = bytes.byteSize() - at;
    if (rest == 0) {
      return Optional.empty();
    }
    if (rest < Integer.BYTES) {
      throw new MalformedReportException(
          at,
          "%d bytes after the ranges".formatted(rest),
          "there are none, or at least the 4 of the length of the device's own");
    }
    long length = Integer.toUnsignedLong(bytes.get(INT, at));
    long follow = rest - Integer.BYTES;
    if (length > follow) {
      throw new MalformedReportException(
          at, "%d bytes of the device's own".formatted(length), "only %d follow".formatted(follow));
    }
    if (length < follow) {
      remarks.add(
          "byte %d: %d bytes after the report's end, ignored"
              .formatted(at + Integer.BYTES + length, follow - length));
    }
    MemorySegment copy = MemorySegment.ofArray(new byte[(int) length]);
    return Optional.of(copy.copyFrom(bytes.asSlice(at + Integer.BYTES, length)));
  }
}
