package dev.iolite.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.iolite.kernel.HostKernel;
import dev.iolite.kernel.PreconditionException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a kernel finds in memory when it starts; read back from memory of this process. */
class LinuxBootTest {
  private static final long MIB = 1 << 20;

  private final List<GuestMemory> open = new ArrayList<>();

  @AfterEach
  void unmap() {
    open.forEach(GuestMemory::close);
  }

  private GuestMemory memory(long bytes) {
    GuestMemory memory = new GuestMemory(new HostKernel(), bytes);
    open.add(memory);
    return memory;
  }

  private static void load(GuestMemory memory, int initrdBytes, String commandLine) {
    new LinuxBoot(new TestImage().image(), memory)
        .load(
            initrdBytes == 0
                ? Optional.empty()
                : Optional.of(MemorySegment.ofArray(new byte[initrdBytes])),
            commandLine);
  }

  private static List<String> e820(GuestMemory memory) {
    MemorySegment page = memory.at(MemoryMap.ZERO_PAGE, 4096);
    List<String> ranges = new ArrayList<>();
    for (int i = 0; i < page.get(ValueLayout.JAVA_BYTE, 0x1e8); i++) {
      long at = 0x2d0 + 20L * i;
      ranges.add(
          "%x+%x %d"
              .formatted(
                  page.get(ValueLayout.JAVA_LONG_UNALIGNED, at),
                  page.get(ValueLayout.JAVA_LONG_UNALIGNED, at + 8),
                  page.get(ValueLayout.JAVA_INT_UNALIGNED, at + 16)));
    }
    return ranges;
  }

  @Test
  void theKernelIsAtItsPlace() {
    GuestMemory memory = memory(64 * MIB);
    load(memory, 0, "console=ttyS0");

    assertThat(memory.at(TestImage.LOAD, 4).get(ValueLayout.JAVA_INT, 0)).isEqualTo(0x1234_5678);
    assertThat(memory.at(MemoryMap.COMMAND_LINE, 64).getString(0)).isEqualTo("console=ttyS0");
    MemorySegment page = memory.at(MemoryMap.ZERO_PAGE, 4096);
    assertThat(page.get(ValueLayout.JAVA_INT_UNALIGNED, 0x202)).as("header").isEqualTo(0x5372_6448);
    assertThat(page.get(ValueLayout.JAVA_INT_UNALIGNED, 0x228))
        .isEqualTo((int) MemoryMap.COMMAND_LINE);
    assertThat(page.get(ValueLayout.JAVA_LONG_UNALIGNED, 0x70)).as("RSDP").isEqualTo(0xe0000);
  }

  @Test
  void ramEndsBeforeThePciHoleAndGoesOnAbove4GiB() {
    GuestMemory small = memory(64 * MIB);
    load(small, 0, "");
    assertThat(e820(small)).containsExactly("0+9fc00 1", "e0000+20000 3", "100000+3f00000 1");

    GuestMemory large = memory(4096 * MIB);
    load(large, 0, "");
    assertThat(e820(large))
        .containsExactly("0+9fc00 1", "e0000+20000 3", "100000+bff00000 1", "100000000+40000000 1");
    assertThat(large.parts().stream().map(GuestMemory.Part::gpa)).containsExactly(0L, 1L << 32);
  }

  @Test
  void theInitrdIsAtTheEndOfMemory() {
    GuestMemory memory = memory(64 * MIB);
    load(memory, 5000, "");
    MemorySegment page = memory.at(MemoryMap.ZERO_PAGE, 4096);
    assertThat(page.get(ValueLayout.JAVA_INT_UNALIGNED, 0x218)).isEqualTo((int) (64 * MIB - 8192));
    assertThat(page.get(ValueLayout.JAVA_INT_UNALIGNED, 0x21c)).isEqualTo(5000);
  }

  @Test
  void everythingBelow4GiBIsMappedToItself() {
    GuestMemory memory = memory(64 * MIB);
    load(memory, 0, "");
    MemorySegment tables = memory.at(MemoryMap.PAGE_TABLES, 6 * 4096);
    assertThat(tables.getAtIndex(ValueLayout.JAVA_LONG, 0)).isEqualTo(0xa003);
    assertThat(tables.getAtIndex(ValueLayout.JAVA_LONG, 512 + 3)).isEqualTo(0xe003);
    assertThat(tables.getAtIndex(ValueLayout.JAVA_LONG, 1024 + 2047)).isEqualTo(0xffe00083L);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> load(memory(16 * MIB), 0, ""))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("needs the memory from 0x1000000 to 0x1200000");
    assertThatThrownBy(() -> load(memory(18 * MIB), 5000, ""))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("load the initrd of 5000 bytes: 0 bytes are free");
    assertThatThrownBy(() -> load(memory(64 * MIB), 0, "x".repeat(2048)))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("a command line of 2048 bytes: it takes at most 2047");
    assertThatThrownBy(() -> load(memory(64 * MIB), 0, "a\0b"))
        .isInstanceOf(PreconditionException.class)
        .hasMessageContaining("NUL");
    assertThatThrownBy(() -> memory(MIB)).isInstanceOf(PreconditionException.class);
    assertThatThrownBy(() -> memory(64 * MIB + 1)).isInstanceOf(PreconditionException.class);
  }

  @Test
  void aHeaderThatPointsAnywhereIsRefused() {
    for (long load : new long[] {0, -1, Long.MIN_VALUE, 1L << 40}) {
      BzImage image = new TestImage().with64(0x258, load).image();
      LinuxBoot boot = new LinuxBoot(image, memory(64 * MIB));
      assertThatThrownBy(() -> boot.load(Optional.empty(), ""))
          .isInstanceOf(PreconditionException.class);
    }
  }
}
