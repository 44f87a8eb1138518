package dev.iolite.tdi.evidence;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;

/** Nothing that a device could send does harm: it is a message, or it is refused as none. */
class MeasurementsFuzzTest {
  private static final int HEAD = 0x6012;

  /** Whether it is a message. What else is thrown fails the test. */
  private static boolean isMessage(byte[] bytes) {
    Measurements read;
    try {
      read = Measurements.parse(MemorySegment.ofArray(bytes));
    } catch (MalformedMeasurementsException e) {
      assertThat(e.at()).isBetween(0L, (long) bytes.length);
      assertThat(e.getMessage()).contains("byte " + e.at() + ": ");
      return false;
    }
    long said = 8 + 32 + 2 + read.opaque().byteSize();
    said += read.signature().map(MemorySegment::byteSize).orElse(0L);
    said += read.blocks().stream().mapToLong(block -> 7 + block.value().byteSize()).sum();
    assertThat(said).as("every byte has a meaning").isEqualTo(bytes.length);
    assertThat(read.blocks()).extracting(Measurement::index).doesNotHaveDuplicates();
    return true;
  }

  @Property(tries = 2000)
  void anyBytes(@ForAll @Size(max = 200) byte[] bytes) {
    isMessage(bytes);
    if (bytes.length > 1) {
      bytes[0] = (byte) HEAD;
      bytes[1] = (byte) (HEAD >> 8);
      isMessage(bytes);
    }
  }

  /** Of a good message some bytes are changed, or some are cut off or added. */
  @Property(tries = 5000)
  void almostGoodBytes(@ForAll long seed) {
    Random random = new Random(seed);
    MessageBytes good = new MessageBytes();
    int blocks = random.nextInt(5);
    for (int i = 1; i <= blocks; i++) {
      good.block(i, random.nextInt(8) | random.nextInt(2) << 7, new byte[random.nextInt(50)]);
    }
    good.end(random.nextInt(256), new byte[random.nextInt(20)]);
    if (random.nextBoolean()) {
      good.after(new byte[96]);
    }
    byte[] bytes = good.toArray();
    assertThat(isMessage(bytes)).isTrue();
    for (int i = random.nextInt(4); i > 0; i--) {
      int at = random.nextInt(bytes.length);
      bytes[at] = (byte) (random.nextBoolean() ? bytes[at] ^ (1 << random.nextInt(8)) : -1);
    }
    int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length + 8) : bytes.length;
    isMessage(Arrays.copyOf(bytes, length));
  }
}
