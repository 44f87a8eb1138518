package dev.iolite.tdi.guest;

import dev.iolite.steps.ScenarioException;
import dev.iolite.tdi.layout.Kind;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Shared memory of a guest that the guest itself fills and reads, word by word. */
public final class GuestRoom {
  private final GuestAgent guest;
  private final long gpa;

  /**
   * A room in the guest's shared memory.
   *
   * @param gpa where it begins
   */
  public GuestRoom(GuestAgent guest, long gpa) {
    this.guest = guest;
    this.gpa = gpa;
  }

  /**
   * Makes the guest write.
   *
   * @param bytes whole words of 4 bytes
   */
  public void write(byte[] bytes) {
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < bytes.length; at += Integer.BYTES) {
      long word = Integer.toUnsignedLong(words.getInt(at));
      reached(guest.write(gpa + at, Integer.BYTES, word, Kind.SHARED), at);
    }
  }

  /** Makes the guest read this many bytes. */
  public byte[] read(int count) {
    ByteBuffer words =
        ByteBuffer.allocate(count + Integer.BYTES - 1).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < count; at += Integer.BYTES) {
      words.putInt(at, (int) reached(guest.read(gpa + at, Integer.BYTES, Kind.SHARED), at));
    }
    byte[] bytes = new byte[count];
    words.get(0, bytes);
    return bytes;
  }

  private long reached(GuestAnswer answer, int at) {
    return switch (answer) {
      case GuestAnswer.Reached reached -> reached.value();
      case GuestAnswer.NoSlot _, GuestAnswer.Refused _ ->
          throw new ScenarioException(
              "the guest was to use its shared memory at 0x%x: %s".formatted(gpa + at, answer));
    };
  }
}
