package dev.iolite.tdi.plan;

import dev.iolite.iommufd.IovaRange;
import dev.iolite.iommufd.IovaRanges;
import dev.iolite.kernel.PreconditionException;
import dev.iolite.tdi.layout.MmioLayout;
import java.util.List;
import java.util.Map;

/**
 * The fewest dma-bufs, memory slots and IOAS maps that give a guest the MMIO of a layout. A slot
 * cannot have holes, so each run has its own; a dma-buf can have holes, if the kernel allows that.
 * Only shared runs are mapped in the IOAS, at IOVAs that equal the guest-physical addresses.
 *
 * @param dmaBufs the dma-bufs to open, by BAR, and within a BAR the shared ones first
 * @param slots the memory slots to make, by BAR and offset
 * @param maps the maps to make, by BAR and offset
 * @param remarks what a person should know about the plan, whole sentences
 */
public record SlotPlan(
    List<PlannedDmaBuf> dmaBufs,
    List<PlannedSlot> slots,
    List<PlannedMap> maps,
    List<String> remarks) {
  /** Copies the lists. */
  public SlotPlan {
    dmaBufs = List.copyOf(dmaBufs);
    slots = List.copyOf(slots);
    maps = List.copyOf(maps);
    remarks = List.copyOf(remarks);
  }

  /**
   * Makes a plan.
   *
   * @param layout which parts of the BARs are private and which are shared
   * @param gpas where each BAR is in the guest, by its index; a BAR that is not listed is left out
   * @param abilities what the kernel can do
   * @throws PreconditionException if a BAR is not at a page boundary, overlaps another or extends
   *     beyond the address space, or if there are not enough slots
   * @throws IllegalArgumentException if an address is given for a BAR that the layout does not have
   */
  public static SlotPlan of(MmioLayout layout, Map<Integer, Long> gpas, Abilities abilities) {
    for (int bar : gpas.keySet()) {
      if (layout.bar(bar).isEmpty()) {
        throw new IllegalArgumentException("the layout has no BAR " + bar);
      }
    }
    SlotPlan plan = new Planner(layout, abilities).plan(new Places(layout, gpas));
    if (plan.slots().size() > abilities.slots()) {
      throw new PreconditionException(
          "planned memory slots for %d runs of MMIO".formatted(layout.runCount()),
          "%d slots are needed, and the VM has %d left"
              .formatted(plan.slots().size(), abilities.slots()),
          "the device's report is cut into many small ranges, and a slot can't have holes",
          "give the VM fewer other slots, or ask the device's vendor for a firmware that reports"
              + " larger ranges");
    }
    return plan;
  }

  /**
   * Like {@link #of(MmioLayout, Map, Abilities)}, for an IOAS whose IOVAs are known.
   *
   * @param iovas where the IOAS can map
   * @throws PreconditionException also if a map would lie outside these ranges
   */
  public static SlotPlan of(
      MmioLayout layout, Map<Integer, Long> gpas, Abilities abilities, IovaRanges iovas) {
    SlotPlan plan = of(layout, gpas, abilities);
    for (PlannedMap map : plan.maps()) {
      IovaRange range = IovaRange.of(map.iova(), map.bytes());
      if (!iovas.allows(range)) {
        throw new PreconditionException(
            "planned to map the shared MMIO of BAR %d at IOVA %s"
                .formatted(plan.dmaBufs().get(map.dmaBuf()).bar(), range),
            "the IOAS can be mapped at %s only, at multiples of 0x%x"
                .formatted(
                    String.join(", ", iovas.allowed().stream().map(IovaRange::toString).toList()),
                    iovas.alignment()),
            "the BAR stands in a window that the host's IOMMU keeps for itself (the one of"
                + " interrupts, 0xfee00000-0xfeefffff, on x86), or above what it can reach",
            "give the BAR another guest-physical address");
      }
    }
    return plan;
  }
}
