package dev.iolite.tdi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.Errno;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.journal.Journal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a journal's records reach the disk, and what becomes of the rest. */
class JournalTest {
  private static final long MOST_BYTES = 1L << 20;

  @TempDir private Path directory;

  /** What is on the disk if the power is cut now and nothing is that was not synced. */
  private static String surely(WriteLog log) {
    return log.after(log.changes(), WriteLog.Rest.LOST)
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
        .orElse("no file");
  }

  @Test
  void whatOutlivesTheProcessIsOnTheDiskBeforeItIsDone() {
    WriteLog log = new WriteLog(() -> {});
    try (Journals journals = new Journals(log, directory);
        Journal journal = journals.begin(Life.ENDPOINT)) {
      assertThat(surely(log)).contains("\"event\":\"begin\"").contains(Life.ENDPOINT.toString());
      journal.state(State.SHARED);
      journal.driver(Map.of("driver", "accel"));
      assertThat(surely(log)).contains("\"driver\":\"accel\"").contains("shared");
      journal.connecting("tsm0");
      assertThat(surely(log)).contains("\"tsm\":\"tsm0\"");
    }
  }

  @Test
  void afterAFailureOnlyWhatMustLastIsWritten() {
    FullDisk whole = new FullDisk(0, Errno.UNKNOWN, false);
    try (Journals journals = new Journals(whole, directory.resolve("whole"));
        Journal _ = journals.begin(Life.ENDPOINT)) {
      assertThat(journals.directory().names()).hasSize(1);
    }
    FullDisk disk = new FullDisk(whole.changes() + 1, Errno.EIO, false);
    try (Journals journals = new Journals(disk, directory.resolve("full"));
        Journal journal = journals.begin(Life.ENDPOINT)) {
      assertThatThrownBy(() -> journal.state(State.SHARED))
          .isInstanceOf(PreconditionException.class);
      int changes = disk.changes();
      journal.state(State.RUNNING);
      assertThat(disk.changes()).isEqualTo(changes);
      journal.driver(Map.of("driver", "accel"));
      assertThat(journals.file(Life.ENDPOINT)).content().contains("accel").doesNotContain("state");
    }
  }

  @Test
  void aLongLifesStatesAreForgottenAndWhatLastsIsNot() throws IOException {
    WriteLog log = new WriteLog(() -> {});
    try (Journals journals = new Journals(log, directory);
        Journal journal = journals.begin(Life.ENDPOINT)) {
      journal.driver(Map.of("driver", "accel"));
      Path file = journals.file(Life.ENDPOINT);
      String lasting = Files.readString(file);
      long size = 0;
      while (Files.size(file) > size && size < 2 * MOST_BYTES) {
        size = Files.size(file);
        journal.state(State.RUNNING);
      }
      assertThat(size).isBetween(MOST_BYTES, MOST_BYTES + 200);
      assertThat(log.after(log.changes(), WriteLog.Rest.HOLE).orElseThrow())
          .as("cut off on the disk before it is written over")
          .startsWith(lasting.getBytes(StandardCharsets.UTF_8))
          .endsWith((byte) 0);
      assertThat(file).content().startsWith(lasting).hasLineCount(3).contains("running");
    }
  }

  @Test
  void aJournalThatCannotBeginLeavesNoFile() {
    FullDisk disk = new FullDisk(2, Errno.ENOSPC, false);
    try (Journals journals = new Journals(disk, directory)) {
      assertThatThrownBy(() -> journals.begin(Life.ENDPOINT))
          .isInstanceOf(PreconditionException.class);
      assertThat(journals.directory().names()).isEmpty();
    }
  }
}
