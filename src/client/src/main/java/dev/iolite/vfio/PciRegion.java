package dev.iolite.vfio;

import dev.iolite.uapi.vfio.Vfio;
import java.util.Objects;

/** The regions that every PCI device has at a fixed index; those it lacks have size 0. */
public enum PciRegion {
  /** Base address register 0. */
  BAR0(Vfio.VFIO_PCI_BAR0_REGION_INDEX()),
  /** Base address register 1. */
  BAR1(Vfio.VFIO_PCI_BAR1_REGION_INDEX()),
  /** Base address register 2. */
  BAR2(Vfio.VFIO_PCI_BAR2_REGION_INDEX()),
  /** Base address register 3. */
  BAR3(Vfio.VFIO_PCI_BAR3_REGION_INDEX()),
  /** Base address register 4. */
  BAR4(Vfio.VFIO_PCI_BAR4_REGION_INDEX()),
  /** Base address register 5. */
  BAR5(Vfio.VFIO_PCI_BAR5_REGION_INDEX()),
  /** The expansion ROM. */
  ROM(Vfio.VFIO_PCI_ROM_REGION_INDEX()),
  /** Configuration space. */
  CONFIG(Vfio.VFIO_PCI_CONFIG_REGION_INDEX()),
  /** Legacy VGA space, of VGA devices only. */
  VGA(Vfio.VFIO_PCI_VGA_REGION_INDEX());

  private final int index;

  PciRegion(int index) {
    this.index = index;
  }

  /** The region's index. */
  public int index() {
    return index;
  }

  /**
   * A base address register.
   *
   * @param number 0 to 5
   */
  public static PciRegion bar(int number) {
    Objects.checkIndex(number, BAR5.index + 1);
    return values()[number];
  }

  /**
   * The name of a region by its index; those beyond the fixed ones are {@code region 9} and so on.
   */
  public static String nameOf(int index) {
    for (PciRegion region : values()) {
      if (region.index == index) {
        return region.name();
      }
    }
    return "region " + Integer.toUnsignedString(index);
  }
}
