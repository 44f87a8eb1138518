package dev.iolite.tsm;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** What an interface reports about itself (INTERFACE_INFO). */
public enum InterfaceFlag {
  /** The device's firmware is not updated while the interface is locked or running. */
  NO_FIRMWARE_UPDATE(1, "no firmware update"),
  /** The interface makes DMA without PASIDs. */
  DMA_WITHOUT_PASID(1 << 1, "DMA without PASID"),
  /** The interface makes DMA with PASIDs. */
  DMA_WITH_PASID(1 << 2, "DMA with PASID"),
  /** Address translation services are on. */
  ATS(1 << 3, "ATS"),
  /** Page requests are on. */
  PRS(1 << 4, "PRS");

  private final int bit;
  private final String words;

  InterfaceFlag(int bit, String words) {
    this.bit = bit;
    this.words = words;
  }

  /** Its bit in the report. */
  public int bit() {
    return bit;
  }

  /** The flags in a report's interface info; reserved bits are ignored. */
  public static Set<InterfaceFlag> of(int info) {
    return Arrays.stream(values())
        .filter(flag -> (info & flag.bit) != 0)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** For example {@code DMA without PASID}. */
  @Override
  public String toString() {
    return words;
  }
}
