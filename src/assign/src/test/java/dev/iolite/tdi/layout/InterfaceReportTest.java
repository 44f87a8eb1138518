package dev.iolite.tdi.layout;

import static dev.iolite.tdi.layout.ReportBytes.MSIX_PBA;
import static dev.iolite.tdi.layout.ReportBytes.MSIX_TABLE;
import static dev.iolite.tdi.layout.ReportBytes.NON_TEE;
import static dev.iolite.tdi.layout.ReportBytes.UPDATABLE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.iolite.tsm.InterfaceFlag;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The rules of a device interface report, one by one. */
class InterfaceReportTest {
  private static void assertRefused(ReportBytes bytes, long at, String... words) {
    assertThatExceptionOfType(MalformedReportException.class)
        .isThrownBy(bytes::parse)
        .withMessageStartingWith("device interface report, byte " + at + ": ")
        .satisfies(e -> assertThat(e.getMessage()).contains(words))
        .satisfies(e -> assertThat(e.at()).isEqualTo(at));
  }

  private static ReportBytes good() {
    return new ReportBytes(0b00011)
        .range(0, 0x1_0000, 2, 0)
        .range(0, 0x1_0002, 1, NON_TEE)
        .range(4, 0x2_0000, 1, MSIX_TABLE)
        .range(4, 0x2_0001, 1, MSIX_PBA)
        .range(5, 0x3_0000, 4, UPDATABLE);
  }

  @Test
  void allFieldsOfAGoodReportAreRead() {
    InterfaceReport report = good().deviceSpecific((byte) 0xab, (byte) 0xcd).parse();
    assertThat(report.flags())
        .containsExactlyInAnyOrder(
            InterfaceFlag.NO_FIRMWARE_UPDATE, InterfaceFlag.DMA_WITHOUT_PASID);
    assertThat(report.msixControl()).isEqualTo(0x8007);
    assertThat(report.lnrControl()).isEqualTo(1);
    assertThat(report.tphControl()).isEqualTo(0x0102_0304);
    assertThat(report.ranges())
        .containsExactly(
            new ReportedRange(0, 0x1_0000, 2, Set.of()),
            new ReportedRange(0, 0x1_0002, 1, Set.of(RangeAttribute.NON_TEE)),
            new ReportedRange(4, 0x2_0000, 1, Set.of(RangeAttribute.MSIX_TABLE)),
            new ReportedRange(4, 0x2_0001, 1, Set.of(RangeAttribute.MSIX_PBA)),
            new ReportedRange(5, 0x3_0000, 4, Set.of(RangeAttribute.UPDATABLE)));
    assertThat(report.ranges().stream().map(ReportedRange::kind))
        .containsExactly(Kind.PRIVATE, Kind.SHARED, Kind.PRIVATE, Kind.PRIVATE, Kind.PRIVATE);
    assertThat(report.deviceSpecific().orElseThrow().toArray(ValueLayout.JAVA_BYTE))
        .containsExactly(0xab, 0xcd);
  }

  @Test
  void everyInterfaceFlagHasItsBit() {
    for (InterfaceFlag flag : InterfaceFlag.values()) {
      assertThat(new ReportBytes(flag.bit()).parse().flags()).containsExactly(flag);
    }
  }

  @Test
  void theTrailerMayBeAbsent() {
    assertThat(good().parse().deviceSpecific()).isEmpty();
  }

  @Test
  void theTrailerMayBeEmpty() {
    assertThat(good().deviceSpecific().parse().deviceSpecific())
        .hasValueSatisfying(own -> assertThat(own.byteSize()).isZero());
  }

  @Test
  void theDeviceSpecificBytesAreACopyThatNobodyCanChange() {
    byte[] bytes = good().deviceSpecific((byte) 7).toArray();
    InterfaceReport report = InterfaceReport.parse(MemorySegment.ofArray(bytes));
    Arrays.fill(bytes, (byte) 0);
    MemorySegment own = report.deviceSpecific().orElseThrow();
    assertThat(own.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
    assertThat(own.isReadOnly()).isTrue();
  }

  @Test
  void aReportWithoutRangesIsAReport() {
    assertThat(new ReportBytes(0).parse().ranges()).isEmpty();
  }

  @Test
  void everyTruncationIsRefused() {
    byte[] whole = good().deviceSpecific((byte) 1, (byte) 2, (byte) 3).toArray();
    int withoutTrailer = good().toArray().length;
    for (int length = 0; length < whole.length; length++) {
      MemorySegment part = MemorySegment.ofArray(whole).asSlice(0, length);
      if (length == withoutTrailer) {
        assertThat(InterfaceReport.parse(part).deviceSpecific()).isEmpty();
      } else {
        assertThatExceptionOfType(MalformedReportException.class)
            .as("%d bytes", length)
            .isThrownBy(() -> InterfaceReport.parse(part));
      }
    }
  }

  @Test
  void aReportHasAHeader() {
    assertThatExceptionOfType(MalformedReportException.class)
        .isThrownBy(() -> InterfaceReport.parse(MemorySegment.ofArray(new byte[15])))
        .withMessageContainingAll("byte 15", "at least 16");
  }

  /** Written as zero and ignored when read (11.3.3): a later version may give them a meaning. */
  @Test
  void whatIsReservedIsIgnoredWithARemark() {
    InterfaceReport plain = new ReportBytes(3).range(3, 0, 1, UPDATABLE).parse();
    for (int bit = 5; bit < 16; bit++) {
      assertIgnored(plain, new ReportBytes(3 | (1 << bit)).range(3, 0, 1, UPDATABLE), 0, 1 << bit);
    }
    for (int bit = 0; bit < 16; bit++) {
      ReportBytes word = new ReportBytes(3).range(3, 0, 1, UPDATABLE);
      assertIgnored(plain, word.put(0, 3 | (1 << (bit + 16))), 2, 1 << bit);
    }
    for (int bit = 4; bit < 16; bit++) {
      ReportBytes range = new ReportBytes(3).range(3, 0, 1, UPDATABLE | (1 << bit));
      assertIgnored(plain, range, 28, 1 << bit);
    }
  }

  private static void assertIgnored(InterfaceReport plain, ReportBytes odd, int at, int bits) {
    InterfaceReport read = odd.parse();
    assertThat(read.remarks())
        .containsExactly(
            "byte %d: the reserved bits 0x%04x are set, and ignored".formatted(at, bits));
    assertThat(read.flags()).isEqualTo(plain.flags());
    assertThat(read.ranges()).isEqualTo(plain.ranges());
  }

  @Test
  void aHostileCountIsRefusedBeforeAnythingIsAllocated() {
    assertRefused(good().put(12, -1), 12, "4294967295 ranges", "68719476736 bytes", "at most 5");
    assertRefused(good().put(12, 6), 12, "6 ranges", "at most 5");
  }

  @Test
  void idsAscend() {
    assertRefused(
        new ReportBytes(0).range(2, 0, 1, 0).range(0, 16, 1, 0), 44, "id 0", "after", "id 2");
  }

  @Test
  void anIdFromSixOnIsNoBar() {
    InterfaceReport report =
        new ReportBytes(0).range(5, 0, 1, 0).range(6, 0, 1, 0).range(0xffff, 0, 1, 0).parse();
    assertThat(report.ranges().stream().map(ReportedRange::id)).containsExactly(5, 6, 0xffff);
    assertThat(report.ranges().stream().map(ReportedRange::isInBar))
        .containsExactly(true, false, false);
    assertThat(report.remarks()).singleElement().asString().contains("are in no BAR");
  }

  @Test
  void rangesOfABarAscend() {
    assertRefused(
        new ReportBytes(0).range(1, 8, 1, 0).range(1, 4, 1, 0), 32, "page 0x4", "page 0x9");
  }

  @Test
  void rangesOfABarAreDisjoint() {
    assertRefused(
        new ReportBytes(0).range(1, 4, 4, 0).range(1, 7, 1, 0), 32, "page 0x7", "page 0x8");
    assertRefused(new ReportBytes(0).range(1, 4, 4, 0).range(1, 4, 4, 0), 32, "overlap");
  }

  @Test
  void rangesOfDifferentBarsNeedNotAscend() {
    assertThat(new ReportBytes(0).range(0, 64, 4, 0).range(2, 0, 4, 0).parse().ranges()).hasSize(2);
  }

  @Test
  void rangesOfABarMayTouchAndLeaveHoles() {
    assertThat(
            new ReportBytes(0)
                .range(1, 4, 4, 0)
                .range(1, 8, 1, NON_TEE)
                .range(1, 20, 1, 0)
                .parse()
                .ranges())
        .hasSize(3);
  }

  @Test
  void anEmptyRangeIsRefused() {
    assertRefused(new ReportBytes(0).range(0, 4, 0, 0), 24, "0 pages", "at least one");
  }

  @Test
  void anAddressThatDoesNotFit64BitsIsRefused() {
    assertThat(new ReportBytes(0).range(0, (1L << 52) - 1, 1, 0).parse().ranges()).hasSize(1);
    assertRefused(new ReportBytes(0).range(0, 1L << 52, 1, 0), 16, "0x10000000000000", "2^52");
    assertRefused(new ReportBytes(0).range(0, -1, 1, 0), 16, "0xffffffffffffffff");
  }

  @Test
  void aRangeThatEndsBeyond64BitsIsRefused() {
    assertRefused(new ReportBytes(0).range(0, (1L << 52) - 1, 2, 0), 24, "2 pages", "2^52");
    assertRefused(new ReportBytes(0).range(0, (1L << 52) - 1, -1, 0), 24, "4294967295 pages");
  }

  @Test
  void theNumberOfPagesHasNoSign() {
    assertThat(new ReportBytes(0).range(0, 0, -1, 0).parse().ranges())
        .containsExactly(new ReportedRange(0, 0, 0xffff_ffffL, Set.of()));
  }

  @Test
  void aLengthOfTheDevicesOwnThatIsCutOffIsRefused() {
    assertRefused(good().raw(0), 96, "1 bytes after the ranges");
    assertRefused(good().raw(0, 0, 0), 96, "3 bytes after the ranges");
  }

  @Test
  void bytesOfTheDevicesOwnThatAreMissingAreRefused() {
    assertRefused(good().raw(2, 0, 0, 0, 7), 96, "2 bytes of the device's own", "only 1");
    assertRefused(good().raw(255, 255, 255, 255), 96, "4294967295 bytes", "only 0");
  }

  @Test
  void bytesBeyondTheTrailerAreIgnoredWithARemark() {
    InterfaceReport padded =
        new ReportBytes(0).range(0, 0, 1, 0).deviceSpecific((byte) 1).raw(0, 9).parse();
    assertThat(padded.deviceSpecific().orElseThrow().byteSize()).isOne();
    assertThat(padded.remarks())
        .containsExactly("byte 37: 2 bytes after the report's end, ignored");
  }

  @Test
  void anMsiXTableIsLockedIfItIsReportedAsTeeMemory() {
    String locked = "the MSI-X table is locked";
    assertThat(good().parse().remarks()).singleElement().asString().startsWith(locked);
    assertThat(new ReportBytes(0).range(0, 0, 1, MSIX_TABLE | NON_TEE).parse().remarks()).isEmpty();
    assertThat(new ReportBytes(0).range(0, 0, 1, MSIX_PBA).parse().remarks()).isEmpty();
  }
}
