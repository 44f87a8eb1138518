package dev.iolite.mock.kvm;

import java.util.Optional;

/** Decides what vCPUs run if the VM's owner can't set their state. */
@FunctionalInterface
public interface GuestScripts {
  /**
   * The script of a vCPU that is being made.
   *
   * @param vm its VM
   * @param vcpu its id
   * @return the script; if empty, the vCPU runs machine code if its state can be set, and otherwise
   *     halts at once
   */
  Optional<GuestScript> of(KvmVm vm, int vcpu);

  /** No scripts. */
  static GuestScripts none() {
    return (_, _) -> Optional.empty();
  }
}
