package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Numbers of bytes as people write them. */
class ByteSizeTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "4096, 4096",
    "010, 10",
    "0x1000, 4096",
    "0X10K, 16384",
    "4K, 4096",
    "3M, 3145728",
    "16G, 17179869184",
    "2T, 2199023255552",
    "9223372036854775807, 9223372036854775807"
  })
  void numbersAreRead(String text, long bytes) {
    assertThat(ByteSize.parse(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "K",
        "-1",
        "0x-1",
        "4k",
        "4KiB",
        "1.5G",
        " 4",
        "9223372036854775808",
        "8388608T"
      })
  void whatIsNoNumberIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ByteSize.parse(text))
        .withMessageContaining("'" + text + "'");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 bytes",
    "1, 1 bytes",
    "4095, 4095 bytes",
    "4096, 4 KiB",
    "65536, 64 KiB",
    "17179869184, 16 GiB",
    "17179865088, ~16.0 GiB",
    "53248, 52 KiB",
    "123456789, ~117.7 MiB",
    "-4096, ~16777216.0 TiB"
  })
  void sizesAreWritten(long bytes, String text) {
    assertThat(ByteSize.text(bytes)).isEqualTo(text);
  }
}
