package dev.iolite.mock.kvm;

import dev.iolite.kernel.Page;
import java.util.HashMap;
import java.util.Map;

/**
 * The pages at which guests have found nothing, as the VM's page tables record them
 * (arch/x86/kvm/mmu/spte.c:make_mmio_spte). A record is valid until a slot changes; it stays until
 * something is mapped there.
 */
final class MmioPages {
  private final Map<Long, Long> generations = new HashMap<>();
  private long generation;

  private static long page(long gpa) {
    return gpa / Page.BYTES;
  }

  /** Called when a slot has changed (virt/kvm/kvm_main.c:kvm_swap_active_memslots). */
  void slotsChanged() {
    generation++;
  }

  void add(long gpa) {
    generations.put(page(gpa), generation);
  }

  /** Called when something is mapped there. */
  void remove(long gpa) {
    generations.remove(page(gpa));
  }

  /** Whether there is a record, valid or not. */
  boolean contains(long gpa) {
    return generations.containsKey(page(gpa));
  }

  /** Whether there is a valid record. */
  boolean isCurrent(long gpa) {
    Long noted = generations.get(page(gpa));
    return noted != null && noted == generation;
  }
}
