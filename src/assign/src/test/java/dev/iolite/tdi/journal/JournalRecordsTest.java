package dev.iolite.tdi.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.pci.PciAddress;
import dev.iolite.tdi.journal.JournalRecords.Unreadable;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
}
