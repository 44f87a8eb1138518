package dev.iolite.mock.kvm;

/**
 * An interrupt on its way to local APICs (struct kvm_lapic_irq).
 *
 * @param destination the 8-bit destination
 * @param isLogical whether it is a set of logical ids
 * @param mode the delivery mode, as in bits 8 to 10 of a message's data
 * @param vector the vector
 * @param isLevel whether it is triggered by a level, so that its end is told to the I/O APIC
 */
record ApicMessage(int destination, boolean isLogical, int mode, int vector, boolean isLevel) {
  private static final int DESTINATION_SHIFT = 12;
  private static final int LOGICAL = 1 << 2;
  private static final int MODE_SHIFT = 8;
  private static final int MODE = 7;
  private static final int BYTE = 0xff;
  private static final int LEVEL = 1 << 15;
  private static final int LOWEST_PRIORITY = 1;
  private static final int ENTRY_DESTINATION_SHIFT = 56;
  private static final long ENTRY_LOGICAL = 1 << 11;

  /** arch/x86/kvm/irq.c:kvm_msi_to_lapic_irq. */
  static ApicMessage ofMsi(int address, int data) {
    return new ApicMessage(
        address >>> DESTINATION_SHIFT & BYTE,
        (address & LOGICAL) != 0,
        data >>> MODE_SHIFT & MODE,
        data & BYTE,
        (data & LEVEL) != 0);
  }

  /** Of an entry of the I/O APIC's table; arch/x86/kvm/ioapic.c:ioapic_service. */
  static ApicMessage ofRedirection(long entry) {
    return new ApicMessage(
        (int) (entry >>> ENTRY_DESTINATION_SHIFT),
        (entry & ENTRY_LOGICAL) != 0,
        (int) (entry >>> MODE_SHIFT) & MODE,
        (int) entry & BYTE,
        (entry & LEVEL) != 0);
  }

  /**
   * arch/x86/kvm/lapic.c:__kvm_irq_delivery_to_apic.
   *
   * @return how many local APICs took it; -1 if the VM has none
   */
  int deliver(KvmVm vm) {
    int taken = -1;
    for (KvmVcpu vcpu : vm.vcpus()) {
      // With an APIC in the VM, a destination that is not there is no failure: the map has it.
      taken = Math.max(taken, 0);
      boolean isFull = mode == LOWEST_PRIORITY && taken > 0;
      if (!isFull && vcpu.apic().isAt(destination, isLogical) && vcpu.apic().accept(this)) {
        taken++;
      }
    }
    vm.task().wake();
    return taken;
  }
}
