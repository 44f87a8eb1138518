package dev.iolite.mock.pci;

import java.util.HexFormat;
import java.util.Optional;

/**
 * The address of a PCI function.
 *
 * @param domain 16 bits
 * @param bus 8 bits
 * @param slot 5 bits
 * @param function 3 bits
 */
public record Bdf(int domain, int bus, int slot, int function) implements Comparable<Bdf> {
  private static final int MOST_SLOTS = 32;
  private static final int MOST_FUNCTIONS = 8;

  /** Parses a name in sysfs, such as {@code 0000:00:02.0}; empty if it is not an address. */
  public static Optional<Bdf> tryParse(String name) {
    if (name.length() != 12
        || name.charAt(4) != ':'
        || name.charAt(7) != ':'
        || name.charAt(10) != '.'
        || !isHex(name, 0, 4)
        || !isHex(name, 5, 7)
        || !isHex(name, 8, 10)
        || !isHex(name, 11, 12)) {
      return Optional.empty();
    }
    int slot = HexFormat.fromHexDigits(name, 8, 10);
    int function = HexFormat.fromHexDigit(name.charAt(11));
    return slot < MOST_SLOTS && function < MOST_FUNCTIONS
        ? Optional.of(
            new Bdf(
                HexFormat.fromHexDigits(name, 0, 4),
                HexFormat.fromHexDigits(name, 5, 7),
                slot,
                function))
        : Optional.empty();
  }

  private static boolean isHex(String name, int from, int to) {
    return name.substring(from, to).chars().allMatch(HexFormat::isHexDigit);
  }

  /**
   * Parses as {@link #tryParse} does.
   *
   * @throws IllegalArgumentException if it is not an address
   */
  public static Bdf parse(String name) {
    return tryParse(name)
        .orElseThrow(() -> new IllegalArgumentException("no PCI address: " + name));
  }

  /** Whether the function is on this bus. */
  boolean isOn(int ofDomain, int ofBus) {
    return domain == ofDomain && bus == ofBus;
  }

  /**
   * The address of a VF (drivers/pci/iov.c:pci_iov_virtfn_bus, pci_iov_virtfn_devfn).
   *
   * @param offset the distance of the first VF from this function, in routing ids
   * @param stride the distance of one from the next
   * @param index which VF
   */
  public Bdf virtual(int offset, int stride, int index) {
    int routing = (bus << 8 | devfn()) + offset + stride * index;
    return new Bdf(domain, routing >> 8 & 0xff, routing >> 3 & 0x1f, routing & 7);
  }

  /** Slot and function in PCI's 8-bit form. */
  public int devfn() {
    return (slot << 3) | function;
  }

  /** All four in 32 bits, as a requester id with its segment; this number orders addresses. */
  private int number() {
    return (domain << 16) | (bus << 8) | devfn();
  }

  @Override
  public int compareTo(Bdf other) {
    return Integer.compareUnsigned(number(), other.number());
  }

  @Override
  public String toString() {
    return "%04x:%02x:%02x.%d".formatted(domain, bus, slot, function);
  }
}
