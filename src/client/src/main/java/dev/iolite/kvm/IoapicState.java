package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_ioapic_state;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The I/O APIC's registers.
 *
 * @param baseAddress the guest-physical address of its registers
 * @param selected the register that is selected
 * @param id its id
 * @param irr the lines that are high, a bit for each pin
 * @param redirections its redirection table, an entry of 64 bits for each of its 24 pins
 */
public record IoapicState(
    long baseAddress, int selected, int id, int irr, List<Long> redirections) {
  private static final int PINS = 24;

  /** Copies the list. */
  public IoapicState {
    redirections = List.copyOf(redirections);
    if (redirections.size() != PINS) {
      throw new IllegalArgumentException("the I/O APIC has 24 pins");
    }
  }

  static IoapicState of(MemorySegment ioapic) {
    return new IoapicState(
        kvm_ioapic_state.base_address(ioapic),
        kvm_ioapic_state.ioregsel(ioapic),
        kvm_ioapic_state.id(ioapic),
        kvm_ioapic_state.irr(ioapic),
        IntStream.range(0, PINS)
            .mapToObj(pin ->
                kvm_ioapic_state.redirtbl(ioapic, pin).get(ValueLayout.JAVA_LONG_UNALIGNED, 0))
            .toList());
  }

  void store(MemorySegment ioapic) {
    kvm_ioapic_state.base_address(ioapic, baseAddress);
    kvm_ioapic_state.ioregsel(ioapic, selected);
    kvm_ioapic_state.id(ioapic, id);
    kvm_ioapic_state.irr(ioapic, irr);
    for (int pin = 0; pin < PINS; pin++) {
      kvm_ioapic_state
          .redirtbl(ioapic, pin)
          .set(ValueLayout.JAVA_LONG_UNALIGNED, 0, redirections.get(pin));
    }
  }
}
