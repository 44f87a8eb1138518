package dev.iolite.pci;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The address of a PCI function (BDF).
 *
 * @param domain the segment, 0 to 0xffffffff (above 0xffff for a virtual one such as VMD's)
 * @param bus 0 to 0xff
 * @param device 0 to 0x1f
 * @param function 0 to 7
 */
public record PciAddress(long domain, int bus, int device, int function)
    implements Comparable<PciAddress> {
  private static final Pattern TEXT =
      Pattern.compile("(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}):([0-1][0-9a-fA-F])\\.([0-7])");
  private static final int HEX = 16;
  private static final Comparator<PciAddress> ORDER =
      Comparator.comparingLong(PciAddress::domain)
          .thenComparingInt(PciAddress::bus)
          .thenComparingInt(PciAddress::device)
          .thenComparingInt(PciAddress::function);

  /** Checks the ranges. */
  public PciAddress {
    if (domain < 0
        || domain > 0xffff_ffffL
        || (bus & ~0xff) != 0
        || (device & ~0x1f) != 0
        || (function & ~7) != 0) {
      throw new IllegalArgumentException(
          String.format(
              "no PCI address: domain 0x%x, bus 0x%x, device 0x%x, function %d",
              domain, bus, device, function));
    }
  }

  /**
   * Reads an address as lspci writes it, with or without the domain.
   *
   * @param text the address, such as {@code 0000:00:03.0} or {@code 00:03.0}
   * @throws IllegalArgumentException if it is anything else; the message says so
   */
  public static PciAddress parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "'"
              + text
              + "' is no PCI address: expected domain:bus:device.function in hexadecimal, such as"
              + " 0000:00:03.0 or 00:03.0");
    }
    String domain = parts.group(1);
    return new PciAddress(
        domain == null ? 0 : Long.parseLong(domain, HEX),
        Integer.parseInt(parts.group(2), HEX),
        Integer.parseInt(parts.group(3), HEX),
        Integer.parseInt(parts.group(4)));
  }

  /** Like {@link #parse}; empty if it is anything else. */
  static Optional<PciAddress> tryParse(String text) {
    return TEXT.matcher(text).matches() ? Optional.of(parse(text)) : Optional.empty();
  }

  @Override
  public int compareTo(PciAddress other) {
    return ORDER.compare(this, other);
  }

  /** As sysfs writes it, {@code 0000:00:03.0}. */
  @Override
  public String toString() {
    return String.format("%04x:%02x:%02x.%d", domain, bus, device, function);
  }
}
