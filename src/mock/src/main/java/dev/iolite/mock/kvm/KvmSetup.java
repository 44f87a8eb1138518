package dev.iolite.mock.kvm;

import dev.iolite.mock.core.DmaBufSlots;

/**
 * The setup of the model's KVM.
 *
 * @param platform the machine
 * @param scripts the scripts of its confidential guests
 * @param firmware how its TDX module or its secure processor answers
 * @param dmaBufSlots the memory slots that it has beyond those of 7.3
 */
public record KvmSetup(
    KvmPlatform platform, GuestScripts scripts, SecureFirmware firmware, DmaBufSlots dmaBufSlots) {
  /** Makes a setup with the slots of 7.3. */
  public KvmSetup(KvmPlatform platform, GuestScripts scripts, SecureFirmware firmware) {
    this(platform, scripts, firmware, DmaBufSlots.none());
  }

  /** A machine without scripts whose firmware does what it is asked to do. */
  public static KvmSetup on(KvmPlatform platform) {
    return new KvmSetup(platform, GuestScripts.none(), SecureFirmware.working());
  }

  /** The same machine with these scripts. */
  public KvmSetup running(GuestScripts guests) {
    return new KvmSetup(platform, guests, firmware);
  }
}
