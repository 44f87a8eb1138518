package dev.iolite.tdi.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.journal.JournalRecords.Unreadable;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A record is an object of texts, each name once; a right checksum makes nothing else of it. */
class JournalRecordsTest {
  private static final PciAddress DEVICE = PciAddress.parse("0000:00:07.0");
  private static final String BEGIN = "0 1 0 {\"event\":\"begin\",\"device\":\"0000:00:07.0\"}\n";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"event\":null}",
        "{\"event\":\"driver\",\"driver\":null}",
        "{\"event\":\"driver\",\"driver\":\"accel\",\"driver\":\"vfio-pci\"}",
        "{\"event\":\"connecting\",\"tsm\":0}",
        "{\"event\":{}}",
        "{\"event\":\"state\"}}"
      })
  void anythingElseIsUnreadable(String record) {
    byte[] file = AnyJournal.sealed(BEGIN + "0 2 1 " + record + "\n");
    assertThatThrownBy(() -> JournalRecords.parse(file, DEVICE))
        .isInstanceOf(Unreadable.class)
        .hasMessageContaining("no JSON of a journal");
  }

  @Test
  void everyTextIsReadAsItWasWritten() throws Unreadable {
    Map<String, String> entry = Map.of("event", "step", "name", "\"\\\n\0ä\ud83d\ude00\u202e");
    byte[] begin = AnyJournal.sealed(BEGIN);
    byte[] line = JournalRecords.line(2, 1, entry);
    assertThat(new String(line, StandardCharsets.UTF_8)).hasLineCount(1);
    byte[] file = new byte[begin.length + line.length];
    System.arraycopy(begin, 0, file, 0, begin.length);
    System.arraycopy(line, 0, file, begin.length, line.length);
    assertThat(JournalRecords.parse(file, DEVICE)).last().isEqualTo(entry);
  }

  private static byte[] changed(String text, char from, char to) {
    return new String(AnyJournal.sealed(text), StandardCharsets.ISO_8859_1)
        .replace(from, to)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  static List<Arguments> damages() {
    String other = "{\"event\":\"state\",\"state\":\"split\"}\n";
    String wrongDriver = "{\"event\":\"driver\",\"driver\":\"../accel\"}\n";
    String wrongOverride = "{\"event\":\"driver\",\"override\":\"a/b\"}\n";
    String wrongTsm = "{\"event\":\"connecting\",\"tsm\":\"../tsm0\"}\n";
    return List.of(
        Arguments.of(changed(BEGIN + "0 2 1 " + other, 'p', 'q'), "is no record"),
        Arguments.of(bytes("\n"), "byte 0 on is no record"),
        Arguments.of(bytes("no journal"), "byte 0 on is no record"),
        Arguments.of(bytes("\0\0x"), "it has no record"),
        Arguments.of(AnyJournal.sealed(BEGIN + "0 1 1 " + other), "the number 1, after 1"),
        Arguments.of(AnyJournal.sealed(BEGIN + "0 3 2 " + other), "record 2 is missing"),
        Arguments.of(AnyJournal.sealed("0 1 0 " + other), "it is not of 0000:00:07.0"),
        Arguments.of(AnyJournal.sealed(BEGIN.replace("07.0", "08.0")), "it is not of 0000:00:07.0"),
        Arguments.of(AnyJournal.sealed(BEGIN + "0 2 1 " + wrongDriver), "no driver and no TSM"),
        Arguments.of(AnyJournal.sealed(BEGIN + "0 2 1 " + wrongOverride), "no driver and no TSM"),
        Arguments.of(AnyJournal.sealed(BEGIN + "0 2 1 " + wrongTsm), "no driver and no TSM"));
  }

  @ParameterizedTest
  @MethodSource("damages")
  void whatNoCrashLeavesIsUnreadable(byte[] file, String why) {
    assertThatThrownBy(() -> JournalRecords.parse(file, DEVICE))
        .isInstanceOf(Unreadable.class)
        .hasMessageContaining(why);
  }

  static List<Arguments> crashes() {
    String other = "{\"event\":\"state\",\"state\":\"split\"}\n";
    return List.of(
        Arguments.of("", 0),
        Arguments.of("\0\0", 0),
        Arguments.of("1f2e3d4c 1 0 {\"event\":", 0),
        Arguments.of("1f2e3d4c 1 0 {\"event\":\0\0", 0),
        Arguments.of(
            new String(AnyJournal.sealed(BEGIN + "0 3 1 " + other), StandardCharsets.ISO_8859_1),
            2));
  }

  @ParameterizedTest
  @MethodSource("crashes")
  void whatACrashLeavesIsReadAsFarAsItGoes(String file, int records) throws Unreadable {
    assertThat(JournalRecords.parse(bytes(file), DEVICE)).hasSize(records);
  }
}
