package dev.iolite.kvm;

import java.util.List;
import java.util.Optional;

/**
 * The special registers as KVM_GET_SREGS2 has them: without the pending interrupt, with the page
 * directory pointers.
 *
 * @param registers the registers
 * @param pdptrs the four page directory pointers, if the processor is in 32-bit PAE mode
 */
public record SpecialRegisters2(SpecialRegisters registers, Optional<List<Long>> pdptrs) {
  /** Copies the list. */
  public SpecialRegisters2 {
    pdptrs = pdptrs.map(List::copyOf);
  }
}
