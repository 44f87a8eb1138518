package dev.iolite.tdi.guest;

import dev.iolite.kvm.Exit;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.ledger.Ledger;

/** A guest that an agent drives: an assignment, which serves what the guest asks for. */
public interface DrivenGuest {
  /** Runs the guest, and serves what it asks for, until an exit that is the caller's to answer. */
  Exit runGuest();

  /** The device that the guest has, and the guest's machine; looked at while synchronized. */
  AssignedInterface assigned();

  /** What every page of the guest is; looked at while synchronized on this. */
  Ledger ledger();

  /** The guest's number of the device: bus, device and function, 16 bits. */
  long virtualBdf();

  /** What the guest reads from the device's config space: {@code bytes} at an offset. */
  int readConfig(int offset, int bytes);

  /**
   * Makes a guest's write to the device's config space.
   *
   * @param bytes 1, 2 or 4
   */
  void writeConfig(int offset, int bytes, int value);
}
