package dev.iolite.mock.kvm;

/**
 * A range of guest-physical addresses and what a guest reaches there.
 *
 * @param gpa the first address
 * @param bytes how long it is
 * @param isPrivate whether it is reached by private accesses; else by shared ones
 * @param slot the slot's number, with the address space in its upper half; -1: no slot's
 * @param behind what is behind it, for a person to read
 */
public record GuestRange(long gpa, long bytes, boolean isPrivate, int slot, String behind) {
  @Override
  public String toString() {
    return "0x%x-0x%x %s %s".formatted(gpa, gpa + bytes, isPrivate ? "private" : "shared", behind);
  }
}
