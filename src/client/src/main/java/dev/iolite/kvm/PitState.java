package dev.iolite.kvm;

import dev.iolite.uapi.kvm.Kvm;
import dev.iolite.uapi.kvm.kvm_pit_channel_state;
import dev.iolite.uapi.kvm.kvm_pit_state2;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The programmable interval timer's registers.
 *
 * @param channels its three channels
 * @param isHpetLegacy whether a HPET has taken over channel 0
 * @param isSpeakerOn whether the speaker's data bit is set
 */
public record PitState(List<Channel> channels, boolean isHpetLegacy, boolean isSpeakerOn) {
  private static final int CHANNELS = 3;

  /**
   * A channel.
   *
   * @param count what it counts from, up to 65536
   * @param latchedCount the count that was latched
   * @param countLatched whether one is, and how much of it is read
   * @param statusLatched whether the status is latched
   * @param status the latched status
   * @param readState which byte is read next
   * @param writeState which byte is written next
   * @param writeLatch the first byte of two
   * @param rwMode which bytes are read and written
   * @param mode the mode, 0 to 5
   * @param bcd whether it counts in BCD
   * @param gate the gate
   * @param countLoadTime when it was loaded, in nanoseconds of the host's monotonic clock
   */
  public record Channel(
      int count,
      int latchedCount,
      int countLatched,
      int statusLatched,
      int status,
      int readState,
      int writeState,
      int writeLatch,
      int rwMode,
      int mode,
      int bcd,
      int gate,
      long countLoadTime) {

    static Channel of(MemorySegment channel) {
      return new Channel(
          kvm_pit_channel_state.count(channel),
          Short.toUnsignedInt(kvm_pit_channel_state.latched_count(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.count_latched(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.status_latched(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.status(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.read_state(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.write_state(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.write_latch(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.rw_mode(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.mode(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.bcd(channel)),
          Byte.toUnsignedInt(kvm_pit_channel_state.gate(channel)),
          kvm_pit_channel_state.count_load_time(channel));
    }

    void store(MemorySegment channel) {
      kvm_pit_channel_state.count(channel, count);
      kvm_pit_channel_state.latched_count(channel, (short) latchedCount);
      kvm_pit_channel_state.count_latched(channel, (byte) countLatched);
      kvm_pit_channel_state.status_latched(channel, (byte) statusLatched);
      kvm_pit_channel_state.status(channel, (byte) status);
      kvm_pit_channel_state.read_state(channel, (byte) readState);
      kvm_pit_channel_state.write_state(channel, (byte) writeState);
      kvm_pit_channel_state.write_latch(channel, (byte) writeLatch);
      kvm_pit_channel_state.rw_mode(channel, (byte) rwMode);
      kvm_pit_channel_state.mode(channel, (byte) mode);
      kvm_pit_channel_state.bcd(channel, (byte) bcd);
      kvm_pit_channel_state.gate(channel, (byte) gate);
      kvm_pit_channel_state.count_load_time(channel, countLoadTime);
    }
  }

  /** Copies the list. */
  public PitState {
    channels = List.copyOf(channels);
    if (channels.size() != CHANNELS) {
      throw new IllegalArgumentException("the PIT has 3 channels");
    }
  }

  static PitState of(MemorySegment pit) {
    int flags = kvm_pit_state2.flags(pit);
    return new PitState(
        IntStream.range(0, CHANNELS)
            .mapToObj(i -> Channel.of(kvm_pit_state2.channels(pit, i)))
            .toList(),
        (flags & Kvm.KVM_PIT_FLAGS_HPET_LEGACY()) != 0,
        (flags & Kvm.KVM_PIT_FLAGS_SPEAKER_DATA_ON()) != 0);
  }

  void store(MemorySegment pit) {
    for (int i = 0; i < CHANNELS; i++) {
      channels.get(i).store(kvm_pit_state2.channels(pit, i));
    }
    kvm_pit_state2.flags(
        pit,
        (isHpetLegacy ? Kvm.KVM_PIT_FLAGS_HPET_LEGACY() : 0)
            | (isSpeakerOn ? Kvm.KVM_PIT_FLAGS_SPEAKER_DATA_ON() : 0));
  }
}
