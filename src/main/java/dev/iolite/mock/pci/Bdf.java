package dev.iolite.mock.pci;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a PCI function is.
 *
 * @param domain 16 bits
 * @param bus 8 bits
 * @param slot 5 bits
 * @param function 3 bits
 */
public record Bdf(int domain, int bus, int slot, int function) implements Comparable<Bdf> {
  private static final Pattern FORM =
      Pattern.compile("(\\p{XDigit}{4}):(\\p{XDigit}{2}):([01]\\p{XDigit}).([0-7])");

  private static final Comparator<Bdf> ORDER =
      Comparator.comparingInt(Bdf::domain)
          .thenComparingInt(Bdf::bus)
          .thenComparingInt(Bdf::slot)
          .thenComparingInt(Bdf::function);

  /** The address of a name in sysfs, such as {@code 0000:00:02.0}; empty if it is none. */
  public static Optional<Bdf> tryParse(String name) {
    Matcher matcher = FORM.matcher(name);
    return matcher.matches()
        ? Optional.of(
            new Bdf(
                Integer.parseInt(matcher.group(1), 16),
                Integer.parseInt(matcher.group(2), 16),
                Integer.parseInt(matcher.group(3), 16),
                Integer.parseInt(matcher.group(4), 16)))
        : Optional.empty();
  }

  /**
   * As {@link #tryParse}.
   *
   * @throws IllegalArgumentException if it is no address
   */
  public static Bdf parse(String name) {
    return tryParse(name)
        .orElseThrow(() -> new IllegalArgumentException("no PCI address: " + name));
  }

  /** Slot and function as PCI has them in 8 bits. */
  public int devfn() {
    return (slot << 3) | function;
  }

  @Override
  public int compareTo(Bdf other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return "%04x:%02x:%02x.%d".formatted(domain, bus, slot, function);
  }
}
