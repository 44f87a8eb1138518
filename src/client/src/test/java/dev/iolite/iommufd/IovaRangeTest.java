package dev.iolite.iommufd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IovaRangeTest {
  private static final long MAX = -1;

  @ParameterizedTest
  @CsvSource({
    "0, 1, 0",
    "0, -1, -2",
    "1, -1, -1",
    "0x1000, 0x1000, 0x1fff",
    "-4096, 4096, -1",
    "-1, 1, -1",
    "0x7fffffffffffffff, 2, -0x8000000000000000",
  })
  void endsWhereItsBytesEnd(String first, String bytes, String last) {
    IovaRange range = IovaRange.of(Long.decode(first), Long.decode(bytes));
    assertThat(range.last()).isEqualTo(Long.decode(last));
    assertThat(range.bytes()).isEqualTo(Long.decode(bytes));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "-1, 0", "-1, 2", "2, -1", "-4096, 4097", "4096, -4095"})
  void refusesNothingAndWhatWrapsAround(long first, long bytes) {
    assertThatIllegalArgumentException().isThrownBy(() -> IovaRange.of(first, bytes));
  }

  @Test
  void comparesUnsigned() {
    assertThat(new IovaRange(Long.MAX_VALUE, Long.MIN_VALUE).bytes()).isEqualTo(2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new IovaRange(MAX, 0))
        .withMessageContaining("0xffffffffffffffff");
  }

  @Test
  void theWholeSpaceHoldsEverythingAndHasNoSizeIn64Bits() {
    assertThat(IovaRange.ALL.bytes()).isZero();
    assertThat(IovaRange.ALL.contains(IovaRange.ALL)).isTrue();
    assertThat(IovaRange.ALL.contains(new IovaRange(MAX, MAX))).isTrue();
    assertThat(IovaRange.ALL).hasToString("0x0-0xffffffffffffffff");
  }

  @ParameterizedTest
  @CsvSource({
    // first, last, contained, overlapping; the other is 0x1000-0x1fff
    "0x1000, 0x1fff, true, true",
    "0x1000, 0x1000, true, true",
    "0x1fff, 0x1fff, true, true",
    "0x0, 0xfff, false, false",
    "0x2000, 0x2fff, false, false",
    "0xfff, 0x1000, false, true",
    "0x1fff, 0x2000, false, true",
    "0x0, -1, false, true",
    "-4096, -1, false, false",
  })
  void knowsWhatItContainsAndOverlaps(
      String first, String last, boolean contained, boolean overlapping) {
    IovaRange range = new IovaRange(0x1000, 0x1fff);
    IovaRange other = new IovaRange(Long.decode(first), Long.decode(last));
    assertThat(range.contains(other)).isEqualTo(contained);
    assertThat(range.overlaps(other)).isEqualTo(overlapping);
    assertThat(other.overlaps(range)).isEqualTo(overlapping);
  }

  @Test
  void allowedMeansInsideOneRangeAndAligned() {
    IovaRanges ranges =
        new IovaRanges(List.of(new IovaRange(0, 0xffff), new IovaRange(0x20000, MAX)), 0x1000);
    assertThat(ranges.allows(IovaRange.of(0xf000, 0x1000))).isTrue();
    assertThat(ranges.allows(IovaRange.of(-0x1000, 0x1000))).isTrue();
    assertThat(ranges.allows(IovaRange.of(0xf000, 0x2000))).isFalse();
    assertThat(ranges.allows(IovaRange.of(0xe800, 0x1000))).isFalse();
    assertThat(ranges.allows(IovaRange.of(0xe000, 0x800))).isFalse();
    assertThat(ranges.allows(IovaRange.ALL)).isFalse();
  }

  @Test
  void anAddressBelowZeroIsAHighOneForAlignment() {
    IovaRanges ranges = new IovaRanges(List.of(IovaRange.ALL), 0x1000);
    assertThat(ranges.allows(IovaRange.of(-0x800, 0x800))).isFalse();
    assertThat(ranges.allows(IovaRange.ALL)).isTrue();
  }
}
