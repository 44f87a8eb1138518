package dev.iolite.mock.vfio;

import static org.assertj.core.api.Assertions.assertThat;

import dev.iolite.mock.core.BarRange;
import dev.iolite.mock.core.Memory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** An access to a dma-buf of several ranges is an access to each range that it touches. */
class RunsMemoryTest {
  private final List<String> seen = new ArrayList<>();
  private final Memory memory =
      new RunsMemory(
          List.of(
              new BarRange(0x8000, 0x1000),
              new BarRange(0x2000, 0x2000),
              new BarRange(0x5000, 0x1000)),
          run -> new Seen(run.offset()));

  private final class Seen implements Memory {
    private final long start;

    Seen(long start) {
      this.start = start;
    }

    @Override
    public void read(long offset, MemorySegment into) {
      seen.add("read %x+%x".formatted(start + offset, into.byteSize()));
    }

    @Override
    public void write(long offset, MemorySegment from) {
      seen.add("write %x+%x".formatted(start + offset, from.byteSize()));
    }
  }

  private static MemorySegment bytes(int count) {
    return MemorySegment.ofArray(new byte[count]);
  }

  @Test
  void anAccessWithinARangeStaysWhole() {
    memory.read(0, bytes(0x1000));
    memory.write(0x2ff0, bytes(16));
    assertThat(seen).containsExactly("read 8000+1000", "write 3ff0+10");
  }

  @Test
  void anAccessAcrossRangesIsSplitWhereTheyMeet() {
    memory.write(0xffc, bytes(8));
    memory.read(0xff0, bytes(0x2020));
    assertThat(seen)
        .containsExactly(
            "write 8ffc+4", "write 2000+4", "read 8ff0+10", "read 2000+2000", "read 5000+10");
  }
}
