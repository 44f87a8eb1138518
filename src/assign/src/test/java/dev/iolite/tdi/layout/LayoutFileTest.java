package dev.iolite.tdi.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.iolite.kernel.Page;
import dev.iolite.vfio.ByteRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layouts in files. */
class LayoutFileTest {
  private static final MmioLayout EXAMPLE =
      MmioLayout.ofPrivate(
          List.of(new BarSize(0, 64 << 10), new BarSize(2, 16L << 30)),
          Map.of(0, List.of(new ByteRange(0, 8 << 10), new ByteRange(0x3000, 52 << 10))),
          Page.BYTES);

  @Test
  void theFormOfTheDocumentationIsRead() {
    assertThat(
            LayoutFile.parse(
                """
                page-size: 4K                 # of the host
                bars:
                  - bar: 0
                    size: 64K
                    private:
                      - {offset: 0, size: 8K}
                      - {offset: 0x3000, size: 52K}
                  - {bar: 2, size: 16G}
                """))
        .isEqualTo(EXAMPLE);
  }

  @Test
  void whatIsWrittenReadsTheSame(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("layout"), LayoutFile.text(EXAMPLE));
    assertThat(LayoutFile.read(file)).isEqualTo(EXAMPLE);
  }

  @Test
  void aLayoutOfVeryManyRunsIsWrittenAndRead() {
    List<ByteRange> ranges = new ArrayList<>();
    for (long i = 0; i < 50_000; i++) {
      ranges.add(new ByteRange(i * 8192, 4096));
    }
    MmioLayout many =
        MmioLayout.ofPrivate(List.of(new BarSize(1, 1L << 30)), Map.of(1, ranges), Page.BYTES);
    assertThat(LayoutFile.parse(LayoutFile.text(many))).isEqualTo(many);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                                                    | line 1: the file is empty",
        "bars: [                                               | line 1: neither YAML nor JSON",
        "{'bars': [}                                           | line 1",
        "[1]                                                   | line 1: names and values",
        "bars: 7                                               | line 1: a list is expected",
        "barz: []                                              | line 1: there is no 'barz' here,"
            + " only page-size, bars",
        "page-size: 4K                                         | line 1: 'bars' is missing",
        "page-size: 5K;bars: []                                | line 1: a page size is a power",
        "page-size: 4K;page-size: 4K;bars: []                  | line 2: 'page-size' is there"
            + " twice",
        "{'bars': [],;'bars': []}                              | line 2: 'bars' is there twice",
        "bars:;- {bar: 0,;  size: 4K,;  bar: 0}                | line 4: 'bar' is there twice",
        "bars:;- {bar: 0, size: 4K};- {bar: 9, size: 4K}       | line 3: BARs have the numbers",
        "bars:;- {bar: 0, size: 4K};- {bar: 0, size: 4K}       | line 3: BAR 0 is there twice",
        "bars:;- bar: 0;  size: 0                              | line 3: a BAR has at least one",
        "bars:;- bar: 0;  size: 4X                             | line 3: a number of bytes is",
        "bars:;- bar: 0;  size: -1                             | line 3: a number of bytes is",
        "bars:;- bar: 0;  size: [4]                            | line 3: a number is expected",
        "bars:;- bar: 0                                        | line 2: 'size' is missing",
        "bars:;- {bar: 0, size: 4K};  typo: 1                  | line",
        "bars:;- bar: 0;  size: 4K;  privat: 1                 | line 4: there is no 'privat'",
        "bars:;- bar: 0;  size: 8K;  private:;  - {offset: 4K, size: 8K} | line 5: a private range",
        "bars:;- bar: 0;  size: 8K;  private:;  - {offset: 4K, size: 0}  | line 5: a private range",
      })
  void whatIsNotUnderstoodIsRefusedWithItsLine(String text, String message) {
    assertThatExceptionOfType(MalformedLayoutException.class)
        .isThrownBy(() -> LayoutFile.parse(text.replace(';', '\n').replace('\'', '"')))
        .withMessageStartingWith(message);
  }

  @Test
  void whatIsNoYamlIsRefusedInOneLine() {
    assertThatExceptionOfType(MalformedLayoutException.class)
        .isThrownBy(() -> LayoutFile.parse("bars:\n- {bar: 0\nx: ["))
        .withMessage("line 3: neither YAML nor JSON: while parsing a flow mapping");
  }

  @Test
  void aFileIsNamed(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("layout"), "bars: 7");
    assertThatExceptionOfType(MalformedLayoutException.class)
        .isThrownBy(() -> LayoutFile.read(file))
        .withMessage(file + ", line 1: a list is expected here");
    Path binary = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
    assertThatExceptionOfType(MalformedLayoutException.class)
        .isThrownBy(() -> LayoutFile.read(binary))
        .withMessage(binary + " is no text in UTF-8");
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> LayoutFile.read(directory.resolve("absent")));
  }
}
