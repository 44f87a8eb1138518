package dev.iolite.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PciAddressTest {
  @ParameterizedTest
  @CsvSource({
    "0000:00:03.0, 0000:00:03.0",
    "00:03.0, 0000:00:03.0",
    "FFFF:fE:1f.7, ffff:fe:1f.7",
    "10000:e1:00.0, 10000:e1:00.0",
  })
  void readsWhatLspciPrints(String text, String canonical) {
    assertThat(PciAddress.parse(text)).hasToString(canonical);
    assertThat(PciAddress.parse(canonical)).isEqualTo(PciAddress.parse(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "3",
        "00:03",
        "0:3.0",
        "00:03.8",
        "00:20.0",
        "000:00:03.0",
        "0000:00:03.0 ",
        "0000-00-03.0",
        "0000:00:03:0",
        "00:03.00",
        "g0:03.0",
        "123456789:00:03.0",
        "../00:03.0"
      })
  void refusesAllElse(String text) {
    assertThatThrownBy(() -> PciAddress.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + text + "'")
        .hasMessageContaining("0000:00:03.0");
  }

  @Test
  void refusesNumbersOutOfRange() {
    assertThatThrownBy(() -> new PciAddress(0, 0, 32, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("device 0x20");
  }

  @Test
  void isOrderedByItsParts() {
    assertThat(PciAddress.parse("00:1f.0")).isLessThan(PciAddress.parse("01:00.0"));
    assertThat(PciAddress.parse("0001:00:00.0")).isGreaterThan(PciAddress.parse("ff:00.0"));
  }
}
