package dev.iolite.mock.pci;

import dev.iolite.uapi.vfio.Vfio;
import java.util.List;

/**
 * What VFIO was seen to say about a function. The model has no more of it, even where configuration
 * space lets one expect more, as with a quirk of the kernel for a device whose INTx is broken.
 *
 * @param regions each region of some size, by index; those from 9 on, which the model lacks, too
 * @param irqs each kind of interrupt that the function has, by index
 */
public record VfioSeen(List<Region> regions, List<Irq> irqs) {
  /**
   * A region.
   *
   * @param index its index
   * @param bytes its size
   * @param flags VFIO_REGION_INFO_FLAG_*
   */
  public record Region(int index, long bytes, int flags) {}

  /**
   * A kind of interrupt.
   *
   * @param index its index
   * @param count how many the function has
   * @param flags VFIO_IRQ_INFO_*
   */
  public record Irq(int index, int count, int flags) {}

  /** Copies the lists. */
  public VfioSeen {
    regions = List.copyOf(regions);
    irqs = List.copyOf(irqs);
  }

  /** Whether there is a region. */
  public boolean hasRegion(int index) {
    return regions.stream().anyMatch(region -> region.index == index);
  }

  /** Whether a region can be mapped. */
  public boolean canMap(int index) {
    return regions.stream()
        .anyMatch(region ->
            region.index == index && (region.flags & Vfio.VFIO_REGION_INFO_FLAG_MMAP()) != 0);
  }

  /** How many interrupts of a kind there are. */
  public int count(int index) {
    return irqs.stream()
        .filter(irq -> irq.index == index)
        .mapToInt(Irq::count)
        .findFirst()
        .orElse(0);
  }
}
