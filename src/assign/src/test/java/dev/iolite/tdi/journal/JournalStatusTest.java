package dev.iolite.tdi.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PrivateDirectory;
import dev.iolite.pci.PciAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalStatusTest {
  private static final PciAddress DEVICE = PciAddress.parse("0000:00:07.0");

  @TempDir private Path path;

  @Test
  void onlyFilesWithTheNameOfAJournalAreOne() throws IOException {
    try (PrivateDirectory directory = PrivateDirectory.make(new HostKernel(), path)) {
      for (String other : List.of("x", "0000-00-07.0", "00-07.0.journal", "any.journal")) {
        Files.createFile(path.resolve(other));
      }
      Files.createFile(path.resolve(Journal.name(DEVICE)));
      assertThat(JournalStatus.all(directory))
          .singleElement()
          .satisfies(journal -> {
            assertThat(journal.device()).isEqualTo(DEVICE);
            assertThat(journal.isHeld()).isFalse();
          });
    }
  }
}
