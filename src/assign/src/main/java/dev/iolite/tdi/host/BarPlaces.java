package dev.iolite.tdi.host;

import dev.iolite.pci.PciRegs;
import dev.iolite.tdi.layout.BarSize;
import dev.iolite.vfio.BoundVfioDevice;
import dev.iolite.vfio.PciRegion;
import dev.iolite.vfio.Region;
import dev.iolite.vfio.RegionInfo;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Where a guest has the memory BARs of its device, as the BAR registers of the device's config
 * space say, which VFIO keeps for the guest. This class also does the firmware's part and chooses
 * addresses: each BAR at a multiple of its size, small ones below 4 GiB, away from the interrupts'
 * addresses.
 */
public final class BarPlaces {
  private static final int REGISTER = 4;

  /**
   * Low, since a device may reach only few addresses by DMA; QEMU's edu reaches only those below
   * 256 MiB.
   */
  private static final long LOW = 32L << 20;

  private static final long LOW_END = 3L << 30;
  private static final long LARGEST_LOW = 1L << 30;
  private static final long HIGH = 1L << 32;

  private final Region config;
  private final Map<Integer, Long> sizes;

  private BarPlaces(Region config, Map<Integer, Long> sizes) {
    this.config = config;
    this.sizes = sizes;
  }

  /**
   * Chooses places for the memory BARs that can be mapped as a whole; memory decode must be off, or
   * no part of them mapped yet.
   */
  static BarPlaces choose(BoundVfioDevice device) {
    Map<Integer, Long> sizes = new TreeMap<>();
    for (RegionInfo bar : device.wholeBars()) {
      sizes.put(bar.index(), bar.bytes());
    }
    BarPlaces places = new BarPlaces(device.config().region(), sizes);
    places.choose();
    return places;
  }

  /** The size of each BAR, in bytes. */
  public Map<Integer, Long> sizes() {
    return sizes;
  }

  /** The same, in the form that layouts use. */
  public List<BarSize> barSizes() {
    return sizes.entrySet().stream().map(b -> new BarSize(b.getKey(), b.getValue())).toList();
  }

  private void choose() {
    long low = LOW;
    long high = HIGH;
    List<Map.Entry<Integer, Long>> largestFirst =
        sizes.entrySet().stream()
            .sorted(Map.Entry.<Integer, Long>comparingByValue(Comparator.reverseOrder()))
            .toList();
    for (var bar : largestFirst) {
      long bytes = bar.getValue();
      long atLow = aligned(low, bytes);
      if (bytes <= LARGEST_LOW && atLow + bytes <= LOW_END) {
        write(bar.getKey(), atLow);
        low = atLow + bytes;
      } else {
        high = aligned(high, bytes);
        write(bar.getKey(), high);
        high += bytes;
      }
    }
  }

  private static long aligned(long address, long bytes) {
    return (address + bytes - 1) & -bytes;
  }

  private static int register(int bar) {
    return PciRegs.BAR + REGISTER * bar;
  }

  private boolean is64(int bar) {
    int value = config.read32(register(bar));
    return (value & PciRegs.BAR_IO) == 0 && (value & PciRegs.BAR_WIDTH) == PciRegs.BAR_64;
  }

  private void write(int bar, long address) {
    boolean wide = is64(bar);
    config.write32(register(bar), (int) address);
    if (wide) {
      config.write32(register(bar + 1), (int) (address >>> Integer.SIZE));
    }
  }

  /** Where each BAR is now. */
  public Map<Integer, Long> addresses() {
    Map<Integer, Long> addresses = new LinkedHashMap<>();
    for (int bar : sizes.keySet()) {
      long low = Integer.toUnsignedLong(config.read32(register(bar)) & ~PciRegs.BAR_FLAGS);
      long upper = is64(bar) ? Integer.toUnsignedLong(config.read32(register(bar + 1))) : 0;
      addresses.put(bar, (upper << Integer.SIZE) | low);
    }
    return addresses;
  }

  @Override
  public String toString() {
    return addresses().entrySet().stream()
        .map(b -> "%s at 0x%x".formatted(PciRegion.nameOf(b.getKey()), b.getValue()))
        .collect(Collectors.joining(", "));
  }
}
