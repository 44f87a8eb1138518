package dev.iolite.tdi.guest;

import dev.iolite.tdi.layout.Kind;

/**
 * The guest's side of an assignment, one action at a time, to see from there what can be reached.
 * An agent runs the vCPU through {@link DrivenGuest#runGuest}, which serves what the guest asks
 * for.
 */
public interface GuestAgent {
  /** Whether the guest can ask its VMM for anything; if not, the VM's owner acts for it. */
  default boolean asks() {
    return true;
  }

  /** Whether the guest can make accesses at an address at all. */
  default boolean reaches(long gpa) {
    return true;
  }

  /**
   * Lets the guest read.
   *
   * @param bytes 1, 2, 4 or 8; an agent may support only some of them
   */
  GuestAnswer read(long gpa, int bytes, Kind kind);

  /** Lets the guest write, like {@link #read}. */
  GuestAnswer write(long gpa, int bytes, long value, Kind kind);

  /**
   * Lets the guest write to an I/O port.
   *
   * @param bytes 1, 2 or 4; an agent may support only some of them
   */
  void out(int port, int bytes, int value);

  /** Lets the guest read from an I/O port, like {@link #out}. */
  int in(int port, int bytes);

  /**
   * Lets the guest write 32 bits of its device's config space.
   *
   * @param virtualBdf the guest's number for the device
   * @param offset a multiple of 4, less than 256
   */
  default void writeConfig(long virtualBdf, int offset, int value) {
    out(ConfigPorts.ADDRESS, Integer.BYTES, ConfigPorts.select(virtualBdf, offset));
    out(ConfigPorts.DATA, Integer.BYTES, value);
  }

  /** Lets the guest read 32 bits of its device's config space, like {@link #writeConfig}. */
  default int readConfig(long virtualBdf, int offset) {
    out(ConfigPorts.ADDRESS, Integer.BYTES, ConfigPorts.select(virtualBdf, offset));
    return in(ConfigPorts.DATA, Integer.BYTES);
  }

  /**
   * Lets the guest ask its VMM for something.
   *
   * @return what the VMM answered: 0, or the length of what was read; or a negated errno
   * @throws UnsupportedOperationException if this guest cannot ask for that
   */
  long ask(GuestAsk ask);
}
