package dev.iolite.tdi.guest;

import dev.iolite.kvm.Exit;
import dev.iolite.tdi.host.AssignedInterface;
import dev.iolite.tdi.ledger.Ledger;

/** A guest that an agent drives. The assignment serves what the guest asks for. */
public interface DrivenGuest {
  /** Runs the guest, and serves what it asks for, until an exit that is the caller's to answer. */
  Exit runGuest();

  /**
   * The device that the guest has, and the guest's machine; to be read while synchronized on this.
   */
  AssignedInterface assigned();

  /** What every page of the guest is; to be read while synchronized on this. */
  Ledger ledger();

  /** The guest's routing ID for the device: bus, device and function in 16 bits. */
  long virtualBdf();

  /** Reads {@code bytes} from the device's config space for the guest. */
  int readConfig(int offset, int bytes);

  /**
   * Writes to the device's config space for the guest.
   *
   * @param bytes 1, 2 or 4
   */
  void writeConfig(int offset, int bytes, int value);
}
