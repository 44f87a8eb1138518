package dev.iolite.tdi;

import dev.iolite.tdi.guest.GuestAgent;
import dev.iolite.tdi.guest.GuestAnswer;
import dev.iolite.tdi.guest.GuestAsk;
import dev.iolite.tdi.layout.Kind;

/** A guest whose private reads all get what a read gets that nobody answers. */
record BlindToPrivate(GuestAgent guest) implements GuestAgent {
  @Override
  public boolean asks() {
    return guest.asks();
  }

  @Override
  public boolean reaches(long gpa) {
    return guest.reaches(gpa);
  }

  @Override
  public GuestAnswer read(long gpa, int bytes, Kind kind) {
    return kind == Kind.PRIVATE
        ? new GuestAnswer.Reached(0xffff_ffffL)
        : guest.read(gpa, bytes, kind);
  }

  @Override
  public GuestAnswer write(long gpa, int bytes, long value, Kind kind) {
    return guest.write(gpa, bytes, value, kind);
  }

  @Override
  public void out(int port, int bytes, int value) {
    guest.out(port, bytes, value);
  }

  @Override
  public int in(int port, int bytes) {
    return guest.in(port, bytes);
  }

  @Override
  public long ask(GuestAsk ask) {
    return guest.ask(ask);
  }
}
