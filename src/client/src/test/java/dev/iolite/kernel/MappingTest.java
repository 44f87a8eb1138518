package dev.iolite.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** How memory is mapped, as the kernel says in /proc/self/maps. */
class MappingTest {
  private static final long BYTES = 4 * Page.BYTES;

  private final HostKernel kernel = new HostKernel();

  /** A line begins with "START-END rw-p", and END is the address after the last. */
  private static String permissions(Mapping mapping) throws IOException {
    long address = mapping.segment().address();
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] words = line.split("[- ]", 3);
      if (Long.compareUnsigned(address, Long.parseUnsignedLong(words[0], 16)) >= 0
          && Long.compareUnsigned(address, Long.parseUnsignedLong(words[1], 16)) < 0) {
        return words[2].substring(0, 4);
      }
    }
    return "nothing is mapped there";
  }

  @Test
  void anonymousMemoryIsSharedSoThatADriverKeepsSeeingIt() throws IOException {
    try (Mapping mapping = Mapping.anonymous(kernel, BYTES)) {
      assertThat(permissions(mapping)).isEqualTo("rw-s");
    }
  }

  /** Linux backs shared memory with huge pages only where shmem_enabled says so. */
  @Test
  void theRamOfAGuestIsNotShared() throws IOException {
    try (Mapping mapping = Mapping.ram(kernel, BYTES)) {
      assertThat(permissions(mapping)).isEqualTo("rw-p");
    }
  }
}
