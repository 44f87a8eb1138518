package dev.iolite.mock.kvm;

/** A guest as a list of steps. */
public final class GuestScript {
  private GuestScript() {}
}
