package dev.iolite.tdi.guest;

import dev.iolite.tdi.layout.Kind;

/**
 * A guest that cannot be made to do anything, such as a confidential guest without a program of
 * ours in it. Its owner acts for it, and nothing is seen from its side.
 */
public final class SilentGuest implements GuestAgent {
  private final DrivenGuest guest;

  /** Wraps the guest of an assignment. */
  public SilentGuest(DrivenGuest guest) {
    this.guest = guest;
  }

  @Override
  public boolean asks() {
    return false;
  }

  @Override
  public boolean reaches(long gpa) {
    return false;
  }

  @Override
  public GuestAnswer read(long gpa, int bytes, Kind kind) {
    return new GuestAnswer.Refused("the guest does nothing");
  }

  @Override
  public GuestAnswer write(long gpa, int bytes, long value, Kind kind) {
    return read(gpa, bytes, kind);
  }

  @Override
  public void out(int port, int bytes, int value) {
    throw new UnsupportedOperationException("a silent guest writes to no port");
  }

  @Override
  public int in(int port, int bytes) {
    throw new UnsupportedOperationException("a silent guest reads from no port");
  }

  @Override
  public void writeConfig(long virtualBdf, int offset, int value) {
    guest.writeConfig(offset, Integer.BYTES, value);
  }

  @Override
  public int readConfig(long virtualBdf, int offset) {
    return guest.readConfig(offset, Integer.BYTES);
  }

  @Override
  public long ask(GuestAsk ask) {
    throw new UnsupportedOperationException("a silent guest asks for nothing, not for " + ask);
  }
}
