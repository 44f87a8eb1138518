package dev.iolite.mock.kvm;

import java.util.Optional;

/** Says what vCPUs run whose state the VM's owner can't set. */
@FunctionalInterface
public interface GuestScripts {
  /**
   * The script of a vCPU that is being made.
   *
   * @param vm its VM
   * @param vcpu its id
   * @return empty: it runs machine code if its state can be set, and halts at once if not
   */
  Optional<GuestScript> of(KvmVm vm, int vcpu);

  /** No scripts. */
  static GuestScripts none() {
    return (_, _) -> Optional.empty();
  }
}
