package dev.iolite.mock.kvm;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Lists what a guest reaches: slots, split where the attribute changes, and a TSM's mappings. */
final class GuestLayout {
  private final KvmVm vm;
  private final List<GuestRange> ranges = new ArrayList<>();

  GuestLayout(KvmVm vm) {
    this.vm = vm;
  }

  List<GuestRange> ranges() {
    vm.slots().all().forEach(this::add);
    for (PrivateMappings.Mapping mapping : vm.privateMappings().all()) {
      ranges.add(new GuestRange(mapping.gpa(), mapping.bytes(), true, -1, mapping.what()));
    }
    ranges.sort(
        Comparator.comparing(GuestRange::gpa, Long::compareUnsigned)
            .thenComparingInt(GuestRange::slot));
    return List.copyOf(ranges);
  }

  private void add(KvmMemorySlot slot) {
    Optional<SlotDmaBuf> only = slot.dmaBuf().filter(dmaBuf -> dmaBuf.use().only());
    if (only.isPresent()) {
      add(slot, slot.gpa(), slot.end(), only.get().use().isPrivate());
      return;
    }
    long at = slot.gpa();
    for (Map.Entry<Long, Long> hidden : vm.attributes().ranges().entrySet()) {
      long from = max(hidden.getKey(), slot.gpa());
      long to = min(hidden.getValue(), slot.end());
      if (Long.compareUnsigned(from, to) < 0) {
        add(slot, at, from, false);
        add(slot, from, to, true);
        at = to;
      }
    }
    add(slot, at, slot.end(), false);
  }

  private void add(KvmMemorySlot slot, long from, long to, boolean isPrivate) {
    if (from != to) {
      ranges.add(
          new GuestRange(from, to - from, isPrivate, slot.id, behind(slot, from, isPrivate)));
    }
  }

  private static String behind(KvmMemorySlot slot, long from, boolean isPrivate) {
    long offset = from - slot.gpa();
    Optional<SlotDmaBuf> dmaBuf = slot.dmaBuf().filter(its -> its.use().isPrivate() == isPrivate);
    if (dmaBuf.isPresent()) {
      return dmaBuf.get().isRevoked()
          ? "a revoked dma-buf"
          : "dma-buf at 0x%x".formatted(dmaBuf.get().offset() + offset);
    }
    if (isPrivate || slot.guestMemfdOnly()) {
      return slot.guestMemfd()
          .map(_ -> "guest_memfd at 0x%x".formatted(slot.guestMemfdOffset() + offset))
          .orElse("nothing");
    }
    return "host address 0x%x%s"
        .formatted(slot.hostAddress + offset, slot.readOnly() ? ", read-only" : "");
  }

  private static long max(long a, long b) {
    return Long.compareUnsigned(a, b) > 0 ? a : b;
  }

  private static long min(long a, long b) {
    return Long.compareUnsigned(a, b) < 0 ? a : b;
  }
}
