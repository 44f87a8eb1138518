package dev.iolite.tdi.guest;

/** The result of an access that a guest was made to make. */
public sealed interface GuestAnswer {
  /** Whether it reached memory or a device. */
  default boolean reached() {
    return this instanceof Reached;
  }

  /**
   * It did.
   *
   * @param value what was read, zero-extended; what was written, for a write
   */
  record Reached(long value) implements GuestAnswer {
    @Override
    public String toString() {
      return "0x" + Long.toHexString(value);
    }
  }

  /** There is no slot: the VMM was asked to emulate the access. */
  record NoSlot() implements GuestAnswer {
    @Override
    public String toString() {
      return "not reached: no memory slot is there (KVM_EXIT_MMIO)";
    }
  }

  /**
   * The access did not get through.
   *
   * @param why the reason, in words for people
   */
  record Refused(String why) implements GuestAnswer {
    @Override
    public String toString() {
      return "not reached: " + why;
    }
  }
}
