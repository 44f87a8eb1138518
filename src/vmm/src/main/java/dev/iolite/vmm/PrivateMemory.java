package dev.iolite.vmm;

import dev.iolite.kernel.CloseStack;
import dev.iolite.kernel.Errno;
import dev.iolite.kernel.KernelException;
import dev.iolite.kernel.Page;
import dev.iolite.kvm.Exit;
import dev.iolite.kvm.GuestMemfd;
import dev.iolite.kvm.Vm;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * The private half of a guest's RAM, which this process does not see. Each page of RAM is shared at
 * first, and private or shared as the guest asks.
 *
 * <p>A page that becomes shared loses what it had as a private one, and its memory is free. The
 * shared half stays: devices may be using it for DMA.
 *
 * <p>Safe for use by several threads.
 */
final class PrivateMemory {
  /** KVM_HC_MAP_GPA_RANGE of linux/kvm_para.h, and its attribute of private memory. */
  private static final int MAP_GPA_RANGE = 12;

  private static final int ENCRYPTED = 1 << 4;

  private final Vm vm;
  private final GuestMemfd memfd;
  private final List<Slot> slots = new ArrayList<>();

  /** By their place in the guest_memfd; guarded by this. */
  private final BitSet privatePages = new BitSet();

  /** A part of RAM, and the page of the guest_memfd with which it begins. */
  private record Slot(long gpa, long pages, int first) {
    boolean has(long from, long count) {
      long page = (from - gpa) / Page.BYTES;
      return from >= gpa && page < pages && count > 0 && count <= pages - page;
    }

    int place(long from) {
      return first + (int) ((from - gpa) / Page.BYTES);
    }
  }

  PrivateMemory(Vm vm, List<GuestMemory.Part> parts) {
    this.vm = vm;
    long bytes = parts.stream().mapToLong(part -> part.memory().byteSize()).sum();
    try (CloseStack opening = new CloseStack()) {
      memfd = opening.push(vm.createGuestMemfd(bytes));
      long offset = 0;
      for (GuestMemory.Part part : parts) {
        long length = part.memory().byteSize();
        vm.addPrivateSlot(part.gpa(), length, part.memory().address(), memfd, offset);
        slots.add(new Slot(part.gpa(), length / Page.BYTES, (int) (offset / Page.BYTES)));
        offset += length;
      }
      opening.release();
    }
  }

  /** Whether a hypercall asks for pages to be made private, or shared. */
  static boolean isAsked(Exit.Hypercall call) {
    return call.number() == MAP_GPA_RANGE;
  }

  /** Does what such a hypercall asks for, and answers it. */
  void convert(Exit.Hypercall call) {
    try {
      boolean isPrivate = (call.argument(2) & ENCRYPTED) != 0;
      call.respond(convert(call.argument(0), call.argument(1), isPrivate));
    } catch (KernelException e) {
      call.respond(e.errno().negated());
    }
  }

  /** What is not RAM is shared and stays so. */
  synchronized int convert(long gpa, long count, boolean isPrivate) {
    Optional<Slot> slot = slots.stream().filter(each -> each.has(gpa, count)).findFirst();
    if (slot.isEmpty()) {
      return isPrivate ? Errno.EINVAL.negated() : 0;
    }
    vm.setPrivate(gpa, count * Page.BYTES, isPrivate);
    int first = slot.get().place(gpa);
    privatePages.set(first, first + (int) count, isPrivate);
    if (!isPrivate) {
      memfd.discard(first * Page.BYTES, count * Page.BYTES);
    }
    return 0;
  }

  /**
   * Whether an access that KVM refused for its kind is of the page's kind by now, because another
   * processor has converted it meanwhile.
   */
  synchronized boolean isResolved(Exit.MemoryFault fault) {
    return slots.stream()
        .filter(slot -> slot.has(fault.gpa(), 1))
        .anyMatch(slot -> privatePages.get(slot.place(fault.gpa())) != fault.isPrivate());
  }
}
